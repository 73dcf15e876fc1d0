// The ops for callers that have raw pointers: tests and benchmarks, through ctypes.
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "kernels.h"

#define STRIATE_EXPORT extern "C" __attribute__((visibility("default")))

namespace striate {
namespace {

// A pool of its own, which lives for one call.
class OwnThreads final : public Workers {
 public:
  explicit OwnThreads(int64_t threads) {
    for (int64_t i = 1; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }

  ~OwnThreads() override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      closing_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

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

// Sizes in the order of the fields of Convolution, then those of Fusion.
Convolution convolution(const int64_t* s) {
  return {s[0], s[1], s[2],  s[3],  s[4],  s[5],  s[6], s[7],
          s[8], s[9], s[10], s[11], s[12], s[13], s[14], s[15]};
}

Fusion fusion(const int64_t* s) {
  return {static_cast<Pooling>(s[16]), s[17], s[18], s[19] != 0};
}

template <typename T>
PerModel<const T> all_own(const T* data, int64_t elements) {
  return {data, elements};
}

int64_t image_elements(const Convolution& c) { return c.images * c.rows * c.columns * c.channels; }
int64_t kernel_elements(const Convolution& c) {
  return c.kernel_rows * c.kernel_columns * c.channels * c.filters;
}
int64_t result_elements(const Convolution& c, const Fusion& f) {
  return c.images * (c.output_rows / f.window_rows) * (c.output_columns / f.window_columns) *
         c.filters;
}

const Kernels& kernels(const char* instruction_set) {
  const char* problem = nullptr;
  const Kernels* found = choose(instruction_set, &problem);
  return found != nullptr ? *found : baseline::kernels;
}

}  // namespace
}  // namespace striate

// Why `instruction_set` (null: the best) cannot be used, or null.
STRIATE_EXPORT const char* striate_problem(const char* instruction_set) {
  const char* problem = nullptr;
  return striate::choose(instruction_set, &problem) != nullptr ? nullptr : problem;
}

STRIATE_EXPORT const char* striate_instruction_set(const char* instruction_set) {
  return striate::kernels(instruction_set).instruction_set;
}

STRIATE_EXPORT void striate_forward(const char* isa, int64_t threads, const int64_t* sizes,
                                    const float* x, const float* kernel, const float* bias,
                                    float* y, uint8_t* positions) {
  const auto c = striate::convolution(sizes);
  const auto f = striate::fusion(sizes);
  striate::kernels(isa).forward(
      striate::OwnThreads(threads), c, f, striate::all_own(x, striate::image_elements(c)),
      striate::all_own(kernel, striate::kernel_elements(c)), striate::all_own(bias, c.filters), y,
      positions);
}

STRIATE_EXPORT void striate_picked(const char* isa, int64_t threads, const int64_t* sizes,
                                   const float* x, const float* kernel, const float* bias,
                                   const uint8_t* positions, float* y) {
  const auto c = striate::convolution(sizes);
  const auto f = striate::fusion(sizes);
  striate::kernels(isa).picked(
      striate::OwnThreads(threads), c, f, striate::all_own(x, striate::image_elements(c)),
      striate::all_own(kernel, striate::kernel_elements(c)), striate::all_own(bias, c.filters),
      striate::all_own(positions, striate::result_elements(c, f)), y);
}

STRIATE_EXPORT void striate_input(const char* isa, int64_t threads, const int64_t* sizes,
                                  const float* gradient, const uint8_t* positions,
                                  const float* kernel, float* dx) {
  const auto c = striate::convolution(sizes);
  const auto f = striate::fusion(sizes);
  striate::kernels(isa).input(striate::OwnThreads(threads), c, f,
                              striate::all_own(gradient, striate::result_elements(c, f)),
                              striate::all_own(positions, striate::result_elements(c, f)),
                              striate::all_own(kernel, striate::kernel_elements(c)), dx);
}

STRIATE_EXPORT void striate_kernel(const char* isa, int64_t threads, const int64_t* sizes,
                                   const float* x, const float* gradient,
                                   const uint8_t* positions, float* dkernel, float* dbias) {
  const auto c = striate::convolution(sizes);
  const auto f = striate::fusion(sizes);
  striate::kernels(isa).kernel(striate::OwnThreads(threads), c, f,
                               striate::all_own(x, striate::image_elements(c)),
                               striate::all_own(gradient, striate::result_elements(c, f)),
                               striate::all_own(positions, striate::result_elements(c, f)),
                               dkernel, dbias);
}

// Operations on registers only; returns how many floating-point operations that was.
STRIATE_EXPORT int64_t striate_multiply_add(const char* isa, int64_t rounds, float* result) {
  const striate::Kernels& kernels = striate::kernels(isa);
  *result = kernels.multiply_add(rounds);
  return rounds * kernels.flops_per_round;
}
