// Gradient of a convolution to its kernel and bias.
//
// A tile of (taps x channels) times vectors of filters stays in registers while it sums over the
// pixels of a block of rows. The images are cut into chunks that depend on the shape alone; each
// chunk has its own sums, and these are added in order: the same bits with any number of threads.
#include "ops.h"
#include "selected.h"
#include "source_rows.h"

namespace striate::STRIATE_ISA {
namespace {

// Pixels of a block: enough to pay for loading and storing the sums, few enough for the cache.
constexpr int64_t kBlockPixels = 96;
constexpr int64_t kMostChunks = 16;
// Sums of all chunks together stay below this unless one model's alone are larger.
constexpr int64_t kSumsBytes = int64_t{1} << 21;

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
  for (int64_t first = 0; first < block.tap_rows; first += together) {
    const int64_t tap_rows = least(together, block.tap_rows - first);
    for (int64_t tile = 0; tile < tiles; ++tile) {
      const int64_t begin = tile * run.length / tiles;
      const int64_t end = (tile + 1) * run.length / tiles;
      float* to = sums + first * tap_row + (run.weights + begin) * stride + filter;
      sum_tile_of<kVectors>(tap_rows, end - begin)(block, first, run.start + begin, filter, to,
                                                   tap_row, stride);
    }
  }
}

// Add the pixels of one block to the sums of the bias, in four chains: an addition takes as long as
// four of them can be begun.
void sum_bias(const Block& block, int64_t filters, float* sums) {
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
  int64_t stride, sums_size;    // floats of a row of sums, and of all sums of a chunk
  int64_t chunks;               // of the images of a model
  float* sums;
  int64_t selected;  // floats that a table serves, 0 where no maximum is to be selected from one
  IntVec index;

  // Floats between the sums of two tap rows.
  int64_t tap_row() const { return op.kernel_columns * op.channels * stride; }

  void run(int64_t chunk) const;
  void sum_dense(int64_t model, int64_t first, int64_t last, float* total) const;
  void sum_selected(int64_t model, int64_t first, int64_t last, float* total) const;
};

void KernelGradient::run(int64_t chunk) const {
  const int64_t model = chunk / chunks;
  const int64_t first = chunk % chunks * op.images / chunks;
  const int64_t last = (chunk % chunks + 1) * op.images / chunks;
  float* total = sums + chunk * sums_size;
  memset(total, 0, static_cast<size_t>(sums_size) * sizeof(float));
  if (selected > 0) {
    sum_selected(model, first, last, total);
  } else {
    sum_dense(model, first, last, total);
  }
}

void KernelGradient::sum_selected(int64_t model, int64_t first, int64_t last, float* total) const {
  const int64_t high = picking->window_rows, wide = picking->window_columns;
  const int64_t windows = pixels / wide;
  const int64_t most_rows = block_rows / high;
  SourceRows images(image_source, nullptr);
  Scratch<const float*> image_rows(most_rows * op.kernel_rows * high);
  const int64_t spread = (wide - 1) * op.stride_columns * op.channels;
  for (int64_t image = first; image < last; ++image) {
    images.start(x.of(model) + image * op.rows * op.columns * op.channels, nullptr);
    for (int64_t top = 0; top < rows / high; top += most_rows) {
      const int64_t count = least(most_rows, rows / high - top);
      int64_t n = 0;
      for (int64_t row = top; row < top + count; ++row) {
        for (int64_t u = 0; u < op.kernel_rows; ++u) {
          for (int64_t i = 0; i < high; ++i) {
            image_rows[n++] = images.row((row * high + i) * op.stride_rows +
                                         u * op.dilation_rows - op.pad_top);
          }
        }
      }
      const int64_t at = image * gradient_image + top * windows * op.filters;
      const WindowBlock block{gradient.of(model) + at,
                              positions.of(model) + at,
                              image_rows.data(),
                              count,
                              windows,
                              op.kernel_rows,
                              op.filters,
                              wide * op.stride_columns * op.channels,
                              index};
      for (int64_t filter = 0; filter < op.filters; filter += kTileFilters) {
        for (int64_t run = 0; run < run_count; ++run) {
          select_run(block, runs[run], selected, spread, filter,
                     {total, tap_row(), stride,
                      with_bias && run == 0 ? total + op.kernel_rows * tap_row() : nullptr});
        }
      }
    }
  }
}

void KernelGradient::sum_dense(int64_t model, int64_t first, int64_t last, float* total) const {
  SourceRows images(image_source, nullptr);
  SourceRows gradients(gradient_source, picking);
  Scratch<const float*> gradient_rows(block_rows);
  Scratch<const float*> image_rows(block_rows * op.kernel_rows);
  for (int64_t image = first; image < last; ++image) {
    images.start(x.of(model) + image * op.rows * op.columns * op.channels, nullptr);
    gradients.start(gradient.of(model) + image * gradient_image,
                    positions.data == nullptr ? nullptr
                                              : positions.of(model) + image * gradient_image);
    for (int64_t top = 0; top < rows; top += block_rows) {
      const int64_t count = least(block_rows, rows - top);
      for (int64_t row = 0; row < count; ++row) {
        gradient_rows[row] = gradients.row(top + row);
        for (int64_t u = 0; u < op.kernel_rows; ++u) {
          image_rows[row * op.kernel_rows + u] =
              images.row((top + row) * op.stride_rows + u * op.dilation_rows - op.pad_top);
        }
      }
      const Block block{gradient_rows.data(), image_rows.data(), op.kernel_rows, count, pixels,
                        stride,               op.stride_columns * op.channels};
      for (int64_t filter = 0; filter < op.filters; filter += kTileFilters) {
        for (int64_t n = 0; n < run_count; ++n) {
          if (op.filters - filter > kLanes) {
            sum_run<2>(block, runs[n], filter, total, tap_row(), stride);
          } else {
            sum_run<1>(block, runs[n], filter, total, tap_row(), stride);
          }
        }
      }
      if (with_bias) sum_bias(block, op.filters, total + op.kernel_rows * tap_row());
    }
  }
}

// Add the sums of all chunks of a model, rows [first, last) of `filters` floats each, in order.
void reduce(const KernelGradient& g, int64_t model, int64_t first, int64_t last, float* to) {
  const float* sums = g.sums + model * g.chunks * g.sums_size;
  for (int64_t row = first; row < last; ++row) {
    for (int64_t f = 0; f < g.op.filters; f += kLanes) {
      Vec total = load(sums + row * g.stride + f);
      for (int64_t chunk = 1; chunk < g.chunks; ++chunk) {
        total += load(sums + chunk * g.sums_size + row * g.stride + f);
      }
      store_up_to(to + (row - first) * g.op.filters + f, total, g.op.filters - f);
    }
  }
}

}  // namespace

