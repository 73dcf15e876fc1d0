// Scratch memory of one call or one chunk, aligned to cache lines.
#pragma once

#include <stdlib.h>

#include "simd.h"

namespace striate::STRIATE_ISA {

template <typename T>
class Scratch {
 public:
  explicit Scratch(int64_t count) {
    const size_t bytes = (static_cast<size_t>(count) * sizeof(T) + 63) / 64 * 64;
    data_ = static_cast<T*>(aligned_alloc(64, bytes == 0 ? 64 : bytes));
    if (data_ == nullptr) abort();  // as the processor's own allocator would, out of memory
  }
  ~Scratch() { free(data_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](int64_t i) { return data_[i]; }
  const T& operator[](int64_t i) const { return data_[i]; }

 private:
  T* data_;
};

}  // namespace striate::STRIATE_ISA
