// Gradient of a convolution to its kernel and bias.
//
// The images are cut into parts that depend on the shape alone; each part has its own sums, and
// these are added in order: the same bits with any number of threads.
#include "dense.h"
#include "ops.h"
#include "part_sums.h"
#include "selected.h"
#include "source_rows.h"
#include "tiles.h"

namespace striate::STRIATE_ISA {
namespace {

// Pixels of a block: enough to pay for loading and storing the sums, few enough for the cache.
constexpr int64_t kBlockPixels = 96;
// Each part of the images has sums of its own, which are to be cleared, written and added up: it
// needs many operations for each of them. Where this makes too few parts, each is cut again, by rows
// of taps.
constexpr int64_t kFlopsPerSum = 256;

struct KernelGradient {
  const Convolution& op;
  const Fusion* picking;
  PerModel<const float> x, gradient;
  PerModel<const uint8_t> positions;
  bool with_bias;
  const Run* runs;
  int64_t run_count;
  SourceShape image_source, gradient_source;
  int64_t gradient_image;       // elements
  int64_t rows, pixels;         // of the gradient that can differ from zero
  int64_t block_rows;           // of a block
  int64_t block_images;         // more than one if a block has all rows of an image
  int64_t stride, sums_size;    // floats of a row of sums, and of all sums of a part
  int64_t parts, cuts;          // of the images of a model, and of the tap rows of a part
  float* sums;
  int64_t selected;  // floats that a table serves, 0 where no maximum is to be selected from one
  IntVec index;

  int64_t chunks() const { return op.models * parts * cuts; }
  // Floats between the sums of two tap rows.
  int64_t tap_row() const { return op.kernel_columns * op.channels * stride; }

  void run(int64_t chunk) const;

 private:
  // Some images of a model, some tap rows.
  struct Chunk {
    int64_t model;
    int64_t first, last;
    int64_t tap, taps;
    float* sums;  // of the first tap row
    float* bias;  // null if another chunk adds it up
  };

  // The row of the image that a row of the gradient meets at a tap row.
  int64_t met(int64_t row, int64_t tap) const {
    return row * op.stride_rows + tap * op.dilation_rows - op.pad_top;
  }

