// Gradient of a convolution to its images: a correlation of the gradient with the mirrored kernel.
//
// With stride s the rows r of the images that have the same remainder r mod s (a phase) meet the
// same taps, at a distance of one row of the gradient: each phase is a correlation with stride 1,
// and no zeros are inserted. Likewise for columns.
#include "correlate.h"
#include "folded.h"
#include "ops.h"
#include "sinks.h"
#include "tiles.h"

namespace striate::STRIATE_ISA {
namespace {

struct Tap {
  int64_t offset;  // source row (or column) minus the phase's own
  int64_t index;   // in the kernel
};

// The taps of one axis by phase, in each phase by rising offset.
class AxisTaps {
 public:
  AxisTaps(int64_t taps, int64_t stride, int64_t padding, int64_t dilation, int64_t pixels)
      : stride_(stride), pixels_(pixels), taps_(taps), starts_(stride + 1) {
    int64_t count = 0;
    for (int64_t phase = 0; phase < stride; ++phase) {
      starts_[phase] = count;
      for (int64_t tap = taps - 1; tap >= 0; --tap) {
        const int64_t distance = phase + padding - tap * dilation;
        if (distance % stride != 0) continue;
        taps_[count++] = {distance / stride, tap};
        lowest = least(lowest, distance / stride);
        highest = most(highest, distance / stride + this->pixels(phase) - 1);
      }
    }
    starts_[stride] = count;
  }

  int64_t phases() const { return stride_; }
  int64_t pixels(int64_t phase) const { return most(0, (pixels_ - phase + stride_ - 1) / stride_); }
  int64_t count(int64_t phase) const { return starts_[phase + 1] - starts_[phase]; }
  const Tap* taps(int64_t phase) const { return taps_.data() + starts_[phase]; }
  // Rows of the source between the first and the last tap of any phase.
  int64_t span() const {
    int64_t span = 0;
    for (int64_t phase = 0; phase < stride_; ++phase) {
      if (count(phase) == 0) continue;
      span = most(span, taps(phase)[count(phase) - 1].offset - taps(phase)[0].offset);
    }
    return span;
  }

  int64_t lowest = 0, highest = 0;  // source pixels that are met

