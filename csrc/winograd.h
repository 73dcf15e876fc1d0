// Convolution with 3x3 taps in fewer multiplications: Winograd's F(2x2, 3x3).
//
// Four pixels of the result, a tile, come from sixteen of the source. Sums and differences of these
// (16 numbers), times those of the taps, summed over channels, give the tile in another 16 to be
// added up: 16 multiply-adds for each channel and filter instead of 36. Over many tiles these are 16
// products of matrices, (tiles, channels) times (channels, filters).
//
// With B' = (1 0 -1 0; 0 1 1 0; 0 -1 1 0; 0 1 0 -1), G = (1 0 0; 1/2 1/2 1/2; 1/2 -1/2 1/2; 0 0 1)
// and A' = (1 1 1 0; 0 1 -1 -1) a tile is A' [(G w G') * (B' x B)] A, and the gradient to the taps,
// the same sum differentiated, G' [(A g A') * (B' x B)] G. All numbers are -1, 0, 1 and 1/2:
// rounding errors are about those of a plain sum. A NaN reaches the other pixels of a tile.
//
// A. Lavin, S. Gray, Fast algorithms for convolutional neural networks, CVPR 2016.
#pragma once

#include "geometry.h"
#include "memory.h"
#include "ops.h"
#include "product_tile.h"
#include "sinks.h"
#include "source_rows.h"

namespace striate::STRIATE_ISA {

constexpr int kPositions = 16;
// Floats of the numbers of a block of tiles: they stay in the second cache.
constexpr int64_t kBlockNumbers = int64_t{3} << 15;
// Tiles of a block: whole groups of rows of a product's tile.
inline int64_t tiles_together(int64_t channels, int64_t filters) {
  const int64_t fit = kBlockNumbers / (kPositions * (whole_vectors(channels) + whole_vectors(filters)));
  return most(1, least(8, fit / kTileRows)) * kTileRows;
}

// Floats from one of the 16 numbers to the next, for `count` of them. A cache line more, so that the
// 16 do not meet in the same few lines of the nearest cache.
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

// G w G' of all channels and filters: for each of the 16, panels of filters as a product reads them.
class TileWeights {
 public:
  TileWeights(int64_t kernels, int64_t channels, int64_t filters)
      : channels_(channels),
        filters_(filters),
        panels_((filters + kPanel - 1) / kPanel),
        numbers_(kernels * kPositions * panels_ * channels * kPanel) {}

