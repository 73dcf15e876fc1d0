// Runs every op on convolutions, poolings and products that are given on standard input, for a build with
// sanitizers.
//
// A line holds the sizes of one convolution, pooling or product, as sizes.h reads them.
// Buffers are as large as they have to be, so that any access beyond is seen; several callers
// share one pool of threads, which is smaller than they are many.
#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>
#include <variant>
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
using striate::Product;
using striate::Windows;

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
  if (op.models == 1) return dw;
  // Images that all models share: where filters are few, the models run as one convolution.
  std::vector<float> shared(dw.size());
  kernels.forward(workers, op, f, {x.data(), 0}, {w.data(), kernel}, {bias.data(), 0}, y.data(),
                  positions.data());
  kernels.kernel(workers, op, f, {x.data(), 0}, {gradient.data(), result}, at, shared.data(),
                 db.data());
  dw.insert(dw.end(), shared.begin(), shared.end());
  return dw;
}

// All ops of one pooling; what comes back to the images is returned.
std::vector<float> run(const Kernels& kernels, const striate::Workers& workers,
                       const Windows& op) {
  const int64_t image = striate::image_elements(op), result = striate::result_elements(op);
  const auto x = numbers(op.models * image), gradient = numbers(op.models * result);
  std::vector<float> y(gradient.size()), dx(x.size()), means(x.size());
  std::vector<uint8_t> positions(y.size());
  kernels.mean_pool(workers, op, {x.data(), image}, y.data());
  kernels.pool_input(workers, op, {gradient.data(), result}, {nullptr, 0}, means.data());
  if (op.window_rows * op.window_columns <= 256) {
    kernels.max_pool(workers, op, {x.data(), image}, y.data(), nullptr);
    kernels.max_pool(workers, op, {x.data(), image}, y.data(), positions.data());
    const striate::PerModel<const uint8_t> at{positions.data(), result};
    kernels.pool_picked(workers, op, {x.data(), image}, at, y.data());
    kernels.pool_input(workers, op, {gradient.data(), result}, at, dx.data());
  }
  dx.insert(dx.end(), means.begin(), means.end());
  return dx;
}

// One product, with each operand lying both ways.
std::vector<float> run(const Kernels& kernels, const striate::Workers& workers,
                       const Product& op) {
  const int64_t left = op.rows * op.inner, right = op.inner * op.columns;
  const int64_t result = op.models * op.rows * op.columns;
  const auto a = numbers(op.models * left), b = numbers(op.models * right);
  std::vector<float> all;
  for (int turned = 0; turned < 4; ++turned) {
    Product way = op;
    way.left_transposed = turned % 2 != 0;
    way.right_transposed = turned / 2 != 0;
    std::vector<float> y(static_cast<size_t>(result));
    kernels.product(workers, way, {a.data(), left}, {b.data(), right}, y.data());
    all.insert(all.end(), y.begin(), y.end());
  }
  return all;
}

using Entry = std::variant<Given, Windows, Product>;

Entry read(const std::string& line) {
  std::istringstream words(line);
  std::vector<int64_t> s;
  for (int64_t size; words >> size;) s.push_back(size);
  if (s.size() == striate::kWindowSizes) return striate::windows(s.data());
  if (s.size() == striate::kProductSizes) return striate::product(s.data());
  return Given{striate::convolution(s.data()), striate::fusion(s.data())};
}

std::vector<float> run(const Kernels& kernels, const striate::Workers& workers,
                       const Entry& entry) {
  return std::visit([&](const auto& given) { return run(kernels, workers, given); }, entry);
}

}  // namespace

int main() {
  std::vector<Entry> table;
  for (std::string line; std::getline(std::cin, line);) table.push_back(read(line));
  int different = 0, ran = 0;
  for (const char* name : {"avx512", "avx2", "baseline"}) {
    const char* problem = nullptr;
    const Kernels* kernels = striate::choose(name, &problem);
    if (kernels == nullptr) continue;
    const OwnThreads pool(3);
    for (const auto& given : table) {
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
  std::printf("%d ops, %d different\n", ran, different);
  return different == 0 && ran > 0 ? 0 : 1;
}
