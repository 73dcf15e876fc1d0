// A cross-correlation of rows with packed weights: what forward and input gradient share.
//
// Both are sums over taps of (pixel of a source) x (channels in, filters out); they differ in which
// pixels a tap meets and in how the weights are laid out. `Correlation` says so; the result is made
// in tiles that stay in registers, and each tile is handed to a sink.
#pragma once

#include "geometry.h"
#include "memory.h"
#include "simd.h"
#include "source_rows.h"

namespace striate::STRIATE_ISA {

// Neighbouring floats of a row that meet consecutive rows of weights: several taps if they touch.
struct Run {
  int64_t start;    // floats from the pixel, zeros on the left included
  int64_t length;   // floats
  int64_t weights;  // first row of weights, within the weights of a tap row
};

struct Correlation {
  int64_t result_rows, result_columns;
  int64_t step_rows, step_columns;  // source pixels per result pixel
  const int64_t* tap_rows;          // source row minus step_rows * result row
  int64_t tap_row_count;
  const Run* runs;
  int64_t run_count;
  int64_t tap_row_weights;  // rows of weights of one tap row
  int64_t pixel;            // floats between source pixels
  int64_t outputs;          // filters
  int64_t full_inner;       // pixels of a source row with two zeros before and behind them, which
                            // three taps meet in every way; 0 where it is another correlation
};

// Weights as rows of `stride` floats, a multiple of the vector length or followed by as much.
struct Weights {
  const float* data;
  int64_t stride;
  const float* bias;  // of whole vectors, or null
};

// A tile of pixels times vectors of filters.
struct Tile {
  int64_t row, column;  // of the result
  int64_t filter;
  int64_t filters;  // that are left from `filter` on
  int64_t step;     // floats between the source pixels of neighbours
  int64_t weights_stride;
};

// One run for all rows of a tile: neighbouring floats and the rows of weights that they meet.
template <int kRows>
struct Segment {
  const float* x[kRows];
  const float* weights;
  int64_t length;
};

// The sums of one tile, before it is handed to the sink.
//
// The inner loop is written for what it becomes: a pointer reaches five pixels, since an x86
// address can add a register once, twice or four times; registers are scarcer than additions.
template <int kRows, int kColumns, int kVectors, typename Sink>
void correlate_tile(const Tile& tile, const Segment<kRows>* segments, int64_t count,
                    const float* bias, const Sink& sink) {
  constexpr int kReach = 5;
  constexpr int kBases = (kColumns + kReach - 1) / kReach;
  Vec sums[kRows][kColumns][kVectors];
  for (int v = 0; v < kVectors; ++v) {
    const Vec start = bias == nullptr ? Vec{} : load(bias + v * kLanes);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
      for (int i = 0; i < kColumns; ++i) sums[r][i][v] = start;
    }
  }
  const int64_t step = tile.step, stride = tile.weights_stride;
  const int64_t offsets[kReach] = {0, step, 2 * step, 3 * step, 4 * step};
  for (const Segment<kRows>* end = segments + count; segments != end; ++segments) {
    const float* x[kRows][kBases];
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int i = 0; i < kBases; ++i) {
        x[r][i] = segments->x[r] + (tile.column + kReach * i) * step;
      }
    }
    const float* w = segments->weights;
    for (int64_t left = segments->length; left > 0; --left, w += stride) {
      Vec wide[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) wide[v] = load(w + v * kLanes);
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
        for (int i = 0; i < kColumns; ++i) {
          const float value = x[r][i / kReach][offsets[i % kReach]];
#pragma GCC unroll 4
          for (int v = 0; v < kVectors; ++v) sums[r][i][v] += value * wide[v];
        }
#pragma GCC unroll 4
        for (int i = 0; i < kBases; ++i) ++x[r][i];
      }
    }
  }
  sink.template take<kRows, kColumns, kVectors>(tile, sums);
}

// Room for the segments of one row group.
class Segments {
 public:
  explicit Segments(int64_t count) : one_(count), two_(count) {}

