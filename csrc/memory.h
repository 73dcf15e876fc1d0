// Scratch memory of one call or one chunk, aligned to cache lines.
//
// It grows with the rows of an image, the kernel and the number of models, never with the number of
// images or with their rows. In floats, where "met" are the rows that one row of a result needs,
// dilation_rows * (kernel_rows - 1) + stride_rows + 2:
//
//   forward     a thread: met rows of the image with its padding (one row if there is none), and the
//               rows of one row of windows times 2 vectors unless these are maxima of 2x2
//               a call: the kernel if its filters are not whole vectors
//   to images   a thread: met rows of the gradient with zeros around
//               a call: the kernel, its channels or filters in whole vectors
//   to kernel   a thread: rows of a block (96 pixels, at least one row) and the rows they meet, if
//               padded or pooled
//               a call: sums as large as the kernel and bias, at most 16 times and below 2 MiB,
//               unless one is larger
//
//   product     a thread: of the right operand up to 9 panels of 16 KiB where it does not lie in
//               whole vectors, of the left one 48 rows of a panel's depth where it is transposed
//               a call: the result up to 16 times, below 1 MiB, where inner sums are long
//
// Networks that are merged (conv2d_merged.cc) have their filters side by side, at most 512, and need
// besides what such a convolution needs
//
//   forward     a thread: 2^15 results (or those of one image), and a byte for each
//               a call: kernels and biases of all
//   to kernel   a thread: the same, and one sum as large as the kernels and biases of a group
//               a call: at most 16 of these for each group
//
// The lecture networks: at most 155 KiB a call and thread for values and gradients to images, 144 of
// them for a kernel of 64 x 64 x 3 x 3; at most 1.2 MiB for gradients to kernels.
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
