// Gradient of a convolution to its images by tiles: the transpose of what the forward op does.
//
// A tile of the gradient goes to sixteen pixels of the image, B [(G w G') * (A g A')] B'. Those of
// neighbouring tiles overlap by two rows or columns: they are added up in rows that stay in the
// cache.
#include "tiles.h"
#include "tiling.h"

namespace striate::STRIATE_ISA {
namespace {

// Add B m B' to four rows of pixels, for one vector of channels.
STRIATE_INLINE void add_pixels(const float* from, int64_t position, float* const* rows, int64_t at,
                               int64_t pixel) {
  Vec t[4][4];
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    const Vec a = load(from + c * position), b = load(from + (4 + c) * position);
    const Vec d = load(from + (8 + c) * position), e = load(from + (12 + c) * position);
    t[0][c] = a;
    t[1][c] = b - d + e;
    t[2][c] = b + d - a;
    t[3][c] = Vec{} - e;
  }
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r) {
    float* to = rows[r] + at;
    store(to, load(to) + t[r][0]);
    store(to + pixel, load(to + pixel) + (t[r][1] - t[r][2] + t[r][3]));
    store(to + 2 * pixel, load(to + 2 * pixel) + (t[r][1] + t[r][2] - t[r][0]));
    store(to + 3 * pixel, load(to + 3 * pixel) - t[r][3]);
  }
}

// Rows of pixels to which tiles are added, two pairs of rows at a time: a row of tiles adds to a
// pair and to the one below, which the next row of tiles completes.
class Pairs {
 public:
  Pairs(const Convolution& op, int64_t tile_columns)
      : op_(op),
        pixel_(whole_vectors(op.channels)),
        row_((2 * tile_columns + 2) * pixel_),
        sums_(4 * row_) {}

  int64_t pixel() const { return pixel_; }

  void begin() { memset(sums_.data(), 0, static_cast<size_t>(4 * row_) * sizeof(float)); }

  // The four rows of a row of tiles.
  void rows(int64_t tile_row, float** to) {
    for (int r = 0; r < 4; ++r) to[r] = sums_.data() + (2 * (tile_row % 2) + r) % 4 * row_;
  }

  // Write a pair that is complete to an image, and clear it for the next but one.
  void take(int64_t pair, float* dx) {
    const float* pair_rows = sums_.data() + pair % 2 * 2 * row_;
    for (int64_t r = 0; r < 2; ++r) {
      const int64_t row = 2 * pair + r - op_.pad_top;
      if (row >= 0 && row < op_.rows) {
        write(pair_rows + r * row_, dx + row * op_.columns * op_.channels);
      }
    }
    clear(pair);
  }

  void clear(int64_t pair) {
    memset(sums_.data() + pair % 2 * 2 * row_, 0, static_cast<size_t>(2 * row_) * sizeof(float));
  }

 private:
  void write(const float* from, float* to) const {
    const int64_t reached = most(0, least(op_.columns, row_ / pixel_ - op_.pad_left));
    from += op_.pad_left * pixel_;
    if (pixel_ == op_.channels) {
      memcpy(to, from, static_cast<size_t>(reached * pixel_) * sizeof(float));
    } else {
      for (int64_t column = 0; column < reached; ++column) {
        memcpy(to + column * op_.channels, from + column * pixel_,
               static_cast<size_t>(op_.channels) * sizeof(float));
      }
    }
    memset(to + reached * op_.channels, 0,
           static_cast<size_t>((op_.columns - reached) * op_.channels) * sizeof(float));
  }

  const Convolution& op_;
  const int64_t pixel_, row_;
  Scratch<float> sums_;
};

struct InputTiles {
  const Convolution& op;
  const Fusion* picking;
  PerModel<const float> gradient;
  PerModel<const uint8_t> positions;
  const TileWeights& weights;
  bool shared;  // weights
  Tiling tiling;
  int64_t tile_rows;
  int64_t gradient_image;  // elements
  SourceShape source;
  float* dx;

  void run(const Part& part) const;
};