  template <int kRows>
  Segment<kRows>* of() {
    static_assert(kRows == 1 || kRows == 2);
    if constexpr (kRows == 1) {
      return one_.data();
    } else {
      return two_.data();
    }
  }

 private:
  Scratch<Segment<1>> one_;
  Scratch<Segment<2>> two_;
};

template <int kRows, typename Sink>
using TileFunction = void (*)(const Tile&, const Segment<kRows>*, int64_t, const float*,
                              const Sink&);

// The most columns of a tile with this many rows and vectors; for poolings an even number.
constexpr int most_columns(int rows, int vectors, bool even) {
  int columns = kAccumulators / (rows * vectors);
  if (columns > 14) columns = 14;
  return even ? columns / 2 * 2 : columns;
}

template <int kRows, int kVectors, typename Sink, int kColumns>
TileFunction<kRows, Sink> tile_of(int64_t columns) {
  if constexpr (kColumns == 0) {
    return nullptr;
  } else {
    if (columns == kColumns) return correlate_tile<kRows, kColumns, kVectors, Sink>;
    return tile_of<kRows, kVectors, Sink, kColumns - (Sink::kPairs ? 2 : 1)>(columns);
  }
}

// Correlate `kRows` rows of the result from `row` on, for `kVectors` vectors of filters.
template <int kRows, int kVectors, typename Sink>
void correlate_rows(const Correlation& op, const Weights& weights,
                    const Segment<kRows>* segments, int64_t count, int64_t row, int64_t filter,
                    const Sink& sink) {
  constexpr int64_t kUnit = Sink::kPairs ? 2 : 1;
  constexpr int64_t kMost = most_columns(kRows, kVectors, Sink::kPairs);
  const int64_t units = op.result_columns / kUnit;
  const int64_t tiles = (units * kUnit + kMost - 1) / kMost;
  if (tiles == 0) return;
  const int64_t narrow = units / tiles, wider = units % tiles;
  const auto narrow_tile = tile_of<kRows, kVectors, Sink, kMost>(narrow * kUnit);
  const auto wider_tile = tile_of<kRows, kVectors, Sink, kMost>((narrow + 1) * kUnit);
  const float* bias = weights.bias == nullptr ? nullptr : weights.bias + filter;
  Tile tile{row, 0, filter, op.outputs - filter, op.step_columns * op.pixel, weights.stride};
  for (int64_t i = 0; i < tiles; ++i) {
    const bool wide = i < wider;
    (wide ? wider_tile : narrow_tile)(tile, segments, count, bias, sink);
    tile.column += (narrow + (wide ? 1 : 0)) * kUnit;
  }
}

// Collect the runs that `kRows` rows of the result from `row` on need; returns how many.
template <int kRows>
int64_t gather(const Correlation& op, const Weights& weights, SourceRows& source, int64_t row,
               Segment<kRows>* segments) {
  int64_t count = 0;
  for (int64_t t = 0; t < op.tap_row_count; ++t) {
    const float* rows[kRows];
    bool any = false;
    for (int r = 0; r < kRows; ++r) {
      const int64_t from = (row + r) * op.step_rows + op.tap_rows[t];
      any = any || source.inside(from);
      rows[r] = source.row(from);
    }
    if (!any) continue;
    const float* tap_weights = weights.data + t * op.tap_row_weights * weights.stride;
    for (int64_t n = 0; n < op.run_count; ++n, ++count) {
      const Run& run = op.runs[n];
      for (int r = 0; r < kRows; ++r) {
        const float* x = rows[r] + run.start;
        settle(x);
        segments[count].x[r] = x;
      }
      segments[count].weights = tap_weights + run.weights * weights.stride;
      segments[count].length = run.length;
    }
  }
  return count;
}

// Filters of a tile.
constexpr int64_t kTileFilters = 2 * kLanes;

}  // namespace striate::STRIATE_ISA