  int64_t panels() const { return panels_; }
  const float* panel(int64_t kernel, int64_t position, int64_t panel) const {
    return numbers_.data() + ((kernel * kPositions + position) * panels_ + panel) * channels_ * kPanel;
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
      for (int r = 0; r < 3 && filters > 0; ++r) w[r] = load_up_to(from + (3 * r + v) * tap, filters);
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
// A chunk has at least so many tiles: they share what is read of the weights.
constexpr int64_t kLeastTiles = 24;

inline void make_weights(const Workers& workers, int64_t kernels, const Taps& taps, int64_t kernel_size,
                  TileWeights& weights) {
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

inline Split split_tiles(const Workers& workers, const Convolution& op, int64_t tile_rows,
                  int64_t tile_columns) {
  Split split(op.models, op.images, tile_rows, flops(op), workers.threads());
  const int64_t enough = kLeastTiles / most(1, tile_rows * tile_columns);
  if (split.row_chunks == 1 && split.images_together < enough) {
    split.images_together = least(enough, op.images);
    split.image_chunks = (op.images + split.images_together - 1) / split.images_together;
  }
  return split;
}


// Where tiles lie on some rows of images.
struct Tiling {
  int64_t tile_columns;
  int64_t top;  // row of the source that the first row of the result meets first
  int64_t channels, filters, pixel;
  int64_t together;

  // Columns of zeros that the source needs on its right.
  int64_t right(int64_t left, int64_t columns) const {
    return most(0, 2 * tile_columns + 2 - left - columns);
  }
};

// The tiles of a part, in order: those of a row of tiles, of the rows of an image, of the images.
struct TilePlace {
  int64_t image, row, column;

  STRIATE_INLINE void next(const Part& part, const Tiling& tiling) {
    if (++column < tiling.tile_columns) return;
    column = 0;
    if (++row < part.bottom) return;
    row = part.top;
    ++image;
  }
};

// Transform the pixels of `count` tiles from `at` on; start(image) goes to an image.
template <typename Start>
void transform_tiles(const Part& part, const Tiling& tiling, TilePlace at, int64_t count,
                     SourceRows& source, const Start& start, int64_t& started, int64_t first_channel,
                     int64_t channels, float* to) {
  const int64_t stride = whole_vectors(channels);
  const int64_t position = position_size(tiling.together * stride);
  const float* rows[4] = {};
  int64_t row = -1;
  for (int64_t i = 0; i < count; ++i, at.next(part, tiling)) {
    if (at.image != started) {
      start(at.image);
      started = at.image;
      row = -1;
    }
    if (at.row != row) {
      row = at.row;
      for (int r = 0; r < 4; ++r) rows[r] = source.row(2 * row + tiling.top + r);
    }
    const int64_t from = 2 * at.column * tiling.pixel + first_channel;
    for (int64_t c = 0; c < channels; c += kLanes) {
      transform_pixels(rows, from + c, tiling.pixel, channels - c, to + i * stride + c, position);
    }
  }
}

// Transform the gradients of `count` tiles from `at` on, as `transform_tiles` does pixels.
template <typename Start>
void transform_gradients(const Part& part, const Tiling& tiling, TilePlace at, int64_t count,
                         SourceRows& source, const Start& start, int64_t& started,
                         int64_t filters, float* to) {
  const int64_t stride = whole_vectors(filters);
  const int64_t position = position_size(tiling.together * stride);
  const float* rows[2] = {};
  int64_t row = -1;
  for (int64_t i = 0; i < count; ++i, at.next(part, tiling)) {
    if (at.image != started) {
      start(at.image);
      started = at.image;
      row = -1;
    }
    if (at.row != row) {
      row = at.row;
      for (int r = 0; r < 2; ++r) rows[r] = source.row(2 * row + r);
    }
    for (int64_t f = 0; f < filters; f += kLanes) {
      transform_gradient(rows, 2 * at.column * filters + f, filters, filters - f,
                         to + i * stride + f, position);
    }
  }
}

// Numbers of the tiles of a block before and after the products, and `more` floats.
class TileRoom {
 public:
  TileRoom(const Tiling& tiling, int64_t channels, int64_t more = 0)
      : pixels_(kPositions * position_size(tiling.together * whole_vectors(channels))),
        sums_(kPositions * position_size(tiling.together * whole_vectors(tiling.filters))),
        numbers_(pixels_ + sums_ + more) {}

  float* pixels() { return numbers_.data(); }
  float* sums() { return numbers_.data() + pixels_; }
  float* more() { return numbers_.data() + pixels_ + sums_; }

 private:
  const int64_t pixels_, sums_;
  KeptScratch numbers_;
};

// All 16 products of `count` tiles.
inline void multiply_tiles(const Tiling& tiling, const TileWeights& weights, int64_t kernel,
                           int64_t count, TileRoom& room) {
  const int64_t channel_stride = whole_vectors(tiling.channels);
  const int64_t filter_stride = whole_vectors(tiling.filters);
  const int64_t groups = (count + kTileRows - 1) / kTileRows;
  ProductTile tile{};
  tile.left_row = channel_stride;
  tile.right_row = kPanel;
  tile.result_row = filter_stride;
  tile.inner = tiling.channels;
  tile.first = true;
  for (int64_t p = 0; p < kPositions; ++p) {
    const float* left = room.pixels() + p * position_size(tiling.together * channel_stride);
    float* result = room.sums() + p * position_size(tiling.together * filter_stride);
    for (int64_t panel = 0; panel < weights.panels(); ++panel) {
      tile.right = weights.panel(kernel, p, panel);
      tile.columns = least(kPanel, filter_stride - panel * kPanel);
      for (int64_t group = 0; group < groups; ++group) {
        const int64_t first = group * count / groups;
        tile.left = left + first * channel_stride;
        tile.result = result + first * filter_stride + panel * kPanel;
        multiply_tile_of(false, (group + 1) * count / groups - first, tile.columns)(tile);
      }
    }
  }
}

// Correlate all tiles of a part: start(image) goes to an image of the source, and
// finish(image, tile, sums) takes the vectors of a tile.
template <typename Start, typename Finish>
void correlate_tiles(const Part& part, const Tiling& tiling, const TileWeights& weights,
                     int64_t kernel, const float* bias, SourceRows& source, const Start& start,
                     const Finish& finish) {
  TileRoom room(tiling, tiling.channels);
  const int64_t stride = whole_vectors(tiling.filters);
  const int64_t position = position_size(tiling.together * stride);
  int64_t left =
      (part.last - part.first) * (part.bottom - part.top) * tiling.tile_columns;
  int64_t started = -1;
  for (TilePlace at{part.first, part.top, 0}; left > 0;) {
    const int64_t count = least(left, tiling.together);
    transform_tiles(part, tiling, at, count, source, start, started, 0, tiling.channels,
                    room.pixels());
    multiply_tiles(tiling, weights, kernel, count, room);
    for (int64_t i = 0; i < count; ++i, at.next(part, tiling)) {
      for (int64_t f = 0; f < tiling.filters; f += kLanes) {
        Vec sums[2][2][1];
        const Vec start_at = bias == nullptr ? Vec{} : load_up_to(bias + f, tiling.filters - f);
        transform_sums(room.sums() + i * stride + f, position, start_at, sums);
        finish(at.image, Tile{2 * at.row, 2 * at.column, f, tiling.filters - f, 0, 0}, sums);
      }
    }
    left -= count;
  }
}

// Hand what of a tile lies inside the result to a sink that takes single pixels.
template <typename Sink>
STRIATE_INLINE void take_inside(const Sink& sink, const Tile& tile, int64_t rows, int64_t columns,
                                const Vec (&sums)[2][2][1]) {
  if (tile.row + 1 < rows && tile.column + 1 < columns) {
    sink.template take<2, 2, 1>(tile, sums);
    return;
  }
  const Vec upper[1][2][1] = {{{sums[0][0][0]}, {sums[0][1][0]}}};
  if (tile.column + 1 < columns) {
    sink.template take<1, 2, 1>(tile, upper);
    return;
  }
  const Vec first[1][1][1] = {{{sums[0][0][0]}}};
  sink.template take<1, 1, 1>(tile, first);
  if (tile.row + 1 < rows) {
    const Vec second[1][1][1] = {{{sums[1][0][0]}}};
    Tile below = tile;
    ++below.row;
    sink.template take<1, 1, 1>(below, second);
  }
}

}  // namespace striate::STRIATE_ISA
