// Gradient of a convolution to its kernel and bias by tiles.
//
// As in conv2d_kernel.cc the images are cut into parts by sizes alone, each with sums of its own
// that are added in order.
#include "part_sums.h"
#include "tiles.h"
#include "tiling.h"

namespace striate::STRIATE_ISA {
namespace {

// A part needs so many tiles to pay for its sums.
constexpr int64_t kTilesOfPart = 64;
// Few parts are cut again, by channels.
constexpr int64_t kChunks = 8;

// The index of the number that is the sum of a tile's gradient.
constexpr int64_t kSumOfTile = 5;

// G' s G: the gradient to nine taps, for one vector of filters.
STRIATE_INLINE void transform_to_taps(const float* from, int64_t position, float* to, int64_t tap) {
  const auto combine = [](Vec a, Vec b, Vec c, Vec d, Vec(&sums)[3])
      __attribute__((always_inline)) {
    const Vec inner = 0.5f * (b + c);
    sums[0] = a + inner;
    sums[1] = 0.5f * (b - c);
    sums[2] = inner + d;
  };
  Vec t[4][3], w[3];
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    combine(load(from + c * position), load(from + (4 + c) * position),
            load(from + (8 + c) * position), load(from + (12 + c) * position), t[c]);
  }
#pragma GCC unroll 3
  for (int r = 0; r < 3; ++r) {
    combine(t[0][r], t[1][r], t[2][r], t[3][r], w);
#pragma GCC unroll 3
    for (int c = 0; c < 3; ++c) store(to + (3 * r + c) * tap, w[c]);
  }
}

struct TileGradient {
  const Convolution& op;
  const Fusion* picking;
  PerModel<const float> x, gradient;
  PerModel<const uint8_t> positions;
  bool with_bias;
  Tiling tiling;
  int64_t tile_rows;
  int64_t gradient_image;  // elements
  SourceShape image_source, gradient_source;
  int64_t stride, sums_size;  // floats of a row of sums, and of all sums of a part
  int64_t parts, cuts;        // of the images of a model, and of the channels of a part
  float* sums;

  void run(int64_t chunk) const;
};

// Add the products of `count` tiles to the 16 sums of some channels.
void add_products(const Tiling& tiling, int64_t channels, int64_t count, const float* pixels,
                  const float* gradients, float* sums) {
  const int64_t channel_stride = whole_vectors(channels);
  const int64_t filter_stride = whole_vectors(tiling.filters);
  const int64_t groups = (channels + kTileRows - 1) / kTileRows;
  ProductTile tile{};
  tile.left_row = 1;
  tile.left_step = channel_stride;
  tile.right_row = filter_stride;
  tile.result_row = filter_stride;
  tile.inner = count;
  tile.first = false;
  for (int64_t p = 0; p < kPositions; ++p) {
    const float* left = pixels + p * position_size(tiling.together * channel_stride);
    const float* right = gradients + p * position_size(tiling.together * filter_stride);
    float* result = sums + p * position_size(channels * filter_stride);
    for (int64_t panel = 0; panel < filter_stride; panel += kPanel) {
      tile.right = right + panel;
      tile.columns = least(kPanel, filter_stride - panel);
      for (int64_t group = 0; group < groups; ++group) {
        const int64_t first = group * channels / groups;
        tile.left = left + first;
        tile.result = result + first * filter_stride + panel;
        multiply_tile_of(true, (group + 1) * channels / groups - first, tile.columns)(tile);
      }
    }
  }
}

void TileGradient::run(int64_t chunk) const {
  const int64_t cut = chunk % cuts, part = chunk / cuts % parts, model = chunk / cuts / parts;
  const int64_t vectors = whole_vectors(op.channels) / kLanes;
  const int64_t first = least(op.channels, cut * vectors / cuts * kLanes);
  const int64_t channels = least(op.channels, (cut + 1) * vectors / cuts * kLanes) - first;
  const Part of{model, part * op.images / parts, (part + 1) * op.images / parts, 0, tile_rows};
  const int64_t sums_position = position_size(channels * stride);
  TileRoom room(tiling, channels, kPositions * sums_position);
  float* products = room.more();
  memset(products, 0, static_cast<size_t>(kPositions * sums_position) * sizeof(float));
  SourceRows images(image_source, nullptr);
  SourceRows gradients(gradient_source, picking);
  float* to = sums + (model * parts + part) * sums_size;
  float* bias = with_bias && cut == 0 ? to + 9 * op.channels * stride : nullptr;
  if (bias != nullptr) memset(bias, 0, static_cast<size_t>(stride) * sizeof(float));
  const auto start = [&](int64_t image) {
    images.start(x.of(model) + image * op.rows * op.columns * op.channels, nullptr);
  };
  const auto start_gradient = [&](int64_t image) {
    const int64_t offset = image * gradient_image;
    gradients.start(gradient.of(model) + offset,
                    positions.data == nullptr ? nullptr : positions.of(model) + offset);
  };
  const int64_t position = position_size(tiling.together * stride);
  int64_t left = (of.last - of.first) * tile_rows * tiling.tile_columns;
  int64_t started = -1, gradient_started = -1;
  for (TilePlace at{of.first, 0, 0}; left > 0;) {
    const int64_t count = least(left, tiling.together);
    transform_tiles(of, tiling, at, count, images, start, started, first, channels, room.pixels());
    at = transform_gradients(of, tiling, at, count, gradients, start_gradient, gradient_started,
                             op.filters, room.sums());
    add_products(tiling, channels, count, room.pixels(), room.sums(), products);
    for (int64_t f = 0; bias != nullptr && f < stride; f += kLanes) {
      Vec total = load(bias + f);
      const float* from = room.sums() + kSumOfTile * position + f;
      for (int64_t i = 0; i < count; ++i) total += load(from + i * stride);
      store(bias + f, total);
    }
    left -= count;
  }
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t f = 0; f < stride; f += kLanes) {
      transform_to_taps(products + c * stride + f, sums_position,
                        to + (first + c) * stride + f, op.channels * stride);
    }
  }
}

}  // namespace

