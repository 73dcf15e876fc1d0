// A cross-correlation of rows with packed weights: what forward and input gradient share.
//
// Both are sums over taps of (pixel of a source) x (channels in, filters out); they differ in which
// pixels a tap meets and in how the weights are laid out. `Correlation` says so; `correlate` walks
// over the result in tiles that stay in registers and hands each tile to a sink.
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
};

template <int kRows, int kColumns, int kVectors, typename Sink>
void correlate_tile(const Correlation& op, const Weights& weights, const float* const* rows,
                    const Tile& tile, const Sink& sink) {
  // Addresses of three pixels a pointer: as many as an x86 address can reach with one step.
  constexpr int kBases = (kColumns + 2) / 3;
  Vec sums[kRows][kColumns][kVectors];
  for (int v = 0; v < kVectors; ++v) {
    const Vec start =
        weights.bias == nullptr ? Vec{} : load(weights.bias + tile.filter + v * kLanes);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
      for (int i = 0; i < kColumns; ++i) sums[r][i][v] = start;
    }
  }
  const int64_t step = op.step_columns * op.pixel;
  for (int64_t t = 0; t < op.tap_row_count; ++t) {
    const float* const* from = rows + t * kRows;
    if (from[0] == nullptr) continue;  // all rows outside the image
    const float* tap_weights =
        weights.data + t * op.tap_row_weights * weights.stride + tile.filter;
    for (int64_t n = 0; n < op.run_count; ++n) {
      const Run& run = op.runs[n];
      const float* bases[kRows][kBases];
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
        for (int i = 0; i < kBases; ++i) {
          bases[r][i] = from[r] + run.start + (tile.column + 3 * i) * step;
        }
      }
      const float* w = tap_weights + run.weights * weights.stride;
      for (int64_t k = 0; k < run.length; ++k, w += weights.stride) {
        Vec wide[kVectors];
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) wide[v] = load(w + v * kLanes);
#pragma GCC unroll 4
        for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
          for (int i = 0; i < kColumns; ++i) {
            const float x = bases[r][i / 3][k + (i % 3) * step];
#pragma GCC unroll 4
            for (int v = 0; v < kVectors; ++v) sums[r][i][v] += x * wide[v];
          }
        }
      }
    }
  }
  sink.template take<kRows, kColumns, kVectors>(tile, sums);
}

template <typename Sink>
using TileFunction = void (*)(const Correlation&, const Weights&, const float* const*, const Tile&,
                              const Sink&);

// The most columns of a tile with this many rows and vectors; for poolings an even number.
constexpr int most_columns(int rows, int vectors, bool even) {
  int columns = kAccumulators / (rows * vectors);
  if (columns > 14) columns = 14;
  return even ? columns / 2 * 2 : columns;
}

template <int kRows, int kVectors, typename Sink, int kColumns>
TileFunction<Sink> tile_of(int64_t columns) {
  if constexpr (kColumns == 0) {
    return nullptr;
  } else {
    if (columns == kColumns) return correlate_tile<kRows, kColumns, kVectors, Sink>;
    return tile_of<kRows, kVectors, Sink, kColumns - (Sink::kPairs ? 2 : 1)>(columns);
  }
}

// Correlate `kRows` rows of the result from `row` on, for `kVectors` vectors of filters.
template <int kRows, int kVectors, typename Sink>
void correlate_rows(const Correlation& op, const Weights& weights, const float* const* rows,
                    int64_t row, int64_t filter, const Sink& sink) {
  constexpr int64_t kUnit = Sink::kPairs ? 2 : 1;
  constexpr int64_t kMost = most_columns(kRows, kVectors, Sink::kPairs);
  const int64_t units = op.result_columns / kUnit;
  const int64_t tiles = (units * kUnit + kMost - 1) / kMost;
  if (tiles == 0) return;
  const int64_t narrow = units / tiles, wider = units % tiles;
  const auto narrow_tile = tile_of<kRows, kVectors, Sink, kMost>(narrow * kUnit);
  const auto wider_tile = tile_of<kRows, kVectors, Sink, kMost>((narrow + 1) * kUnit);
  Tile tile{row, 0, filter, op.outputs - filter};
  for (int64_t i = 0; i < tiles; ++i) {
    const bool wide = i < wider;
    (wide ? wider_tile : narrow_tile)(op, weights, rows, tile, sink);
    tile.column += (narrow + (wide ? 1 : 0)) * kUnit;
  }
}

// Collect the pointers to the source rows that `kRows` rows of the result need.
template <int kRows>
void gather_rows(const Correlation& op, SourceRows& source, int64_t row, const float** rows) {
  for (int64_t t = 0; t < op.tap_row_count; ++t) {
    bool any = false;
    for (int r = 0; r < kRows; ++r) {
      any = any || source.inside((row + r) * op.step_rows + op.tap_rows[t]);
    }
    for (int r = 0; r < kRows; ++r) {
      rows[t * kRows + r] =
          any ? source.row((row + r) * op.step_rows + op.tap_rows[t]) : nullptr;
    }
  }
}

template <int kRows, typename Sink>
void correlate_group(const Correlation& op, const Weights& weights, SourceRows& source,
                     const float** rows, int64_t row, int64_t filter, const Sink& sink) {
  gather_rows<kRows>(op, source, row, rows);
  if (op.outputs - filter > kLanes) {
    correlate_rows<kRows, 2>(op, weights, rows, row, filter, sink);
  } else {
    correlate_rows<kRows, 1>(op, weights, rows, row, filter, sink);
  }
}

// Correlate rows [first, last) of the result for the filters from `filter` on that fit into a tile.
// `rows` has room for two pointers a tap row.
template <typename Sink>
void correlate(const Correlation& op, const Weights& weights, SourceRows& source,
               const float** rows, int64_t first, int64_t last, int64_t filter, const Sink& sink) {
  int64_t row = first;
  // Two rows at a time fill the registers where one row of the result is too short.
  const bool short_rows = 4 * op.result_columns <= kAccumulators;
  if (Sink::kPairs || short_rows) {
    for (; row + 2 <= last; row += 2) {
      correlate_group<2>(op, weights, source, rows, row, filter, sink);
    }
  }
  if constexpr (!Sink::kPairs) {
    for (; row < last; ++row) correlate_group<1>(op, weights, source, rows, row, filter, sink);
  }
}

// Filters of a tile.
constexpr int64_t kTileFilters = 2 * kLanes;

}  // namespace striate::STRIATE_ISA
