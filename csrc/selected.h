// Sums over windows of which a maximum was taken: gradient times the pixels that it went to.
//
// In such a window the gradient of a filter belongs to one pixel. Instead of a gradient for every
// pixel, nearly all of them zero, times that pixel, each filter picks its factor out of the window:
// what all pixels of a window meet at a few floats of a row of taps is a vector, a table, and the
// position of the maximum is an index into it. A window of four pixels takes a quarter of the
// multiply-adds. For two rows of pixels, and few channels: a table has a half for each row.
//
// With AVX2 such a table is slow, and holds few floats. Where filters fill vectors a table is four
// floats of one row instead, which the windows of neighbouring rows of taps share; a window then
// takes half of the multiply-adds, one for each of its rows, of which the gradient of one is zero.
#pragma once

#include "geometry.h"
#include "ops.h"
#include "simd.h"

namespace striate::STRIATE_ISA {

// Rows of windows, their gradients as they lie in memory and the rows of the image that they meet.
struct WindowBlock {
  const float* gradient;
  const uint8_t* positions;
  const float* const* image;  // a row of windows: tap rows, for each as many as a window has rows
  int64_t rows, windows;
  int64_t tap_rows;
  int64_t filters;
  int64_t image_step;  // floats between windows
  IntVec index;        // into a table, for each position
  bool row_tables;     // a table is of one row
};

constexpr int64_t kHalf = kLanes / 2;
// Registers for sums; indices, tables and gradients need others.
constexpr int64_t kSelectedSums = kLanes == 16 ? 20 : 9;
constexpr int64_t kMostTapRows = 3;
constexpr int64_t kMostFloats = kLanes == 16 ? 7 : 3;

// Whether windows of this op can be summed so: floats of a tap row that a table serves, or 0.
inline int64_t selected_floats(const Convolution& op, const Fusion& fusion) {
  if (!kPermutes || fusion.pooling != Pooling::max || fusion.window_rows != 2) return 0;
  const int64_t spread = (fusion.window_columns - 1) * op.stride_columns * op.channels;
  if (2 * fusion.window_columns > kLanes || spread >= kHalf) return 0;
  const int64_t floats = least(kHalf - spread, kMostFloats);
  return 3 * floats < kHalf ? 0 : floats;  // a table has to pay for its making
}

// Whether tables are those of one row. All four floats have to be there.
inline bool row_tables(const Convolution& op, const Fusion& fusion) {
  const int64_t run = (op.dilation_columns == 1 ? op.kernel_columns : 1) * op.channels;
  return kLanes == 8 && op.filters % kLanes == 0 && fusion.window_columns == 2 &&
         op.stride_rows == op.dilation_rows && run + op.stride_columns * op.channels >= 4;
}

// The index of the first float of a table for each position.
inline IntVec selected_index(const Convolution& op, const Fusion& fusion) {
  const bool of_row = row_tables(op, fusion);
  IntVec index = {};
  for (int64_t i = 0; i < (of_row ? kLanes : 2 * fusion.window_columns); ++i) {
    const int64_t column = i % fusion.window_columns * op.stride_columns * op.channels;
    const int64_t row = of_row ? 0 : i / fusion.window_columns;
    index[i] = static_cast<int32_t>(row * kHalf + column);
  }
  return index;
}

// Where a tile's sums lie.
struct SelectedSums {
  float* sums;
  int64_t tap_row, stride;  // floats between tap rows and between floats of a tap row
  float* bias;              // null if another tile adds it up
};

// Add to the sums of `kTapRows` tap rows from `first` on, `kFloats` floats from `start` on.
template <int kTapRows, int kFloats, int kVectors>
void select_tile(const WindowBlock& block, int64_t first, int64_t start, int64_t needed,
                 int64_t filter, const SelectedSums& to) {
  Vec sum[kTapRows][kFloats][kVectors], bias[kVectors] = {};
#pragma GCC unroll 4
  for (int u = 0; u < kTapRows; ++u) {
#pragma GCC unroll 8
    for (int s = 0; s < kFloats; ++s) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        sum[u][s][v] = load(to.sums + u * to.tap_row + s * to.stride + v * kLanes);
      }
    }
  }
  const FirstLanes last(block.filters - filter - (kVectors - 1) * kLanes);
  const IntVec lookup = block.index;
  for (int64_t row = 0; row < block.rows; ++row) {
    const int64_t at = row * block.windows * block.filters + filter;
    const float* g = block.gradient + at;
    const uint8_t* p = block.positions + at;
    const float* x[kTapRows][2];
#pragma GCC unroll 4
    for (int u = 0; u < kTapRows; ++u) {
      const float* const* rows = block.image + (row * block.tap_rows + first + u) * 2;
      x[u][0] = rows[0] + start;
      x[u][1] = rows[1] + start;
    }
    for (int64_t window = 0; window < block.windows; ++window) {
      Vec gradient[kVectors];
      IntVec index[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        const bool whole = v + 1 < kVectors;
        const IntVec position =
            whole ? load_bytes(p + v * kLanes) : last.load_bytes(p + v * kLanes);
        const Vec given = whole ? load(g + v * kLanes) : last.load(g + v * kLanes);
        gradient[v] = choose(equal(position, kNowhere), Vec{}, given);
        index[v] = permute(lookup, position);
        bias[v] += gradient[v];
      }
#pragma GCC unroll 4
      for (int u = 0; u < kTapRows; ++u) {
        const Vec table = halves(x[u][0], x[u][1], needed);
        x[u][0] += block.image_step;
        x[u][1] += block.image_step;
#pragma GCC unroll 8
        for (int s = 0; s < kFloats; ++s) {
#pragma GCC unroll 2
          for (int v = 0; v < kVectors; ++v) {
            sum[u][s][v] += permute(table, index[v] + s) * gradient[v];
          }
        }
      }
      g += block.filters;
      p += block.filters;
    }
  }
