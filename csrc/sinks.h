// What happens to a tile of sums: it is stored, or activated and pooled while it is in registers.
#pragma once

#include "correlation.h"
#include "geometry.h"
#include "simd.h"

namespace striate::STRIATE_ISA {

// Where the pixels of a result lie.
struct Target {
  float* values;
  uint8_t* positions;  // null if nobody asks
  int64_t row, pixel;  // floats between rows and between pixels
  int64_t first_row;   // of the result, at `values`
};

// Store sums, after a ReLU if asked for; a position is then 0 (positive) or kNowhere.
class StoreSink {
 public:
  static constexpr bool kPairs = false;
  static constexpr bool kFull = false;

  StoreSink(const Target& target, bool relu) : target_(target), relu_(relu) {}

  template <int kRows, int kColumns, int kVectors>
  STRIATE_INLINE void take(const Tile& tile, const Vec (&sums)[kRows][kColumns][kVectors]) const {
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
      for (int i = 0; i < kColumns; ++i) {
        const int64_t at = (tile.row + r - target_.first_row) * target_.row + (tile.column + i) * target_.pixel +
                           tile.filter;
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
          put(at + v * kLanes, sums[r][i][v], tile.filters - v * kLanes);
        }
      }
    }
  }

 private:
  STRIATE_INLINE void put(int64_t at, Vec sum, int64_t filters) const {
    if (relu_) {
      if (target_.positions != nullptr) {
        const IntVec position = choose(above(sum, Vec{}), IntVec{}, everywhere(kNowhere));
        store_bytes_up_to(target_.positions + at, position, filters);
      }
      sum = choose(at_most_zero(sum), Vec{}, sum);
    }
    store_up_to(target_.values + at, sum, filters);
  }

  const Target& target_;
  const bool relu_;
};

// Store sums of what may be a full correlation: a gradient.
class GradientSink : public StoreSink {
 public:
  static constexpr bool kFull = true;

  explicit GradientSink(const Target& target) : StoreSink(target, false) {}
};

// The maximum of 2x2 windows and its position; tiles have two rows and an even number of columns.
class MaxSink {
 public:
  static constexpr bool kPairs = true;
  static constexpr bool kFull = false;

  MaxSink(const Target& target, bool relu)
      : target_(target),
        floor_(relu ? Vec{} : Vec{} - __builtin_inff()),
        lost_(everywhere(relu ? kNowhere : 0)) {}

  template <int kRows, int kColumns, int kVectors>
  STRIATE_INLINE void take(const Tile& tile, const Vec (&sums)[kRows][kColumns][kVectors]) const {
#pragma GCC unroll 8
    for (int i = 0; i < kColumns / 2; ++i) {
      const int64_t at = tile.row / 2 * target_.row + (tile.column / 2 + i) * target_.pixel +
                         tile.filter;
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        put(at + v * kLanes, sums[0][2 * i][v], sums[0][2 * i + 1][v], sums[kRows - 1][2 * i][v],
            sums[kRows - 1][2 * i + 1][v], tile.filters - v * kLanes);
      }
    }
  }

 private:
  STRIATE_INLINE void put(int64_t at, Vec a, Vec b, Vec c, Vec d, int64_t filters) const {
    const Vec top = larger(larger(a, b), larger(c, d));
    const Vec largest = nan_where(unordered(a, b) | unordered(c, d), top);
    const IntVec first = index_of_first(same(a, top), same(b, top), same(c, top));
    const IntVec position = choose(above(largest, floor_), first, lost_);
    store_up_to(target_.values + at, larger(floor_, largest), filters);
    if (target_.positions != nullptr) {
      store_bytes_up_to(target_.positions + at, position, filters);
    }
  }

  const Target& target_;
  const Vec floor_;    // of what is let through
  const IntVec lost_;  // the position of what is not, and of NaN
};