void conv2d_kernel(const Workers& workers, const Convolution& op, const Fusion& fusion,
                   PerModel<const float> x, PerModel<const float> gradient,
                   PerModel<const uint8_t> positions, float* dkernel, float* dbias) {
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
  const int64_t affordable = kSumsBytes / (4 * sums_size * op.models);
  const int64_t chunks = most(1, least(least(kMostChunks, op.images), affordable));
  Scratch<float> sums(op.models * chunks * sums_size);
  const KernelGradient g{op,
                         picks ? &fusion : nullptr,
                         x,
                         gradient,
                         positions,
                         dbias != nullptr,
                         runs.data(),
                         run_count,
                         {op.rows, op.columns, op.channels, op.pad_left,
                          most(0, reach + 1 - op.pad_left - op.columns), op.channels, spanned},
                         {op.output_rows, op.output_columns, op.filters, 0, 0, stride, block_rows},
                         window_rows * windows * op.filters,
                         rows,
                         pixels,
                         block_rows,
                         stride,
                         sums_size,
                         chunks,
                         sums.data(),
                         selected,
                         selected > 0 ? selected_index(op, fusion) : IntVec{}};
  // Few operations are done sooner than another thread comes.
  const int64_t all = op.models * chunks;
  const int64_t parts = flops(op) < kAloneFlops ? 1 : all;
  for_chunks(workers, parts, [&](int64_t part) {
    for (int64_t chunk = part * all / parts; chunk < (part + 1) * all / parts; ++chunk) {
      g.run(chunk);
    }
  });
  const bool large = op.models * kernel_size * chunks * stride >= kAloneFlops / 8;
  const int64_t cuts = large ? most(1, least(kernel_size, workers.threads())) : 1;
  for_chunks(workers, large ? op.models * cuts : 1, [&](int64_t part) {
    for (int64_t model = large ? part / cuts : 0; model < (large ? part / cuts + 1 : op.models);
         ++model) {
      const int64_t cut = part % cuts;
      const int64_t first = cut * kernel_size / cuts, last = (cut + 1) * kernel_size / cuts;
      reduce(g, model, first, last, dkernel + (model * kernel_size + first) * op.filters);
      if (dbias != nullptr && cut == 0) {
        reduce(g, model, kernel_size, kernel_size + 1, dbias + model * op.filters);
      }
    }
  });
}

}  // namespace striate::STRIATE_ISA