 private:
  const int64_t stride_, pixels_;
  Scratch<Tap> taps_;
  Scratch<int64_t> starts_;
};

// Write to[f][c] = from[c][f] for one tap, c filled up with zeros to whole vectors.
void transpose_tap(const float* from, int64_t channels, int64_t filters, float* to) {
  const int64_t stride = whole_vectors(channels);
  constexpr int64_t kBlock = 16;
  for (int64_t f0 = 0; f0 < filters; f0 += kBlock) {
    const int64_t f1 = least(filters, f0 + kBlock);
    for (int64_t c0 = 0; c0 < stride; c0 += kBlock) {
      const int64_t c1 = least(stride, c0 + kBlock);
      for (int64_t f = f0; f < f1; ++f) {
        for (int64_t c = c0; c < c1; ++c) {
          to[f * stride + c] = c < channels ? from[c * filters + f] : 0.0f;
        }
      }
    }
  }
}

// Write the filters of each channel for one tap, filled up with zeros, `channel` floats apart.
void widen(const float* from, int64_t channels, int64_t filters, int64_t channel, float* to) {
  for (int64_t c = 0; c < channels; ++c) {
    memset(to + c * channel, 0, static_cast<size_t>(whole_vectors(filters)) * sizeof(float));
    memcpy(to + c * channel, from + c * filters, static_cast<size_t>(filters) * sizeof(float));
  }
}

// Where few channels would leave lanes of their vectors empty that filters fill.
bool folds(const Convolution& op) {
  const int64_t channel_lanes = whole_vectors(op.channels);
  const int64_t filter_lanes = whole_vectors(op.filters);
  return 5 * op.channels * filter_lanes < 3 * op.filters * channel_lanes;
}

struct InputGradient {
  const Convolution& op;
  const Fusion* picking;  // null where the gradient is given as it is
  PerModel<const float> gradient;
  PerModel<const uint8_t> positions;
  const AxisTaps& rows;
  const AxisTaps& columns;
  const float* packed;
  int64_t packed_model;  // floats between models; 0 if shared
  int64_t tap_size;      // floats of a tap in `packed`
  int64_t folded;        // floats between channels in `packed`; 0 where they are lanes
  SourceShape source;
  int64_t gradient_image;  // elements of the gradient of one image
  float* dx;
  Split split;
};

void run_phase(const InputGradient& g, const Part& part, int64_t row_phase, int64_t column_phase,
               const float* weights, SourceRows& source, Segments& room, float* dx) {
  const Convolution& op = g.op;
  const int64_t bottom = least(part.bottom, g.rows.pixels(row_phase));
  if (part.top >= bottom || g.columns.pixels(column_phase) == 0) return;
  Scratch<int64_t> tap_rows(g.rows.count(row_phase));
  for (int64_t i = 0; i < g.rows.count(row_phase); ++i) {
    tap_rows[i] = g.rows.taps(row_phase)[i].offset;
  }
  const int64_t pixel = g.source.pixel;
  const int64_t tap_columns = g.columns.count(column_phase);
  Scratch<Run> runs(tap_columns);
  int64_t run_count = 0;
  for (int64_t i = 0; i < tap_columns; ++i) {
    const Tap* taps = g.columns.taps(column_phase);
    if (i > 0 && taps[i].offset == taps[i - 1].offset + 1) {
      runs[run_count - 1].length += pixel;
    } else {
      runs[run_count++] = {(taps[i].offset + g.source.left) * pixel, pixel, i * pixel};
    }
  }
  const bool full = op.stride_columns == 1 && run_count == 1 && tap_columns == kFullTaps &&
                    op.pad_left == 0;
  const Correlation correlation{g.rows.pixels(row_phase),
                                g.columns.pixels(column_phase),
                                1,
                                1,
                                tap_rows.data(),
                                g.rows.count(row_phase),
                                runs.data(),
                                run_count,
                                tap_columns * pixel,
                                pixel,
                                op.channels,
                                full ? g.source.columns : 0};
  const int64_t row = op.columns * op.channels;
  const Target target{dx + row_phase * row + column_phase * op.channels, nullptr,
                      op.stride_rows * row, op.stride_columns * op.channels, 0};
  if (g.folded > 0) {
    fold(correlation, {weights, 1, nullptr}, g.folded, source, room, part.top, bottom, target);
    return;
  }
  correlate(correlation, {weights, whole_vectors(op.channels), nullptr}, source, room, part.top,
            bottom, GradientSink(target));
}

void run(const InputGradient& g, const Part& part) {
  const Convolution& op = g.op;
  SourceRows source(g.source, g.picking);
  Segments room(op.kernel_rows * op.kernel_columns);
  for (int64_t image = part.first; image < part.last; ++image) {
    source.start(g.gradient.of(part.model) + image * g.gradient_image,
                 g.positions.data == nullptr
                     ? nullptr
                     : g.positions.of(part.model) + image * g.gradient_image);
    float* dx = g.dx + (part.model * op.images + image) * op.rows * op.columns * op.channels;
    const float* weights = g.packed + part.model * g.packed_model;
    for (int64_t r = 0; r < g.rows.phases(); ++r) {
      for (int64_t c = 0; c < g.columns.phases(); ++c) {
        run_phase(g, part, r, c, weights, source, room, dx);
        weights += g.rows.count(r) * g.columns.count(c) * g.tap_size;
      }
    }
  }
}

}  // namespace

void conv2d_input(const Workers& workers, const Convolution& op, const Fusion& fusion,
                  PerModel<const float> gradient, PerModel<const uint8_t> positions,
                  PerModel<const float> kernel, float* dx) {
  if (input_by_tiles(workers, op, fusion, gradient, positions, kernel, dx)) return;
  const AxisTaps rows(op.kernel_rows, op.stride_rows, op.pad_top, op.dilation_rows, op.rows);
  const AxisTaps columns(op.kernel_columns, op.stride_columns, op.pad_left, op.dilation_columns,
                         op.columns);
  const bool folded = folds(op);
  const int64_t pixel = folded ? whole_vectors(op.filters) : op.filters;
  const int64_t tap_size = folded ? pixel : pixel * whole_vectors(op.channels);
  const int64_t channel_size = folded ? op.kernel_rows * op.kernel_columns * pixel : 0;
  const int64_t taps = op.kernel_rows * op.kernel_columns;
  const int64_t kernels = kernel.stride == 0 ? 1 : op.models;
  const int64_t kernel_size = taps * (folded ? op.channels * pixel : tap_size);
  Scratch<float> packed(kernels * kernel_size);
  Scratch<int64_t> order(taps);
  int64_t count = 0;
  for (int64_t r = 0; r < rows.phases(); ++r) {
    for (int64_t c = 0; c < columns.phases(); ++c) {
      for (int64_t i = 0; i < rows.count(r); ++i) {
        for (int64_t j = 0; j < columns.count(c); ++j) {
          order[count++] =
              rows.taps(r)[i].index * op.kernel_columns + columns.taps(c)[j].index;
        }
      }
    }
  }
  // One chunk where a thread would take longer to come than the copy.
  const int64_t chunks = kernel_size < kAloneFlops / 64 ? kernels : kernels * taps;
  for_chunks(workers, chunks, [&](int64_t chunk) {
    const int64_t from = chunk * kernels * taps / chunks;
    const int64_t to = (chunk + 1) * kernels * taps / chunks;
    for (int64_t i = from; i < to; ++i) {
      const float* tap = kernel.of(i / taps) + order[i % taps] * op.channels * op.filters;
      float* to = packed.data() + i / taps * kernel_size + i % taps * tap_size;
      if (folded) {
        widen(tap, op.channels, op.filters, channel_size, to);
      } else {
        transpose_tap(tap, op.channels, op.filters, to);
      }
    }
  });
  const bool picks = positions.data != nullptr || fusion.pooling != Pooling::none;
  const int64_t left = -columns.lowest;
  // Only pixels in a window have a gradient.
  const int64_t gradient_rows = op.output_rows / fusion.window_rows * fusion.window_rows;
  const int64_t gradient_columns =
      op.output_columns / fusion.window_columns * fusion.window_columns;
  const SourceShape source{gradient_rows,
                           gradient_columns,
                           op.filters,
                           left,
                           most(0, columns.highest + 1 - gradient_columns),
                           pixel,
                           rows.span() + 2};
  const int64_t gradient_image = (op.output_rows / fusion.window_rows) *
                                 (op.output_columns / fusion.window_columns) * op.filters;
  const int64_t unit_rows = (op.rows + op.stride_rows - 1) / op.stride_rows;
  const InputGradient g{op,
                        picks ? &fusion : nullptr,
                        gradient,
                        positions,
                        rows,
                        columns,
                        packed.data(),
                        kernels == 1 ? 0 : kernel_size,
                        tap_size,
                        channel_size,
                        source,
                        gradient_image,
                        dx,
                        Split(op.models, op.images, unit_rows, flops(op), workers.threads())};
  for_parts(workers, g.split, [&g](const Part& part) { run(g, part); });
}

}  // namespace striate::STRIATE_ISA
