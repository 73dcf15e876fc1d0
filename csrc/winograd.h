// Convolution with 3x3 taps in fewer multiplications: Winograd's F(2x2, 3x3).
//
// Four pixels of the result, a tile, come from sixteen of the source. Sums and differences of these
// (16 numbers), times those of the taps, summed over channels, give the tile in another 16 to be
// added up: 16 multiply-adds for each channel and filter instead of 36. Over many tiles these are
// 16 products of matrices, (tiles, channels) times (channels, filters).
//
// With B' = (1 0 -1 0; 0 1 1 0; 0 -1 1 0; 0 1 0 -1), G = (1 0 0; 1/2 1/2 1/2; 1/2 -1/2 1/2; 0 0 1)
// and A' = (1 1 1 0; 0 1 -1 -1) a tile is A' [(G w G') * (B' x B)] A, and the gradient to the taps,
// the same sum differentiated, G' [(A g A') * (B' x B)] G. All numbers are -1, 0, 1 and 1/2:
// rounding errors are about those of a plain sum. What is not finite reaches the other pixels of a
// tile, as NaN.
//
// A. Lavin, S. Gray, Fast algorithms for convolutional neural networks, CVPR 2016.
#pragma once

#include "geometry.h"
#include "memory.h"
#include "ops.h"
#include "product_tile.h"

namespace striate::STRIATE_ISA {

constexpr int kPositions = 16;

// Floats from one of the 16 numbers to the next, for `count` of them. A cache line more, so that
// the 16 do not meet in the same few lines of the nearest cache.
inline int64_t position_size(int64_t count) { return count + 16; }

// The 16 numbers of four rows of pixels, for one vector of channels.
STRIATE_INLINE void transform_pixels(const float* const* rows, int64_t at, int64_t pixel,
                                     int64_t lanes, float* to, int64_t position) {
  Vec t[4][4];
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r) {
    const float* from = rows[r] + at;
    const Vec a = load_up_to(from, lanes), b = load_up_to(from + pixel, lanes);
    const Vec c = load_up_to(from + 2 * pixel, lanes), d = load_up_to(from + 3 * pixel, lanes);
    t[r][0] = a - c;
    t[r][1] = b + c;
    t[r][2] = c - b;
    t[r][3] = b - d;
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    store(to + c * position, t[0][c] - t[2][c]);
    store(to + (4 + c) * position, t[1][c] + t[2][c]);
    store(to + (8 + c) * position, t[2][c] - t[1][c]);
    store(to + (12 + c) * position, t[1][c] - t[3][c]);
  }
}

// The 16 numbers of a tile's gradient, A g A', for one vector of filters.
STRIATE_INLINE void transform_gradient(const float* const* rows, int64_t at, int64_t pixel,
                                       int64_t lanes, float* to, int64_t position) {
  Vec t[2][4];
#pragma GCC unroll 2
  for (int r = 0; r < 2; ++r) {
    const Vec a = load_up_to(rows[r] + at, lanes), b = load_up_to(rows[r] + at + pixel, lanes);
    t[r][0] = a;
    t[r][1] = a + b;
    t[r][2] = a - b;
    t[r][3] = Vec{} - b;
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    store(to + c * position, t[0][c]);
    store(to + (4 + c) * position, t[0][c] + t[1][c]);
    store(to + (8 + c) * position, t[0][c] - t[1][c]);
    store(to + (12 + c) * position, Vec{} - t[1][c]);
  }
}

// The tile that 16 sums of products make.
STRIATE_INLINE void transform_sums(const float* from, int64_t position, Vec bias,
                                   Vec (&tile)[2][2][1]) {
  Vec t[2][4];
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    const Vec a = load(from + c * position), b = load(from + (4 + c) * position);
    const Vec d = load(from + (8 + c) * position), e = load(from + (12 + c) * position);
    t[0][c] = a + b + d;
    t[1][c] = b - d - e;
  }
#pragma GCC unroll 2
  for (int r = 0; r < 2; ++r) {
    tile[r][0][0] = t[r][0] + t[r][1] + t[r][2] + bias;
    tile[r][1][0] = t[r][1] - t[r][2] - t[r][3] + bias;
  }
}

// Nine taps as lists of rows of filters, one row a channel.
struct Taps {
  const float* data;
  int64_t tap, row;  // floats between taps and between rows
  int64_t channels, filters;
};

// G w G' of all channels and filters: for each of the 16, panels of filters as products read them.
class TileWeights {
 public:
  TileWeights(int64_t kernels, int64_t channels, int64_t filters)
      : channels_(channels),
        filters_(filters),
        panels_((filters + kPanel - 1) / kPanel),
        numbers_(kernels * kPositions * panels_ * channels * kPanel) {}

  int64_t panels() const { return panels_; }
  const float* panel(int64_t kernel, int64_t position, int64_t panel) const {
    const int64_t before = (kernel * kPositions + position) * panels_ + panel;
    return numbers_.data() + before * channels_ * kPanel;
  }

  // Of channels [first, last) of a kernel.
  void make(int64_t kernel, const Taps& taps, int64_t first, int64_t last) {
    const int64_t position = panels_ * channels_ * kPanel;
    float* to = numbers_.data() + kernel * kPositions * position;
    for (int64_t c = first; c < last; ++c) {
      for (int64_t f = 0; f < panels_ * kPanel; f += kLanes) {
        float* at = to + (f / kPanel * channels_ + c) * kPanel + f % kPanel;
        make_vector(taps.data + c * taps.row + f, taps.tap, filters_ - f, at, position);
      }
    }
  }

 private:
  static STRIATE_INLINE void combine(Vec a, Vec b, Vec c, Vec (&to)[4]) {
    const Vec outer = 0.5f * (a + c), inner = 0.5f * b;
    to[0] = a;
    to[1] = outer + inner;
    to[2] = outer - inner;
    to[3] = c;
  }

  static void make_vector(const float* from, int64_t tap, int64_t filters, float* to,
                          int64_t position) {
    Vec t[3][4], u[4];
#pragma GCC unroll 3
    for (int v = 0; v < 3; ++v) {
      Vec w[3] = {};
      for (int r = 0; r < 3 && filters > 0; ++r) {
        w[r] = load_up_to(from + (3 * r + v) * tap, filters);
      }
      combine(w[0], w[1], w[2], t[v]);
    }
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) {
      combine(t[0][r], t[1][r], t[2][r], u);
#pragma GCC unroll 4
      for (int c = 0; c < 4; ++c) store(to + (4 * r + c) * position, u[c]);
    }
  }

  const int64_t channels_, filters_, panels_;
  Scratch<float> numbers_;
};

// Kernels with fewer numbers are transformed sooner than another thread comes.
constexpr int64_t kAloneNumbers = 1 << 14;

inline void make_weights(const Workers& workers, int64_t kernels, const Taps& taps,
                         int64_t kernel_size, TileWeights& weights) {
  const bool alone = kernels * kernel_size < kAloneNumbers;
  const int64_t chunks = alone ? 1 : least(taps.channels, 4 * workers.threads());
  for_chunks(workers, kernels * chunks, [&](int64_t i) {
    const int64_t kernel = i / chunks, chunk = i % chunks;
    Taps of_kernel = taps;
    of_kernel.data += kernel * kernel_size;
    weights.make(kernel, of_kernel, chunk * taps.channels / chunks,
                 (chunk + 1) * taps.channels / chunks);
  });
}

}  // namespace striate::STRIATE_ISA
