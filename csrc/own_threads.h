// Threads for callers that have no pool: tests and benchmarks.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "parallel.h"

namespace striate {

// The calling thread and `threads` - 1 others.
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

}  // namespace striate
