// A tile of a product of matrices: some rows times some vectors of columns, summed in registers.
#pragma once

#include "simd.h"

namespace striate::STRIATE_ISA {

constexpr int kTileRows = kAccumulators >= 24 ? 12 : 6;
constexpr int kTileVectors = 2;
// Columns of a panel of the right operand.
constexpr int64_t kPanel = kTileVectors * kLanes;
// Rows of the left operand that are copied together where it is transposed: whole tiles.
constexpr int64_t kBlockRows = 48;

struct ProductTile {
  const float* left;
  int64_t left_row;   // floats between rows
  int64_t left_step;  // floats between inner indices where rows lie side by side
  const float* right;
  int64_t right_row;  // floats between rows of a panel
  float* result;
  int64_t result_row;
  int64_t inner;
  int64_t columns;  // of the result that are written; vectors beyond them are not begun
  bool first;       // or added to what the result has
};

// `kBeside`: the rows of the left operand lie side by side.
template <bool kBeside, int kRows, int kVectors>
void multiply_tile(const ProductTile& tile) {
  Vec sum[kRows][kVectors] = {};
  const float* left[kRows];
#pragma GCC unroll 12
  for (int r = 0; r < kRows; ++r) left[r] = tile.left + r * tile.left_row;
  const float* beside = tile.left;
  const float* right = tile.right;
  for (int64_t k = 0; k < tile.inner; ++k) {
    Vec wide[kVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) wide[v] = load(right + v * kLanes);
#pragma GCC unroll 12
    for (int r = 0; r < kRows; ++r) {
      const float value = kBeside ? beside[r] : left[r][k];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) sum[r][v] += value * wide[v];
    }
    right += tile.right_row;
    beside += tile.left_step;
  }
  const int64_t last = tile.columns - (kVectors - 1) * kLanes;  // columns of the last vector
#pragma GCC unroll 12
  for (int r = 0; r < kRows; ++r) {
    float* to = tile.result + r * tile.result_row;
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      const int64_t columns = v + 1 < kVectors ? kLanes : last;
      if (!tile.first) sum[r][v] += load_up_to(to + v * kLanes, columns);
      store_up_to(to + v * kLanes, sum[r][v], columns);
    }
  }
}

using MultiplyTile = void (*)(const ProductTile&);

template <bool kBeside, int kVectors, int kRows = kTileRows>
MultiplyTile multiply_tile_of(int64_t rows) {
  if constexpr (kRows == 0) {
    return nullptr;
  } else {
    if (rows == kRows) return multiply_tile<kBeside, kRows, kVectors>;
    return multiply_tile_of<kBeside, kVectors, kRows - 1>(rows);
  }
}

inline MultiplyTile multiply_tile_of(bool beside, int64_t rows, int64_t columns) {
  if (columns > kLanes) {
    return beside ? multiply_tile_of<true, 2>(rows) : multiply_tile_of<false, 2>(rows);
  }
  return beside ? multiply_tile_of<true, 1>(rows) : multiply_tile_of<false, 1>(rows);
}

// One or two rows: a copy of the right operand would cost more than the product, and their few sums
// would wait for each other. The right operand is read where it lies, and every sum is several.
constexpr int64_t kFewRows = 2;

template <int kRows, int kVectors>
void multiply_few(const ProductTile& tile) {
  constexpr int kChains = 4 / kRows;
  const FirstLanes last(tile.columns - (kVectors - 1) * kLanes);
  Vec sum[kChains][kRows][kVectors] = {};
  const float* right = tile.right;
  const auto add = [&](int chain, int64_t k) __attribute__((always_inline)) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      const float* from = right + v * kLanes;
      const Vec wide = v + 1 < kVectors ? load(from) : last.load(from);
#pragma GCC unroll 2
      for (int r = 0; r < kRows; ++r) sum[chain][r][v] += tile.left[r * tile.left_row + k] * wide;
    }
    right += tile.right_row;
  };
  int64_t k = 0;
  for (; k + kChains <= tile.inner; k += kChains) {
#pragma GCC unroll 4
    for (int chain = 0; chain < kChains; ++chain) add(chain, k + chain);
  }
  for (; k < tile.inner; ++k) add(0, k);
#pragma GCC unroll 2
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      Vec total = sum[0][r][v];
#pragma GCC unroll 4
      for (int chain = 1; chain < kChains; ++chain) total += sum[chain][r][v];
      store_up_to(tile.result + r * tile.result_row + v * kLanes, total,
                  tile.columns - v * kLanes);
    }
  }
}

inline MultiplyTile multiply_few_of(int64_t rows, int64_t columns) {
  if (columns > kLanes) return rows == 1 ? multiply_few<1, 2> : multiply_few<2, 2>;
  return rows == 1 ? multiply_few<1, 1> : multiply_few<2, 1>;
}

typedef float Four __attribute__((vector_size(16)));
typedef int32_t FourNumbers __attribute__((vector_size(16)));

template <int a, int b, int c, int d>
STRIATE_INLINE Four shuffled(Four x, Four y) {
#if defined(__clang__)
  return __builtin_shufflevector(x, y, a, b, c, d);
#else
  return __builtin_shuffle(x, y, FourNumbers{a, b, c, d});
#endif
}

STRIATE_INLINE void copy_transposed_four(const float* from, int64_t from_row, float* to,
                                         int64_t to_row) {
  Four row[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) memcpy(&row[i], from + i * from_row, sizeof row[i]);
  const Four a = shuffled<0, 4, 1, 5>(row[0], row[1]), b = shuffled<2, 6, 3, 7>(row[0], row[1]);
  const Four c = shuffled<0, 4, 1, 5>(row[2], row[3]), d = shuffled<2, 6, 3, 7>(row[2], row[3]);
  const Four turned[4] = {shuffled<0, 1, 4, 5>(a, c), shuffled<2, 3, 6, 7>(a, c),
                          shuffled<0, 1, 4, 5>(b, d), shuffled<2, 3, 6, 7>(b, d)};
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) memcpy(to + i * to_row, &turned[i], sizeof turned[i]);
}

// Write the transpose of (rows, columns) floats.
inline void copy_transposed(const float* from, int64_t from_row, int64_t rows, int64_t columns,
                            float* to, int64_t to_row) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    const float* row = from + r * from_row;
    int64_t c = 0;
    for (; c + 4 <= columns; c += 4) {
      copy_transposed_four(row + c, from_row, to + c * to_row + r, to_row);
    }
    for (; c < columns; ++c) {
      for (int64_t i = 0; i < 4; ++i) to[c * to_row + r + i] = row[i * from_row + c];
    }
  }
  for (; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) to[c * to_row + r] = from[r * from_row + c];
  }
}

// Copy (rows, columns) floats, of which the columns need not be whole vectors.
inline void copy_rows(const float* from, int64_t from_row, int64_t rows, int64_t columns,
                      float* to, int64_t to_row) {
  const int64_t whole = columns / kLanes * kLanes;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < whole; c += kLanes) {
      store(to + r * to_row + c, load(from + r * from_row + c));
    }
    if (whole < columns) {
      store_first(to + r * to_row + whole, load_first(from + r * from_row + whole, columns - whole),
                  columns - whole);
    }
  }
}

}  // namespace striate::STRIATE_ISA
