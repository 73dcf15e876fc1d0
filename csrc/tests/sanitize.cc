// Runs every op on convolutions that are given on standard input, for a build with sanitizers.
//
// A line holds the sizes of one convolution, as sizes.h reads them.
// Buffers are as large as they have to be, so that any access beyond is seen; several callers
// share one pool of threads, which is smaller than they are many.
#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "../kernels.h"
#include "../own_threads.h"
#include "../sizes.h"

namespace {

using striate::Convolution;
using striate::Fusion;
using striate::Kernels;
using striate::OwnThreads;
using striate::Pooling;

struct Given {
  Convolution op;
  Fusion fusion;
};

std::vector<float> numbers(int64_t count) {
  std::vector<float> values(static_cast<size_t>(count));
  uint32_t state = 1;
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(state >> 8) / (1 << 24) - 0.5f;
  }
  return values;
}

// All ops of one convolution; the kernel gradient is returned.
std::vector<float> run(const Kernels& kernels, const striate::Workers& workers,
                       const Given& given) {
  const Convolution& op = given.op;
  const Fusion& f = given.fusion;
  const int64_t image = striate::image_elements(op), kernel = striate::kernel_elements(op);
  const int64_t result = striate::result_elements(op, f);
  const auto x = numbers(op.models * image), w = numbers(op.models * kernel);
  const auto bias = numbers(op.filters), gradient = numbers(op.models * result);
  std::vector<float> y(gradient.size()), dx(x.size()), dw(w.size());
  std::vector<float> db(static_cast<size_t>(op.models * op.filters));
  std::vector<uint8_t> positions(y.size());
  kernels.forward(workers, op, f, {x.data(), image}, {w.data(), kernel}, {bias.data(), 0},
                  y.data(), positions.data());
  const bool picks = f.relu || f.pooling == Pooling::max;
  const striate::PerModel<const uint8_t> at{picks ? positions.data() : nullptr, result};
  if (picks) {
    kernels.picked(workers, op, f, {x.data(), image}, {w.data(), kernel}, {bias.data(), 0}, at,
                   y.data());
  }
  kernels.input(workers, op, f, {gradient.data(), result}, at, {w.data(), kernel}, dx.data());
  kernels.kernel(workers, op, f, {x.data(), image}, {gradient.data(), result}, at, dw.data(),
                 db.data());
  return dw;
}

}  // namespace

int main() {
  std::vector<Given> table;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    int64_t sizes[striate::kSizes];
    for (int64_t& size : sizes) words >> size;
    table.push_back({striate::convolution(sizes), striate::fusion(sizes)});
  }
  int different = 0, ran = 0;
  for (const char* name : {"avx512", "avx2", "baseline"}) {
    const char* problem = nullptr;
    const Kernels* kernels = striate::choose(name, &problem);
    if (kernels == nullptr) continue;
    const OwnThreads pool(3);
    for (const Given& given : table) {
      const std::vector<float> alone = run(*kernels, OwnThreads(1), given);
      std::vector<std::vector<float>> found(4);
      std::vector<std::thread> callers;
      for (auto& mine : found) {
        callers.emplace_back([&] { mine = run(*kernels, pool, given); });
      }
      for (std::thread& caller : callers) caller.join();
      for (const auto& mine : found) different += mine == alone ? 0 : 1;
      ++ran;
    }
  }
  std::printf("%d convolutions, %d different\n", ran, different);
  return different == 0 && ran > 0 ? 0 : 1;
}