  void sum_dense(const Chunk& chunk) const;
  void sum_selected(const Chunk& chunk) const;
};

void KernelGradient::run(int64_t chunk) const {
  const int64_t cut = chunk % cuts, part = chunk / cuts % parts;
  const int64_t tap = cut * op.kernel_rows / cuts;
  const int64_t taps = (cut + 1) * op.kernel_rows / cuts - tap;
  float* total = sums + chunk / cuts * sums_size;
  const Chunk of{chunk / cuts / parts,
                 part * op.images / parts,
                 (part + 1) * op.images / parts,
                 tap,
                 taps,
                 total + tap * tap_row(),
                 with_bias && cut == 0 ? total + op.kernel_rows * tap_row() : nullptr};
  memset(of.sums, 0, static_cast<size_t>(taps * tap_row()) * sizeof(float));
  if (of.bias != nullptr) memset(of.bias, 0, static_cast<size_t>(stride) * sizeof(float));
  if (selected > 0) {
    sum_selected(of);
  } else {
    sum_dense(of);
  }
}

void KernelGradient::sum_selected(const Chunk& chunk) const {
  const int64_t high = picking->window_rows, wide = picking->window_columns;
  const int64_t windows = pixels / wide;
  const int64_t most_rows = block_rows / high;
  SourceRows images(image_source, nullptr);
  Scratch<const float*> image_rows(most_rows * chunk.taps * high);
  const int64_t spread = (wide - 1) * op.stride_columns * op.channels;
  for (int64_t image = chunk.first; image < chunk.last; ++image) {
    images.start(x.of(chunk.model) + image * op.rows * op.columns * op.channels, nullptr);
    for (int64_t top = 0; top < rows / high; top += most_rows) {
      const int64_t count = least(most_rows, rows / high - top);
      int64_t n = 0;
      for (int64_t row = top; row < top + count; ++row) {
        for (int64_t u = chunk.tap; u < chunk.tap + chunk.taps; ++u) {
          for (int64_t i = 0; i < high; ++i) image_rows[n++] = images.row(met(row * high + i, u));
        }
      }
      const int64_t at = image * gradient_image + top * windows * op.filters;
      const WindowBlock block{gradient.of(chunk.model) + at,
                              positions.of(chunk.model) + at,
                              image_rows.data(),
                              count,
                              windows,
                              chunk.taps,
                              op.filters,
                              wide * op.stride_columns * op.channels,
                              index,
                              row_tables(op, *picking)};
      for (int64_t filter = 0; filter < op.filters; filter += kTileFilters) {
        for (int64_t run = 0; run < run_count; ++run) {
          select_run(block, runs[run], selected, spread, filter,
                     {chunk.sums, tap_row(), stride, run == 0 ? chunk.bias : nullptr});
        }
      }
    }
  }
}

void KernelGradient::sum_dense(const Chunk& chunk) const {
  SourceRows images(image_source, nullptr);
  SourceRows gradients(gradient_source, picking);
  Scratch<const float*> gradient_rows(block_rows * block_images);
  Scratch<const float*> image_rows(block_rows * block_images * chunk.taps);
  for (int64_t image = chunk.first; image < chunk.last; image += block_images) {
    const int64_t together = least(block_images, chunk.last - image);
    images.start(x.of(chunk.model) + image * op.rows * op.columns * op.channels, nullptr);
    const int64_t at = image * gradient_image;
    gradients.start(gradient.of(chunk.model) + at,
                    positions.data == nullptr ? nullptr : positions.of(chunk.model) + at);
    for (int64_t top = 0; top < rows; top += block_rows) {
      int64_t count = 0, met_rows = 0;
      for (int64_t i = 0; i < together; ++i) {
        for (int64_t row = top; row < least(rows, top + block_rows); ++row) {
          gradient_rows[count++] = gradients.row(row, i);
          for (int64_t u = chunk.tap; u < chunk.tap + chunk.taps; ++u) {
            image_rows[met_rows++] = images.row(met(row, u), i);
          }
        }
      }
      const Block block{gradient_rows.data(), image_rows.data(), chunk.taps, count, pixels,
                        stride,               op.stride_columns * op.channels};
      for (int64_t filter = 0; filter < op.filters; filter += kTileFilters) {
        for (int64_t n = 0; n < run_count; ++n) {
          if (op.filters - filter > kLanes) {
            sum_run<2>(block, runs[n], filter, chunk.sums, tap_row(), stride);
          } else {
            sum_run<1>(block, runs[n], filter, chunk.sums, tap_row(), stride);
          }
        }
      }
      if (chunk.bias != nullptr) sum_bias(block, op.filters, chunk.bias);
    }
  }
}

}  // namespace

void conv2d_kernel(const Workers& workers, const Convolution& op, const Fusion& fusion,
                   PerModel<const float> x, PerModel<const float> gradient,
                   PerModel<const uint8_t> positions, float* dkernel, float* dbias) {
  if (op.images == 0) {
    const int64_t rows = op.models * op.kernel_rows * op.kernel_columns * op.channels;
    memset(dkernel, 0, static_cast<size_t>(rows * op.filters) * sizeof(float));
    if (dbias != nullptr) {
      memset(dbias, 0, static_cast<size_t>(op.models * op.filters) * sizeof(float));
    }
    return;
  }
  if (kernel_by_tiles(workers, op, fusion, x, gradient, positions, dkernel, dbias)) return;
  const bool picks = positions.data != nullptr || fusion.pooling != Pooling::none;
  const int64_t window_rows = op.output_rows / fusion.window_rows;
  const int64_t windows = op.output_columns / fusion.window_columns;
  const int64_t rows = window_rows * fusion.window_rows;
  const int64_t pixels = windows * fusion.window_columns;
  // A gradient without positions is one of pixels, or of averages.
  const int64_t selected = positions.data == nullptr ? 0 : selected_floats(op, fusion);
  const int64_t block_pixels = selected > 0 ? kBlockPixels * 8 : kBlockPixels;
  const int64_t row_unit = selected > 0 ? fusion.window_rows : 1;
  const int64_t block_rows = most(
      row_unit, least(rows, (block_pixels + pixels - 1) / most(1, pixels) / row_unit * row_unit));
  const int64_t stride = whole_vectors(op.filters);
  const int64_t reach =
      (op.output_columns - 1) * op.stride_columns + (op.kernel_columns - 1) * op.dilation_columns;
  const int64_t spanned =
      (block_rows - 1) * op.stride_rows + (op.kernel_rows - 1) * op.dilation_rows + 1;
  Scratch<Run> runs(op.kernel_columns);
  const int64_t run_count = tap_runs(op, runs.data());
  const int64_t kernel_size = op.kernel_rows * op.kernel_columns * op.channels;
  const int64_t sums_size = (kernel_size + 1) * stride;
  const int64_t worth = flops(op) / (op.models * sums_size * kFlopsPerSum);
  const int64_t parts = parts_of(op, sums_size, worth);
  const int64_t cuts = selected > 0 ? 1 : least(op.kernel_rows, kMostParts / parts);
  Scratch<float> sums(op.models * parts * sums_size);
  const int64_t images_of_part = (op.images + parts - 1) / parts;
  const int64_t blocks = (images_of_part * rows * pixels + kBlockPixels - 1) / kBlockPixels;
  const int64_t block_images =
      selected > 0 || block_rows < rows ? 1 : (images_of_part + blocks - 1) / most(1, blocks);
  const KernelGradient g{op,
                         picks ? &fusion : nullptr,
                         x,
                         gradient,
                         positions,
                         dbias != nullptr,
                         runs.data(),
                         run_count,
                         {op.rows, op.columns, op.channels, op.pad_left,
                          most(0, reach + 1 - op.pad_left - op.columns), op.channels,
                          block_images > 1 ? block_images * op.rows : spanned},
                         {rows, pixels, op.filters, 0, 0, stride, block_rows * block_images},
                         window_rows * windows * op.filters,
                         rows,
                         pixels,
                         block_rows,
                         block_images,
                         stride,
                         sums_size,
                         parts,
                         cuts,
                         sums.data(),
                         selected,
                         selected > 0 ? selected_index(op, fusion) : IntVec{}};
  // Few operations are done sooner than another thread comes.
  const int64_t all = g.chunks();
  const int64_t runs_of_chunks = flops(op) < kAloneFlops ? 1 : all;
  for_chunks(workers, runs_of_chunks, [&](int64_t run) {
    for (int64_t chunk = run * all / runs_of_chunks; chunk < (run + 1) * all / runs_of_chunks;
         ++chunk) {
      g.run(chunk);
    }
  });
  PartSums{sums.data(), op.models, parts, kernel_size, stride, op.filters}.add_all(workers, dkernel,
                                                                                  dbias);
}

}  // namespace striate::STRIATE_ISA
