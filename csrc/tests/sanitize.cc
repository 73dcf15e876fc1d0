// Runs every op on convolutions that are given on standard input, for a build with sanitizers.
//
// A line holds the sizes of one convolution in the order of Convolution's and Fusion's fields.
// Buffers are as large as they have to be, so that any access beyond is seen; several callers
// share one pool of threads, which is smaller than they are many.
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <iostream>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "../kernels.h"

namespace {

using striate::Convolution;
using striate::Fusion;
using striate::Kernels;
using striate::Pooling;

class Pool final : public striate::Workers {
 public:
  explicit Pool(int threads) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }
  ~Pool() override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      closing_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  // One more than there are, so that there is always a task that comes late.
  int64_t threads() const override { return static_cast<int64_t>(threads_.size()) + 1; }
  void schedule(void (*run)(void*), void* state) const override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      tasks_.emplace_back(run, state);
    }
    wake_.notify_one();
  }

 private:
  void work() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return closing_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      const auto task = tasks_.front();
      tasks_.pop_front();
      lock.unlock();
      task.first(task.second);
      lock.lock();
    }
  }
  std::vector<std::thread> threads_;
  mutable std::mutex mutex_;
  mutable std::condition_variable wake_;
  mutable std::deque<std::pair<void (*)(void*), void*>> tasks_;
  bool closing_ = false;
};

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
  const int64_t image = op.images * op.rows * op.columns * op.channels;
  const int64_t kernel = op.kernel_rows * op.kernel_columns * op.channels * op.filters;
  const int64_t result = op.images * (op.output_rows / f.window_rows) *
                         (op.output_columns / f.window_columns) * op.filters;
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
    int64_t s[20];
    for (int64_t& size : s) words >> size;
    table.push_back({{s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9], s[10], s[11],
                      s[12], s[13], s[14], s[15]},
                     {static_cast<Pooling>(s[16]), s[17], s[18], s[19] != 0}});
  }
  int different = 0, ran = 0;
  for (const char* name : {"avx512", "avx2", "baseline"}) {
    const char* problem = nullptr;
    const Kernels* kernels = striate::choose(name, &problem);
    if (kernels == nullptr) continue;
    const Pool pool(2);
    for (const Given& given : table) {
      const std::vector<float> alone = run(*kernels, Pool(0), given);
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
