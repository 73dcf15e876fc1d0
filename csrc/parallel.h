// Chunks of work on a pool of threads, without the possibility of a deadlock.
//
// The calling thread takes chunks itself and afterwards waits only for chunks that another thread
// has begun. It never waits for a task that is still in the pool's queue: two callers that occupy
// all threads of a pool would otherwise wait for each other's tasks for ever. A task that comes
// late finds no chunk left and touches nothing of the caller's.
#pragma once

#include <cstdint>

namespace striate {

class Workers {
 public:
  virtual ~Workers();
  virtual int64_t threads() const = 0;
  // Have another thread call run(state) once, at any time; `run` frees what it needs to.
  virtual void schedule(void (*run)(void*), void* state) const = 0;
};

// Call body(context, chunk) for chunk = 0 ... chunks - 1 and return when all are done.
void run_chunks(const Workers& workers, int64_t chunks, void (*body)(const void*, int64_t),
                const void* context);

}  // namespace striate
