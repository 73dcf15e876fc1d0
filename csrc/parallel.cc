#include "parallel.h"

#include <atomic>
#include <memory>
#include <thread>

namespace striate {
namespace {

struct Work {
  Work(int64_t chunks, void (*body)(const void*, int64_t), const void* context)
      : chunks(chunks), body(body), context(context) {}

  const int64_t chunks;
  void (*const body)(const void*, int64_t);
  const void* const context;  // the caller's; valid while a chunk is unfinished
  std::atomic<int64_t> next{0};
  std::atomic<int64_t> finished{0};

  void help() {
    for (;;) {
      const int64_t chunk = next.fetch_add(1, std::memory_order_relaxed);
      if (chunk >= chunks) return;
      body(context, chunk);
      finished.fetch_add(1, std::memory_order_release);
    }
  }
};

void help_and_forget(void* state) {
  std::unique_ptr<std::shared_ptr<Work>> work(static_cast<std::shared_ptr<Work>*>(state));
  (*work)->help();
}

constexpr int kSpins = 256;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

Workers::~Workers() = default;

void run_chunks(const Workers& workers, int64_t chunks, void (*body)(const void*, int64_t),
                const void* context) {
  const int64_t threads = workers.threads();
  const int64_t helpers = (chunks < threads ? chunks : threads) - 1;
  if (helpers <= 0) {
    for (int64_t chunk = 0; chunk < chunks; ++chunk) body(context, chunk);
    return;
  }
  auto work = std::make_shared<Work>(chunks, body, context);
  for (int64_t i = 0; i < helpers; ++i) {
    workers.schedule(help_and_forget, new std::shared_ptr<Work>(work));
  }
  work->help();
  // What is unfinished now has been begun elsewhere, and a chunk waits for nothing.
  for (int spins = 0; work->finished.load(std::memory_order_acquire) < chunks; ++spins) {
    if (spins < kSpins) {
      pause();
    } else {
      std::this_thread::yield();
    }
  }
}

}  // namespace striate