// Images [first, last) of a model, pairs [top, bottom) of rows.
void InputTiles::run(const Part& part) const {
  SourceRows rows(source, picking);
  const auto start = [&](int64_t image) {
    const int64_t offset = image * gradient_image;
    rows.start(gradient.of(part.model) + offset,
               positions.data == nullptr ? nullptr : positions.of(part.model) + offset);
  };
  // The row of tiles above completes the first pair.
  Part tiles = part;
  tiles.top = most(0, part.top - 1);
  tiles.bottom = most(tiles.top, least(part.bottom, tile_rows));
  Pairs pairs(op, tiling.tile_columns);
  TileRoom room(tiling, op.filters);
  const int64_t stride = pairs.pixel();
  const int64_t position = position_size(tiling.together * stride);
  const auto image_of = [&](int64_t image) {
    return dx + (part.model * op.images + image) * op.rows * op.columns * op.channels;
  };
  const auto finish = [&](int64_t image, int64_t pair) {
    for (; pair < part.bottom; ++pair) pairs.take(pair, image_of(image));
  };
  const int64_t of_image = (tiles.bottom - tiles.top) * tiling.tile_columns;
  if (of_image == 0) {
    pairs.begin();
    for (int64_t image = part.first; image < part.last; ++image) finish(image, part.top);
    return;
  }
  int64_t left = (part.last - part.first) * of_image;
  int64_t started = -1;
  for (TilePlace at{part.first, tiles.top, 0}; left > 0;) {
    const int64_t count = least(left, tiling.together);
    transform_gradients(tiles, tiling, at, count, rows, start, started, op.filters, room.pixels());
    multiply_tiles(tiling, weights, shared ? 0 : part.model, count, room);
    for (int64_t i = 0; i < count; ++i, at.next(tiles, tiling)) {
      if (at.row == tiles.top && at.column == 0) pairs.begin();
      float* to[4];
      pairs.rows(at.row, to);
      for (int64_t c = 0; c < stride; c += kLanes) {
        add_pixels(room.sums() + i * stride + c, position, to, 2 * at.column * stride + c, stride);
      }
      if (at.column + 1 < tiling.tile_columns) continue;
      if (at.row < part.top) {
        pairs.clear(at.row);
      } else {
        pairs.take(at.row, image_of(at.image));
      }
      if (at.row + 1 == tiles.bottom) finish(at.image, at.row + 1);
    }
    left -= count;
  }
}

}  // namespace

bool input_by_tiles(const Workers& workers, const Convolution& op, const Fusion& fusion,
                    PerModel<const float> gradient, PerModel<const uint8_t> positions,
                    PerModel<const float> kernel, float* dx) {
  if (!by_tiles(op)) return false;
  const int64_t kernels = kernel.stride == 0 ? 1 : op.models;
  // Channels and filters in each other's place.
  const int64_t stride = whole_vectors(op.channels);
  const int64_t tap = op.filters * stride;
  TileWeights weights(kernels, op.filters, op.channels);
  {
    Scratch<float> turned(kernels * 9 * tap);
    const bool alone = kernels * 9 * tap < kAloneNumbers;
    const int64_t chunks = alone ? 1 : kernels * 9;
    for_chunks(workers, chunks, [&](int64_t chunk) {
      for (int64_t i = chunk * kernels * 9 / chunks; i < (chunk + 1) * kernels * 9 / chunks; ++i) {
        copy_transposed(kernel.of(i / 9) + i % 9 * op.channels * op.filters, op.filters,
                        op.channels, op.filters, turned.data() + i * tap, stride);
      }
    });
    make_weights(workers, kernels, {turned.data(), tap, stride, op.filters, op.channels}, 9 * tap,
                 weights);
  }
  const bool picks = positions.data != nullptr || fusion.pooling != Pooling::none;
  // Only pixels in a window have a gradient.
  const int64_t window_rows = op.output_rows / fusion.window_rows;
  const int64_t windows = op.output_columns / fusion.window_columns;
  const int64_t rows = window_rows * fusion.window_rows;
  const int64_t columns = windows * fusion.window_columns;
  const Tiling tiling{(columns + 1) / 2, 0, op.filters, op.channels, op.filters,
                      tiles_together(op.filters, op.channels)};
  const int64_t right = 2 * tiling.tile_columns - columns;
  const SourceShape source{rows, columns, op.filters, 0, right, op.filters, 2};
  const InputTiles g{op,
                     picks ? &fusion : nullptr,
                     gradient,
                     positions,
                     weights,
                     kernels == 1,
                     tiling,
                     (rows + 1) / 2,
                     window_rows * windows * op.filters,
                     source,
                     dx};
  const Split split =
      split_tiles(workers, op, (op.rows + op.pad_top + 1) / 2, tiling.tile_columns);
  for_parts(workers, split, [&g](const Part& part) { g.run(part); });
  return true;
}

}  // namespace striate::STRIATE_ISA
