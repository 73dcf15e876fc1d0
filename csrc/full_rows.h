// Full correlation of short rows: every way in which three taps overlap with the row.
//
// The result is two pixels wider than the source, and a third to a half of the products at its ends
// would be with zeros beside the source. Where a whole row of the result fits into the registers,
// each pixel of the source goes to the three sums that it belongs to, and no zero is met.
#pragma once

#include "correlation.h"

namespace striate::STRIATE_ISA {

constexpr int kFullTaps = 3;

constexpr int most_inner(int rows, int vectors) {
  const int columns = kAccumulators / (rows * vectors);
  return columns > kFullTaps ? columns - kFullTaps + 1 : 0;
}

// `kInner` pixels of the source, `pixel` floats each; segments begin at the first zero before them.
template <int kRows, int kInner, int kVectors, typename Sink>
void full_tile(const Tile& tile, const Segment<kRows>* segments, int64_t count, const Sink& sink) {
  constexpr int kReach = 5;  // as in correlate_tile
  constexpr int kBases = (kInner + kReach - 1) / kReach;
  constexpr int kColumns = kInner + kFullTaps - 1;
  Vec sums[kRows][kColumns][kVectors] = {};
  const int64_t pixel = tile.step, stride = tile.weights_stride;
  const int64_t offsets[kReach] = {0, pixel, 2 * pixel, 3 * pixel, 4 * pixel};
  for (const Segment<kRows>* end = segments + count; segments != end; ++segments) {
    const float* x[kRows][kBases];
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (int i = 0; i < kBases; ++i) {
        x[r][i] = segments->x[r] + (kFullTaps - 1 + kReach * i) * pixel;
      }
    }
    const float* w[kFullTaps];
#pragma GCC unroll 4
    for (int t = 0; t < kFullTaps; ++t) w[t] = segments->weights + t * pixel * stride;
    for (int64_t left = pixel; left > 0; --left) {
#pragma GCC unroll 4
      for (int t = 0; t < kFullTaps; ++t) {
        Vec wide[kVectors];
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) wide[v] = load(w[t] + v * kLanes);
        w[t] += stride;
#pragma GCC unroll 4
        for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 32
          for (int i = 0; i < kInner; ++i) {
            const float value = x[r][i / kReach][offsets[i % kReach]];
#pragma GCC unroll 2
            for (int v = 0; v < kVectors; ++v) {
              sums[r][i + kFullTaps - 1 - t][v] += value * wide[v];
            }
          }
        }
      }
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
        for (int i = 0; i < kBases; ++i) ++x[r][i];
      }
    }
  }
  sink.template take<kRows, kColumns, kVectors>(tile, sums);
}

template <int kRows, int kVectors, typename Sink, int kInner>
TileFunction<kRows, Sink> full_tile_of(int64_t inner) {
  if constexpr (kInner <= 0) {
    return nullptr;
  } else {
    if (inner == kInner) {
      return [](const Tile& tile, const Segment<kRows>* segments, int64_t count, const float*,
                const Sink& sink) {
        full_tile<kRows, kInner, kVectors>(tile, segments, count, sink);
      };
    }
    return full_tile_of<kRows, kVectors, Sink, kInner - 1>(inner);
  }
}

// Correlate `kRows` rows if that is a full correlation of short rows; returns whether it was.
template <int kRows, typename Sink>
bool correlate_full(const Correlation& op, const Weights& weights, Segment<kRows>* segments,
                    int64_t count, int64_t row, const Sink& sink) {
  if (op.full_inner == 0 || op.full_inner > most_inner(kRows, 2)) return false;
  for (int64_t filter = 0; filter < op.outputs;) {
    Tile tile{row, 0, filter, op.outputs - filter, op.pixel, weights.stride};
    const bool two = op.outputs - filter > kLanes;
    const auto sum = two ? full_tile_of<kRows, 2, Sink, most_inner(kRows, 2)>(op.full_inner)
                         : full_tile_of<kRows, 1, Sink, most_inner(kRows, 2)>(op.full_inner);
    sum(tile, segments, count, nullptr, sink);
    tile.column = op.full_inner + kFullTaps - 1;
    for (; tile.column < op.result_columns; ++tile.column) {
      const Vec zeros[kRows][1][1] = {};
      sink.template take<kRows, 1, 1>(tile, zeros);
      if (two) {
        Tile second = tile;
        second.filter += kLanes;
        second.filters -= kLanes;
        sink.template take<kRows, 1, 1>(second, zeros);
      }
    }
    const int64_t done = two ? 2 * kLanes : kLanes;
    for (int64_t n = 0; n < count; ++n) segments[n].weights += done;
    filter += done;
  }
  return true;
}

}  // namespace striate::STRIATE_ISA