// Pool `windows` windows of one row of windows, for up to kTileFilters filters.
//
// `rows` holds the rows of the windows, `row` and `pixel` floats apart, of whole vectors.
struct WindowRow {
  const float* rows;
  int64_t row, pixel;
  int64_t windows;
  int64_t filters;
};

STRIATE_INLINE const float* window_pixel(const WindowRow& from, const Fusion& fusion,
                                         int64_t window, int64_t tap) {
  const int64_t column = window * fusion.window_columns + tap % fusion.window_columns;
  return from.rows + tap / fusion.window_columns * from.row + column * from.pixel;
}

inline void pool_max(const WindowRow& from, const Fusion& fusion, float* values,
                     uint8_t* positions, int64_t pixel) {
  const int64_t taps = fusion.window_rows * fusion.window_columns;
  for (int64_t window = 0; window < from.windows; ++window) {
    for (int64_t f = 0; f < from.filters; f += kLanes) {
      Vec largest = load(window_pixel(from, fusion, window, 0) + f);
      IntVec position = {};
      for (int64_t tap = 1; tap < taps; ++tap) {
        const Vec other = load(window_pixel(from, fusion, window, tap) + f);
        const Lanes wins = beats(other, largest);
        largest = choose(wins, other, largest);
        position = choose(wins, everywhere(static_cast<int32_t>(tap)), position);
      }
      if (fusion.relu) {
        position = choose(above(largest, Vec{}), position, everywhere(kNowhere));
        largest = choose(at_most_zero(largest), Vec{}, largest);
      } else {
        position = choose(number(largest), position, IntVec{});
      }
      store_up_to(values + window * pixel + f, largest, from.filters - f);
      if (positions != nullptr) {
        store_bytes_up_to(positions + window * pixel + f, position, from.filters - f);
      }
    }
  }
}

inline void pool_average(const WindowRow& from, const Fusion& fusion, float* values,
                         uint8_t* positions, int64_t pixel) {
  const int64_t taps = fusion.window_rows * fusion.window_columns;
  const float share = 1.0f / static_cast<float>(taps);
  for (int64_t window = 0; window < from.windows; ++window) {
    for (int64_t f = 0; f < from.filters; f += kLanes) {
      Vec total = {};
      IntVec bits = {};
      for (int64_t tap = 0; tap < taps; ++tap) {
        Vec value = load(window_pixel(from, fusion, window, tap) + f);
        if (fusion.relu) {
          const IntVec bit = everywhere(static_cast<int32_t>(1u << (tap & 31)));
          bits |= choose(above(value, Vec{}), bit, IntVec{});
          value = choose(at_most_zero(value), Vec{}, value);
        }
        total += value;
      }
      store_up_to(values + window * pixel + f, total * share, from.filters - f);
      if (positions != nullptr) {
        store_bytes_up_to(positions + window * pixel + f,
                          fusion.relu ? bits : everywhere(kNowhere), from.filters - f);
      }
    }
  }
}

// Sum the pixels that `positions` name.
inline void pool_picked(const WindowRow& from, const Fusion& fusion, const uint8_t* positions,
                        float* values, int64_t pixel) {
  const bool average = fusion.pooling == Pooling::average;
  const int64_t taps = fusion.window_rows * fusion.window_columns;
  const float share = average ? 1.0f / static_cast<float>(taps) : 1.0f;
  for (int64_t window = 0; window < from.windows; ++window) {
    for (int64_t f = 0; f < from.filters; f += kLanes) {
      const IntVec position =
          load_bytes_up_to(positions + window * pixel + f, from.filters - f);
      Vec total = {};
      for (int64_t tap = 0; tap < taps; ++tap) {
        const int32_t code = static_cast<int32_t>(average ? 1u << (tap & 31) : tap);
        const Vec value = load(window_pixel(from, fusion, window, tap) + f);
        const Lanes picked = average ? has_bit(position, code) : equal(position, code);
        total += choose(picked, value, Vec{});
      }
      store_up_to(values + window * pixel + f, total * share, from.filters - f);
    }
  }
}

}  // namespace striate::STRIATE_ISA
