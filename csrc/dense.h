// Sums over pixels: gradient times what each pixel meets in the image.
//
// A tile of (taps x channels) times vectors of filters stays in registers while it sums over the
// pixels of a block of rows.
#pragma once

#include "ops.h"
#include "simd.h"

namespace striate::STRIATE_ISA {

// Rows of one block: pointers to a row of the gradient and the rows of the image that it meets.
struct Block {
  const float* const* gradient;  // one a row
  const float* const* image;     // `tap_rows` a row
  int64_t tap_rows;
  int64_t rows, pixels;
  int64_t gradient_pixel, image_step;  // floats
};

// Add to sums[u][s] (`tap_row` and `stride` floats apart) for tap rows `first` + u, floats s.
template <int kTapRows, int kFloats, int kVectors>
void sum_tile(const Block& block, int64_t first, int64_t start, int64_t filter, float* sums,
              int64_t tap_row, int64_t stride) {
  Vec sum[kTapRows][kFloats][kVectors];
#pragma GCC unroll 4
  for (int u = 0; u < kTapRows; ++u) {
#pragma GCC unroll 16
    for (int s = 0; s < kFloats; ++s) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        sum[u][s][v] = load(sums + u * tap_row + s * stride + v * kLanes);
      }
    }
  }
  for (int64_t row = 0; row < block.rows; ++row) {
    const float* g = block.gradient[row] + filter;
    const float* x[kTapRows];
#pragma GCC unroll 4
    for (int u = 0; u < kTapRows; ++u) {
      x[u] = block.image[row * block.tap_rows + first + u] + start;
    }
    for (int64_t pixel = 0; pixel < block.pixels; ++pixel) {
      Vec wide[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) wide[v] = load(g + v * kLanes);
#pragma GCC unroll 4
      for (int u = 0; u < kTapRows; ++u) {
#pragma GCC unroll 16
        for (int s = 0; s < kFloats; ++s) {
          const float value = x[u][s];
#pragma GCC unroll 2
          for (int v = 0; v < kVectors; ++v) sum[u][s][v] += value * wide[v];
        }
        x[u] += block.image_step;
      }
      g += block.gradient_pixel;
    }
  }
#pragma GCC unroll 4
  for (int u = 0; u < kTapRows; ++u) {
#pragma GCC unroll 16
    for (int s = 0; s < kFloats; ++s) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        store(sums + u * tap_row + s * stride + v * kLanes, sum[u][s][v]);
      }
    }
  }
}

using SumTile = void (*)(const Block&, int64_t, int64_t, int64_t, float*, int64_t, int64_t);

constexpr int most_floats(int tap_rows, int vectors) {
  const int floats = kAccumulators / (tap_rows * vectors);
  return floats > 14 ? 14 : floats;
}

template <int kTapRows, int kVectors, int kFloats>
SumTile sum_tile_of(int64_t floats) {
  if constexpr (kFloats == 0) {
    return nullptr;
  } else {
    if (floats == kFloats) return sum_tile<kTapRows, kFloats, kVectors>;
    return sum_tile_of<kTapRows, kVectors, kFloats - 1>(floats);
  }
}

template <int kVectors>
SumTile sum_tile_of(int64_t tap_rows, int64_t floats) {
  switch (tap_rows) {
    case 1: return sum_tile_of<1, kVectors, most_floats(1, kVectors)>(floats);
    case 2: return sum_tile_of<2, kVectors, most_floats(2, kVectors)>(floats);
    case 3: return sum_tile_of<3, kVectors, most_floats(3, kVectors)>(floats);
    default: return sum_tile_of<4, kVectors, most_floats(4, kVectors)>(floats);
  }
}

// Add one block to the sums of all taps of a run, for the filters of `kVectors` vectors.
template <int kVectors>
void sum_run(const Block& block, const Run& run, int64_t filter, float* sums, int64_t tap_row,
             int64_t stride) {
  constexpr int64_t kMost = most_floats(1, kVectors);
  // Short runs leave registers free: take several tap rows together.
  int64_t together = kAccumulators / kVectors / run.length;
  together = most(1, least(4, least(together, block.tap_rows)));
  const int64_t tiles = (run.length + kMost - 1) / kMost;
  // Tap rows meet nearly the same rows of the image, which are then still in the nearest cache.
  for (int64_t tile = 0; tile < tiles; ++tile) {
    const int64_t begin = tile * run.length / tiles;
    const int64_t end = (tile + 1) * run.length / tiles;
    for (int64_t first = 0; first < block.tap_rows; first += together) {
      const int64_t tap_rows = least(together, block.tap_rows - first);
      float* to = sums + first * tap_row + (run.weights + begin) * stride + filter;
      sum_tile_of<kVectors>(tap_rows, end - begin)(block, first, run.start + begin, filter, to,
                                                   tap_row, stride);
    }
  }
}

// Add the pixels of one block to the sums of the bias, in four chains: an addition takes as long as
// four of them can be begun.
inline void sum_bias(const Block& block, int64_t filters, float* sums) {
  const int64_t step = block.gradient_pixel;
  for (int64_t f = 0; f < filters; f += kLanes) {
    Vec a = load(sums + f), b = {}, c = {}, d = {};
    for (int64_t row = 0; row < block.rows; ++row) {
      const float* g = block.gradient[row] + f;
      int64_t pixel = 0;
      for (; pixel + 4 <= block.pixels; pixel += 4, g += 4 * step) {
        a += load(g);
        b += load(g + step);
        c += load(g + 2 * step);
        d += load(g + 3 * step);
      }
      for (; pixel < block.pixels; ++pixel, g += step) a += load(g);
    }
    store(sums + f, (a + b) + (c + d));
  }
}

}  // namespace striate::STRIATE_ISA
