// Correlation with weights that fit into the registers beside the sums: few channels in.
//
// A tile of general size has too little to do here to pay for its beginning and its end. With all
// weights at hand a row of the result is one loop over small tiles, and the processor begins the
// next one while it activates, pools and stores the last.
#pragma once

#include "correlation.h"

namespace striate::STRIATE_ISA {

// Floats of a run: three neighbours of one channel, which is what the networks have.
constexpr int kResidentLength = 3;
constexpr int kMostResidentRuns = 3;
constexpr int kResidentVectors = kLanes >= 8 ? 2 : 1;

// Tiles of a row, each of `kColumns` columns; the last one may repeat columns of the one before.
template <int kRows, int kColumns, int kVectors, int kRuns, typename Sink>
void resident_row(Tile tile, const Segment<kRows>* segments, const float* bias, int64_t columns,
                  const Sink& sink) {
  Vec weights[kRuns][kResidentLength][kVectors], start[kVectors];
  const float* x[kRuns][kRows];
#pragma GCC unroll 4
  for (int n = 0; n < kRuns; ++n) {
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) x[n][r] = segments[n].x[r];
#pragma GCC unroll 4
    for (int s = 0; s < kResidentLength; ++s) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        weights[n][s][v] = load(segments[n].weights + s * tile.weights_stride + v * kLanes);
      }
    }
  }
#pragma GCC unroll 2
  for (int v = 0; v < kVectors; ++v) start[v] = bias == nullptr ? Vec{} : load(bias + v * kLanes);
  for (int64_t column = 0; column < columns; column += kColumns) {
    tile.column = least(column, columns - kColumns);
    const int64_t at = tile.column * tile.step;
    Vec sums[kRows][kColumns][kVectors];
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int i = 0; i < kColumns; ++i) {
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) sums[r][i][v] = start[v];
      }
    }
#pragma GCC unroll 4
    for (int n = 0; n < kRuns; ++n) {
#pragma GCC unroll 4
      for (int s = 0; s < kResidentLength; ++s) {
#pragma GCC unroll 4
        for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
          for (int i = 0; i < kColumns; ++i) {
            const float value = x[n][r][at + i * tile.step + s];
#pragma GCC unroll 2
            for (int v = 0; v < kVectors; ++v) sums[r][i][v] += value * weights[n][s][v];
          }
        }
      }
    }
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int i = 0; i < kColumns; ++i) {
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) settle(sums[r][i][v]);
      }
    }
    sink.template take<kRows, kColumns, kVectors>(tile, sums);
  }
}

template <int kRows, int kVectors, typename Sink>
void resident_runs(const Tile& tile, const Segment<kRows>* segments, int64_t count,
                   const float* bias, int64_t columns, const Sink& sink) {
  constexpr int kColumns = Sink::kPairs || kRows == 2 ? 2 : 4;
  switch (count) {
    case 1: return resident_row<kRows, kColumns, kVectors, 1>(tile, segments, bias, columns, sink);
    case 2: return resident_row<kRows, kColumns, kVectors, 2>(tile, segments, bias, columns, sink);
    default: return resident_row<kRows, kColumns, kVectors, 3>(tile, segments, bias, columns, sink);
  }
}

// Correlate `kRows` rows if their weights fit; returns whether they did.
template <int kRows, typename Sink>
bool correlate_resident(const Correlation& op, const Weights& weights, Segment<kRows>* segments,
                        int64_t count, int64_t row, const Sink& sink) {
  const int64_t columns = Sink::kPairs ? op.result_columns / 2 * 2 : op.result_columns;
  if (count < 1 || count > kMostResidentRuns || columns < 4) return false;
  for (int64_t n = 0; n < count; ++n) {
    if (segments[n].length != kResidentLength) return false;
  }
  for (int64_t at = 0; at < op.outputs;) {
    const Tile tile{row, 0, at, op.outputs - at, op.step_columns * op.pixel, weights.stride};
    const float* bias = weights.bias == nullptr ? nullptr : weights.bias + at;
    const bool two = kResidentVectors == 2 && op.outputs - at > kLanes;
    if (two) {
      resident_runs<kRows, kResidentVectors>(tile, segments, count, bias, columns, sink);
    } else {
      resident_runs<kRows, 1>(tile, segments, count, bias, columns, sink);
    }
    const int64_t done = two ? 2 * kLanes : kLanes;
    for (int64_t n = 0; n < count; ++n) segments[n].weights += done;
    at += done;
  }
  return true;
}

}  // namespace striate::STRIATE_ISA