#pragma GCC unroll 4
  for (int u = 0; u < kTapRows; ++u) {
#pragma GCC unroll 8
    for (int s = 0; s < kFloats; ++s) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        store(to.sums + u * to.tap_row + s * to.stride + v * kLanes, sum[u][s][v]);
      }
    }
  }
  if (to.bias == nullptr) return;
  for (int v = 0; v < kVectors; ++v) {
    store(to.bias + v * kLanes, load(to.bias + v * kLanes) + bias[v]);
  }
}

// The same with tables of rows, `needed` floats of which are there from `start` on.
template <int kTapRows, int kFloats>
void select_row_tile(const WindowBlock& block, int64_t first, int64_t start, int64_t needed,
                     int64_t filter, const SelectedSums& to) {
  Vec sum[kTapRows][kFloats], bias = {};
#pragma GCC unroll 4
  for (int u = 0; u < kTapRows; ++u) {
#pragma GCC unroll 4
    for (int s = 0; s < kFloats; ++s) {
      sum[u][s] = load(to.sums + u * to.tap_row + s * to.stride);
    }
  }
  // A table that would end behind the row begins earlier.
  const int64_t earlier = most(0, 4 - needed);
  const Vec lookup = reinterpret_cast<Vec>(block.index + static_cast<int32_t>(earlier));
  for (int64_t row = 0; row < block.rows; ++row) {
    const int64_t at = row * block.windows * block.filters + filter;
    const float* g = block.gradient + at;
    const uint8_t* p = block.positions + at;
    const float* x[kTapRows + 1];
    const float* const* rows = block.image + (row * block.tap_rows + first) * 2;
    x[0] = rows[0] + start - earlier;
#pragma GCC unroll 4
    for (int u = 0; u < kTapRows; ++u) x[u + 1] = rows[2 * u + 1] + start - earlier;
    for (int64_t window = 0; window < block.windows; ++window) {
      const IntVec position = load_bytes(p);
      const Vec given = load(g);
      const Vec upper = choose(equal(position & ~1, 0), given, Vec{});
      const Vec lower = choose(equal(position & ~1, 2), given, Vec{});
      bias += upper + lower;
      const IntVec index = reinterpret_cast<IntVec>(permute_four(lookup, position));
#pragma GCC unroll 4
      for (int s = 0; s < kFloats; ++s) {
#pragma GCC unroll 4
        for (int r = 0; r <= kTapRows; ++r) {
          settle(x[r]);  // a table is loaded again for each s: no registers are left to keep it
          const Vec value = permute_four(load_four(x[r]), index + s);
          if (r < kTapRows) sum[r % kTapRows][s] += value * upper;
          if (r > 0) sum[(r + kTapRows - 1) % kTapRows][s] += value * lower;
        }
      }
#pragma GCC unroll 4
      for (int r = 0; r <= kTapRows; ++r) x[r] += block.image_step;
      g += block.filters;
      p += block.filters;
    }
  }
#pragma GCC unroll 4
  for (int u = 0; u < kTapRows; ++u) {
#pragma GCC unroll 4
    for (int s = 0; s < kFloats; ++s) {
      store(to.sums + u * to.tap_row + s * to.stride, sum[u][s]);
    }
  }
  if (to.bias != nullptr) store(to.bias, load(to.bias) + bias);
}

