// Correlation into few channels: the lanes of a vector are filters, which are summed at the end.
//
// A result of one channel would leave all lanes but one empty. Here each pixel of the result is a
// sum of products of whole vectors, and the lanes of as many pixels as a vector has lanes are then
// added up by halves, which leaves each pixel in its lane.
#pragma once

#include "correlation.h"
#include "sinks.h"

namespace striate::STRIATE_ISA {

// Where the pixels of one channel go.
struct FoldedTarget {
  float* values;
  int64_t step;  // floats between pixels
};

// One level of the sums: a[i] + a[i + h] in groups of 2h lanes, b's beside a's.
template <int kHalfGroup, int... lane>
STRIATE_INLINE Vec add_halves(Vec a, Vec b, LaneNumbers<lane...>) {
  const Vec low = __builtin_shufflevector(
      a, b, (lane / kHalfGroup % 2 == 0 ? lane : kLanes + lane - kHalfGroup)...);
  const Vec high = __builtin_shufflevector(
      a, b, (lane / kHalfGroup % 2 == 0 ? lane + kHalfGroup : kLanes + lane)...);
  return low + high;
}

// Add the lanes of each of `kLanes` vectors: lane i of the result is the sum of sums[i].
template <int kCount>
STRIATE_INLINE Vec add_lanes(Vec (&sums)[kLanes]) {
  if constexpr (kCount == 1) {
    return sums[0];
  } else {
    constexpr int kNext = kCount / 2;
#pragma GCC unroll 8
    for (int i = 0; i < kNext; ++i) {
      sums[i] = add_halves<kNext>(sums[i], sums[i + kNext], AllLanes{});
    }
    return add_lanes<kNext>(sums);
  }
}

// `kColumns` pixels from `at` (floats from the first pixel of a segment) on.
template <int kColumns>
void fold_tile(const Segment<1>* segments, int64_t count, int64_t weights_offset, int64_t at,
               int64_t pixel, const FoldedTarget& to) {
  Vec sums[kLanes] = {};
  for (int64_t n = 0; n < count; ++n) {
    const float* x = segments[n].x[0] + at;
    const float* w = segments[n].weights + weights_offset;
    for (int64_t left = segments[n].length; left > 0; left -= kLanes) {
      const Vec weights = load(w);
#pragma GCC unroll 16
      for (int i = 0; i < kColumns; ++i) sums[i] += load(x + i * pixel) * weights;
      x += kLanes;
      w += kLanes;
    }
  }
  const Vec total = add_lanes<kLanes>(sums);
  if (to.step == 1) {
    store_up_to(to.values, total, kColumns);
  } else {
    for (int i = 0; i < kColumns; ++i) to.values[i * to.step] = total[i];
  }
}

using FoldTile = void (*)(const Segment<1>*, int64_t, int64_t, int64_t, int64_t,
                          const FoldedTarget&);

template <int kColumns>
FoldTile fold_tile_of(int64_t columns) {
  if constexpr (kColumns == 0) {
    return nullptr;
  } else {
    if (columns == kColumns) return fold_tile<kColumns>;
    return fold_tile_of<kColumns - 1>(columns);
  }
}

// Rows [first, last) of the result; the weights of channel c are `channel_weights` floats behind
// those of channel c - 1. Lengths of runs, pixels and weights are multiples of the vector length.
inline void fold(const Correlation& op, const Weights& weights, int64_t channel_weights,
                 SourceRows& source, Segments& room, int64_t first, int64_t last,
                 const Target& target) {
  const int64_t tiles = (op.result_columns + kLanes - 1) / kLanes;
  const int64_t pixel = op.step_columns * op.pixel;
  Segment<1>* segments = room.of<1>();
  for (int64_t row = first; row < last; ++row) {
    const int64_t count = gather<1>(op, weights, source, row, segments);
    for (int64_t tile = 0; tile < tiles; ++tile) {
      const int64_t begin = tile * op.result_columns / tiles;
      const int64_t columns = (tile + 1) * op.result_columns / tiles - begin;
      const auto sum = fold_tile_of<kLanes>(columns);
      float* to = target.values + (row - target.first_row) * target.row + begin * target.pixel;
      for (int64_t channel = 0; channel < op.outputs; ++channel) {
        sum(segments, count, channel * channel_weights, begin * pixel, pixel,
            {to + channel, target.pixel});
      }
    }
  }
}

}  // namespace striate::STRIATE_ISA