bool kernel_by_tiles(const Workers& workers, const Convolution& op, const Fusion& fusion,
                     PerModel<const float> x, PerModel<const float> gradient,
                     PerModel<const uint8_t> positions, float* dkernel, float* dbias) {
  if (!by_tiles(op)) return false;
  const bool picks = positions.data != nullptr || fusion.pooling != Pooling::none;
  const int64_t window_rows = op.output_rows / fusion.window_rows;
  const int64_t windows = op.output_columns / fusion.window_columns;
  // Of the gradient that can differ from zero.
  const int64_t rows = window_rows * fusion.window_rows;
  const int64_t columns = windows * fusion.window_columns;
  const int64_t tile_rows = (rows + 1) / 2;
  const Tiling tiling{(columns + 1) / 2, -op.pad_top, op.channels, op.filters, op.channels,
                      tiles_together(op.channels, op.filters)};
  const int64_t stride = whole_vectors(op.filters);
  const int64_t sums_size = (9 * op.channels + 1) * stride;
  const int64_t tiles = op.images * tile_rows * tiling.tile_columns;
  const int64_t parts = parts_of(op, sums_size, tiles / kTilesOfPart);
  const int64_t cuts =
      least(whole_vectors(op.channels) / kLanes, most(1, kChunks / (parts * op.models)));
  Scratch<float> sums(op.models * parts * sums_size);
  const TileGradient g{
      op,
      picks ? &fusion : nullptr,
      x,
      gradient,
      positions,
      dbias != nullptr,
      tiling,
      tile_rows,
      window_rows * windows * op.filters,
      {op.rows, op.columns, op.channels, op.pad_left, tiling.right(op.pad_left, op.columns),
       op.channels, 4},
      {rows, columns, op.filters, 0, 2 * tiling.tile_columns - columns, op.filters, 2},
      stride,
      sums_size,
      parts,
      cuts,
      sums.data()};
  const int64_t all = op.models * parts * cuts;
  const int64_t chunks = flops(op) < kAloneFlops ? 1 : all;
  for_chunks(workers, chunks, [&](int64_t chunk) {
    for (int64_t i = chunk * all / chunks; i < (chunk + 1) * all / chunks; ++i) g.run(i);
  });
  PartSums{sums.data(), op.models, parts, 9 * op.channels, stride, op.filters}.add_all(
      workers, dkernel, dbias);
  return true;
}

}  // namespace striate::STRIATE_ISA
