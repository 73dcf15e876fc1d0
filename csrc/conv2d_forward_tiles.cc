// Convolution by tiles, with bias, ReLU and maxima of 2x2.
#include "tiles.h"
#include "tiling.h"

namespace striate::STRIATE_ISA {

bool forward_by_tiles(const Workers& workers, const Convolution& op, const Fusion& fusion,
                      PerModel<const float> x, PerModel<const float> kernel,
                      PerModel<const float> bias, float* y, uint8_t* positions) {
  if (!by_tiles(op) || !by_tiles(fusion)) return false;
  const bool pairs = fusion.pooling == Pooling::max;
  const int64_t kernels = kernel.stride == 0 ? 1 : op.models;
  TileWeights weights(kernels, op.channels, op.filters);
  const int64_t tap = op.channels * op.filters;
  make_weights(workers, kernels, {kernel.data, tap, op.filters, op.channels, op.filters}, 9 * tap,
               weights);
  // Of a pooling, only whole windows.
  const int64_t result_rows = op.output_rows / fusion.window_rows;
  const int64_t result_columns = op.output_columns / fusion.window_columns;
  const int64_t tile_rows = pairs ? result_rows : (result_rows + 1) / 2;
  const Tiling tiling{pairs ? result_columns : (result_columns + 1) / 2,
                      -op.pad_top,
                      op.channels,
                      op.filters,
                      op.channels,
                      tiles_together(op.channels, op.filters)};
  const SourceShape shape{op.rows,     op.columns, op.channels, op.pad_left,
                          tiling.right(op.pad_left, op.columns), op.channels, 4};
  const int64_t row = result_columns * op.filters;
  const Split split = split_tiles(workers, op, tile_rows, tiling.tile_columns);
  for_parts(workers, split, [&](const Part& part) {
    SourceRows source(shape, nullptr);
    const float* images = x.of(part.model);
    const auto start = [&](int64_t image) {
      source.start(images + image * op.rows * op.columns * op.channels, nullptr);
    };
    const auto finish = [&](int64_t image, const Tile& tile, const Vec(&sums)[2][2][1])
        __attribute__((always_inline)) {
      const int64_t at = (part.model * op.images + image) * result_rows * row;
      const Target target{y + at, positions == nullptr ? nullptr : positions + at, row, op.filters,
                          0};
      if (pairs) {
        MaxSink(target, fusion.relu).template take<2, 2, 1>(tile, sums);
      } else {
        take_inside(StoreSink(target, fusion.relu), tile, result_rows, result_columns, sums);
      }
    };
    correlate_tiles(part, tiling, weights, kernels == 1 ? 0 : part.model, bias.of(part.model),
                    source, start, finish);
  });
  return true;
}

}  // namespace striate::STRIATE_ISA