using SelectTile = void (*)(const WindowBlock&, int64_t, int64_t, int64_t, int64_t,
                            const SelectedSums&);

template <int kTapRows, int kVectors, int kFloats>
SelectTile select_tile_of(int64_t floats) {
  if constexpr (!kPermutes || kFloats == 0 || kTapRows * kVectors > kSelectedSums) {
    return nullptr;
  } else if constexpr (kTapRows * kFloats * kVectors > kSelectedSums) {
    return select_tile_of<kTapRows, kVectors, kFloats - 1>(floats);
  } else {
    if (floats == kFloats) return select_tile<kTapRows, kFloats, kVectors>;
    return select_tile_of<kTapRows, kVectors, kFloats - 1>(floats);
  }
}

template <int kTapRows>
SelectTile select_row_tile_of(int64_t floats) {
  switch (floats) {
    case 1: return select_row_tile<kTapRows, 1>;
    case 2: return select_row_tile<kTapRows, 2>;
    default: return select_row_tile<kTapRows, 3>;
  }
}

inline SelectTile select_row_tile_of(int64_t tap_rows, int64_t floats) {
  if constexpr (kLanes != 8) {
    return nullptr;
  } else {
    switch (tap_rows) {
      case 1: return select_row_tile_of<1>(floats);
      case 2: return select_row_tile_of<2>(floats);
      default: return select_row_tile_of<3>(floats);
    }
  }
}

template <int kVectors>
SelectTile select_tile_of(int64_t tap_rows, int64_t floats) {
  switch (tap_rows) {
    case 1: return select_tile_of<1, kVectors, kMostFloats>(floats);
    case 2: return select_tile_of<2, kVectors, kMostFloats>(floats);
    default: return select_tile_of<3, kVectors, kMostFloats>(floats);
  }
}

// Add one block to the sums of a run for the filters from `filter` on that fit into a tile.
inline void select_run(const WindowBlock& block, const Run& run, int64_t floats, int64_t spread,
                       int64_t filter, SelectedSums to) {
  const int64_t tiles = (run.length + floats - 1) / floats;
  const int64_t widest = (run.length + tiles - 1) / tiles;
  const bool two = block.filters - filter > kLanes && 2 * widest <= kSelectedSums;
  const int64_t vectors = two && !block.row_tables ? 2 : 1;
  const int64_t fit = kSelectedSums / (vectors * widest);
  const int64_t together = most(1, least(kMostTapRows, least(fit, block.tap_rows)));
  float* const sums = to.sums;
  float* const bias = to.bias;
  const int64_t end_filter = least(block.filters, filter + 2 * kLanes);
  for (; filter < end_filter; filter += vectors * kLanes) {
    to.bias = bias == nullptr ? nullptr : bias + filter;
    for (int64_t first = 0; first < block.tap_rows; first += together) {
      const int64_t tap_rows = least(together, block.tap_rows - first);
      for (int64_t tile = 0; tile < tiles; ++tile) {
        const int64_t begin = tile * run.length / tiles;
        const int64_t count = (tile + 1) * run.length / tiles - begin;
        to.sums = sums + first * to.tap_row + (run.weights + begin) * to.stride + filter;
        const auto sum = block.row_tables ? select_row_tile_of(tap_rows, count)
                         : vectors == 2   ? select_tile_of<2>(tap_rows, count)
                                          : select_tile_of<1>(tap_rows, count);
        const int64_t needed = (block.row_tables ? run.length - begin : count) + spread;
        sum(block, first, run.start + begin, needed, filter, to);
        to.bias = nullptr;
      }
    }
  }
}

}  // namespace striate::STRIATE_ISA
