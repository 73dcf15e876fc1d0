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
//   tiles       (winograd.h) a thread, which keeps up to 4 MiB of it: 16 numbers for each channel and
//               filter of 6 to 96 tiles, together 400 KiB or what a dozen needs; for gradients to
//               images four rows of the result; to kernels 16 numbers for each of the kernel's
//               channels, or at least an eighth of these, and filters
//               a call: 16 numbers for each channel and filter, for gradients to images 9 more; to
//               kernels the sums as above
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
// The lecture networks: at most 0.5 MiB a thread and, for values and gradients to images, 0.4 MiB a
// call; at most 1.2 MiB a call for gradients to kernels.
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

struct KeptBlock {
  float* data = nullptr;
  int64_t count = 0;
  ~KeptBlock() { free(data); }
};

// Scratch memory that a thread keeps for its next chunk: of memory that is handed out anew the
// system clears every page.
// A thread has one of these at a time.
class KeptScratch {
 public:
  explicit KeptScratch(int64_t count) : kept_(count <= kMostKept), own_(kept_ ? 0 : count) {
    if (!kept_ || count <= block_.count) return;
    free(block_.data);
    block_.count = (count + 15) / 16 * 16;
    block_.data = static_cast<float*>(
        aligned_alloc(64, static_cast<size_t>(block_.count) * sizeof(float)));
    if (block_.data == nullptr) abort();
  }
  KeptScratch(const KeptScratch&) = delete;
  KeptScratch& operator=(const KeptScratch&) = delete;

  float* data() { return kept_ ? block_.data : own_.data(); }

 private:
  static constexpr int64_t kMostKept = int64_t{1} << 20;
  static inline thread_local KeptBlock block_;

  const bool kept_;
  Scratch<float> own_;
};

}  // namespace striate::STRIATE_ISA
