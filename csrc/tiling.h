// Convolution by the tiles of winograd.h: in which order they are taken, and what is done with a
// block of them.
#pragma once

#include "memory.h"
#include "ops.h"
#include "sinks.h"
#include "source_rows.h"
#include "winograd.h"

namespace striate::STRIATE_ISA {

// Floats of the numbers of a block of tiles: they stay in the second cache.
constexpr int64_t kBlockNumbers = int64_t{3} << 15;

// Tiles of a block: whole groups of rows of a product's tile.
inline int64_t tiles_together(int64_t channels, int64_t filters) {
  const int64_t of_tile = kPositions * (whole_vectors(channels) + whole_vectors(filters));
  const int64_t fit = kBlockNumbers / of_tile;
  return most(1, least(8, fit / kTileRows)) * kTileRows;
}

// A chunk has at least so many tiles: they share what is read of the weights.
constexpr int64_t kLeastTiles = 24;

// Cut into parts of images and of rows of tiles, or of pairs of rows of the result.
inline Split split_tiles(const Workers& workers, const Convolution& op, int64_t rows,
                         int64_t tile_columns) {
  Split split(op.models, op.images, rows, flops(op), workers.threads());
  const int64_t enough = kLeastTiles / most(1, rows * tile_columns);
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

// Call transform(i, rows, column) for `count` tiles from `at` on, with `kRows` rows of the source
// from `top` + 2 * the tile's row on, and its first column; start(image) goes to an image, of which
// `started` is the latest. Returns the place behind them.
template <int kRows, typename Start, typename Transform>
STRIATE_INLINE TilePlace for_tiles(const Part& part, const Tiling& tiling, TilePlace at,
                                   int64_t count, SourceRows& source, int64_t top,
                                   const Start& start, int64_t& started,
                                   const Transform& transform) {
  const float* rows[kRows] = {};
  int64_t row = -1;
  for (int64_t i = 0; i < count; ++i, at.next(part, tiling)) {
    if (at.image != started) {
      start(at.image);
      started = at.image;
      row = -1;
    }
    if (at.row != row) {
      row = at.row;
      for (int r = 0; r < kRows; ++r) rows[r] = source.row(2 * row + top + r);
    }
    transform(i, rows, 2 * at.column);
  }
  return at;
}

// Transform the pixels of `count` tiles.
template <typename Start>
TilePlace transform_tiles(const Part& part, const Tiling& tiling, TilePlace at, int64_t count,
                          SourceRows& source, const Start& start, int64_t& started,
                          int64_t first_channel, int64_t channels, float* to) {
  const int64_t stride = whole_vectors(channels);
  const int64_t position = position_size(tiling.together * stride);
  const auto transform = [&](int64_t i, const float* const* rows, int64_t column)
      __attribute__((always_inline)) {
    const int64_t from = column * tiling.pixel + first_channel;
    for (int64_t c = 0; c < channels; c += kLanes) {
      transform_pixels(rows, from + c, tiling.pixel, channels - c, to + i * stride + c, position);
    }
  };
  return for_tiles<4>(part, tiling, at, count, source, tiling.top, start, started, transform);
}

// Transform the gradients of `count` tiles.
template <typename Start>
TilePlace transform_gradients(const Part& part, const Tiling& tiling, TilePlace at, int64_t count,
                              SourceRows& source, const Start& start, int64_t& started,
                              int64_t filters, float* to) {
  const int64_t stride = whole_vectors(filters);
  const int64_t position = position_size(tiling.together * stride);
  const auto transform = [&](int64_t i, const float* const* rows, int64_t column)
      __attribute__((always_inline)) {
    for (int64_t f = 0; f < filters; f += kLanes) {
      transform_gradient(rows, column * filters + f, filters, filters - f, to + i * stride + f,
                         position);
    }
  };
  return for_tiles<2>(part, tiling, at, count, source, 0, start, started, transform);
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
