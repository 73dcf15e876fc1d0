// What the ops of a pooling have in common: where windows lie, and pieces of memory as vectors.
//
// A run is a piece of memory that is computed in vectors: the channels of one pixel, or, where the
// same taps lie inside the image for many columns and the memory allows, of many pixels. Where
// channels are fewer than a vector has lanes and the stride is not 1, the pixels of a row are
// sorted by column modulo stride, so that again the memory allows.
#pragma once

#include "ops.h"

namespace striate::STRIATE_ISA {

// Windows along rows or along columns.
struct Axis {
  int64_t size, window, stride, pad, dilation, outputs;

  // Taps of a window that lie inside the image: from the first up to the last, which does not.
  int64_t first_tap(int64_t output) const {
    const int64_t before = pad - output * stride;
    return before <= 0 ? 0 : least(window, (before + dilation - 1) / dilation);
  }
  int64_t last_tap(int64_t output) const {
    const int64_t room = size + pad - output * stride;
    return room <= 0 ? 0 : least(window, (room + dilation - 1) / dilation);
  }
  int64_t taps(int64_t output) const { return last_tap(output) - first_tap(output); }

  // Windows that lie inside with all their taps, likewise.
  int64_t first_whole() const { return least(outputs, (pad + stride - 1) / stride); }
  int64_t last_whole() const {
    const int64_t room = size + pad - 1 - (window - 1) * dilation;
    return room < 0 ? first_whole() : most(first_whole(), least(outputs, room / stride + 1));
  }
};

inline Axis rows_of(const Windows& op) {
  return {op.rows,    op.window_rows,   op.stride_rows,
          op.pad_top, op.dilation_rows, op.output_rows};
}

inline Axis columns_of(const Windows& op) {
  return {op.columns,  op.window_columns,   op.stride_columns,
          op.pad_left, op.dilation_columns, op.output_columns};
}

template <int kCount>
struct Vectors {
  static constexpr int count = kCount;
};

// So many vectors at once hide how long a comparison takes.
constexpr int kTogether = kAccumulators >= 24 ? 4 : 2;

// Call body(vectors, at, lanes) for the vectors of a run.
template <typename Body>
STRIATE_INLINE void for_vectors(int64_t count, const Body& body) {
  int64_t at = 0;
  for (; at + kTogether * kLanes <= count; at += kTogether * kLanes) {
    body(Vectors<kTogether>{}, at, int64_t{kLanes});
  }
  for (; at + kLanes <= count; at += kLanes) body(Vectors<1>{}, at, int64_t{kLanes});
  if (at < count) body(Vectors<1>{}, at, count - at);
}

#define STRIATE_EACH_VECTOR \
  [&](auto vectors, int64_t e, int64_t lanes) __attribute__((always_inline))

// A row of pixels, and the same sorted by column modulo stride, `away` floats from class to class
// (and kLanes more behind the last).
struct Sorting {
  int64_t stride, pixels, channels, away;
};

template <int kStride, typename Row, typename Sorted, typename Move>
STRIATE_INLINE void move_numbers(const Sorting& by, Row* __restrict row, Sorted* __restrict sorted,
                                 const Move& move) {
  const int64_t stride = kStride == 0 ? by.stride : kStride;
  const int64_t groups = by.pixels / stride;
  for (int64_t i = 0; i < groups; ++i) {
    for (int64_t k = 0; k < stride; ++k) move(row + i * stride + k, sorted + k * by.away + i);
  }
  for (int64_t k = 0; k < by.pixels % stride; ++k) {
    move(row + groups * stride + k, sorted + k * by.away + groups);
  }
}

// Call move(pixel of the row, pixel sorted) for each pixel, as number(...) if it is one number.
template <typename Row, typename Sorted, typename Number, typename Move>
STRIATE_INLINE void move_pixels(const Sorting& by, Row* row, Sorted* sorted, const Number& number,
                                const Move& move) {
  if (by.channels == 1) {
    // With a stride that the compiler knows these are shuffles of vectors.
    if (by.stride == 2) return move_numbers<2>(by, row, sorted, number);
    if (by.stride == 3) return move_numbers<3>(by, row, sorted, number);
    return move_numbers<0>(by, row, sorted, number);
  }
  for (int64_t k = 0; k < least(by.stride, by.pixels); ++k) {
    Sorted* next = sorted + k * by.away;
    for (int64_t i = k; i < by.pixels; i += by.stride, next += by.channels) {
      move(row + i * by.channels, next);
    }
  }
}

inline void sort(const Sorting& by, const float* row, float* sorted) {
  move_pixels(
      by, row, sorted, [](const float* from, float* to) { *to = *from; },
      // Beyond the sorted pixel lies the next one, which is written later.
      [&](const float* from, float* to) { store(to, load_first(from, by.channels)); });
}

inline void unsort(const Sorting& by, const float* sorted, float* row) {
  move_pixels(
      by, row, sorted, [](float* to, const float* from) { *to = *from; },
      [&](float* to, const float* from) { store_first(to, load(from), by.channels); });
}

// Floats of one class of a row.
inline int64_t class_floats(const Windows& op) {
  return (op.columns + op.stride_columns - 1) / op.stride_columns * op.channels;
}

inline bool sorts(const Windows& op) { return op.stride_columns > 1 && op.channels < kLanes; }

// What moving a float costs, in operations of a convolution.
constexpr int64_t kFlopsPerFloat = 16;

inline int64_t cost(const Windows& op) {
  const int64_t pixels = op.rows * op.columns;
  const int64_t outputs = op.output_rows * op.output_columns;
  const int64_t taps = op.window_rows * op.window_columns;
  return op.models * op.images * op.channels *
         (kFlopsPerFloat * (pixels + outputs) + 2 * taps * outputs);
}

}  // namespace striate::STRIATE_ISA
