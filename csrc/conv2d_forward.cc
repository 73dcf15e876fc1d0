// Convolution with what follows it: bias, ReLU, pooling.
#include "correlate.h"
#include "kernels.h"
#include "ops.h"
#include "sinks.h"
#include "tiles.h"

namespace striate::STRIATE_ISA {
namespace {

// Weights of whole vectors: the kernel as it is if its filters fill them, else a copy.
class WholeWeights {
 public:
  WholeWeights(const Convolution& op, PerModel<const float> kernel, PerModel<const float> bias)
      : rows_(op.kernel_rows * op.kernel_columns * op.channels),
        stride_(whole_vectors(op.filters)),
        copied_(stride_ != op.filters),
        kernel_(kernel),
        bias_(bias),
        kernels_(copied_ ? copies(op, kernel) * rows_ * stride_ : 0),
        biases_(copied_ && bias.data != nullptr ? copies(op, bias) * stride_ : 0) {
    if (!copied_) return;
    widen(kernel.data, kernels_.data(), copies(op, kernel) * rows_, op.filters);
    if (bias.data != nullptr) widen(bias.data, biases_.data(), copies(op, bias), op.filters);
  }

  Weights of(int64_t model) const {
    if (!copied_) return {kernel_.of(model), stride_, bias_.of(model)};
    const int64_t kernel = kernel_.stride == 0 ? 0 : model;
    const int64_t bias = bias_.stride == 0 ? 0 : model;
    return {kernels_.data() + kernel * rows_ * stride_, stride_,
            bias_.data == nullptr ? nullptr : biases_.data() + bias * stride_};
  }

 private:
  static int64_t copies(const Convolution& op, PerModel<const float> operand) {
    return operand.stride == 0 ? 1 : op.models;
  }

  void widen(const float* from, float* to, int64_t rows, int64_t filters) const {
    for (int64_t row = 0; row < rows; ++row) {
      memset(to + row * stride_, 0, static_cast<size_t>(stride_) * sizeof(float));
      memcpy(to + row * stride_, from + row * filters,
             static_cast<size_t>(filters) * sizeof(float));
    }
  }

  const int64_t rows_, stride_;
  const bool copied_;
  const PerModel<const float> kernel_, bias_;
  Scratch<float> kernels_, biases_;
};

// Pooling through a buffer of the window's rows, for any window.
class BufferedPooling {
 public:
  BufferedPooling(const Correlation& correlation, const Fusion& fusion)
      : fusion_(fusion),
        windows_(correlation.result_columns / fusion.window_columns),
        row_(correlation.result_columns * kTileFilters),
        buffer_(fusion.window_rows * row_) {}

  // One row of windows; `picked` or else `target.positions` holds the positions.
  void run(const Correlation& correlation, const Weights& weights, SourceRows& source,
           Segments& room, int64_t window_row, int64_t filter, const uint8_t* picked,
           const Target& target) {
    const int64_t first = window_row * fusion_.window_rows;
    Weights block = weights;
    block.data += filter;
    if (block.bias != nullptr) block.bias += filter;
    Correlation narrow = correlation;
    narrow.outputs = least(correlation.outputs - filter, kTileFilters);
    // Whole vectors: the buffer has room, the weights are zero beyond the filters.
    narrow.outputs = whole_vectors(narrow.outputs);
    const Target rows{buffer_.data(), nullptr, row_, kTileFilters, first};
    correlate(narrow, block, source, room, first, first + fusion_.window_rows,
              StoreSink(rows, false));
    const WindowRow from{buffer_.data(), row_, kTileFilters, windows_,
                         least(correlation.outputs - filter, kTileFilters)};
    const int64_t at = window_row * target.row + filter;
    uint8_t* positions = target.positions == nullptr ? nullptr : target.positions + at;
    if (picked != nullptr) {
      pool_picked(from, fusion_, picked + at, target.values + at, target.pixel);
    } else if (fusion_.pooling == Pooling::average) {
      pool_average(from, fusion_, target.values + at, positions, target.pixel);
    } else {
      pool_max(from, fusion_, target.values + at, positions, target.pixel);
    }
  }

 private:
  const Fusion fusion_;
  const int64_t windows_, row_;
  Scratch<float> buffer_;
};

struct Forward {
  const Convolution& op;
  const Fusion& fusion;
  PerModel<const float> x;
  const WholeWeights& weights;
  PerModel<const uint8_t> picked;
  float* y;
  uint8_t* positions;
  Correlation correlation;
  SourceShape source;
  Split split;
};

// Images [first, last) of a model, rows [top, bottom) of windows.
void run(const Forward& f, const Part& part) {
  SourceRows source(f.source, nullptr);
  Segments room(f.correlation.tap_row_count * f.correlation.run_count);
  const int64_t high = f.fusion.window_rows;
  const int64_t wide = f.fusion.window_columns;
  const int64_t row = f.op.output_columns / wide * f.op.filters;
  const int64_t image_size = f.op.output_rows / high * row;
  const bool picks = f.picked.data != nullptr;
  const bool store = f.fusion.pooling == Pooling::none && !picks;
  const bool pairs = f.fusion.pooling == Pooling::max && high == 2 && wide == 2 && !picks;
  BufferedPooling buffered(f.correlation, f.fusion);
  const Weights weights = f.weights.of(part.model);
  for (int64_t image = part.first; image < part.last; ++image) {
    const int64_t at = part.model * f.op.images + image;
    source.start(f.x.of(part.model) + image * f.op.rows * f.op.columns * f.op.channels, nullptr);
    const Target target{f.y + at * image_size,
                        f.positions == nullptr ? nullptr : f.positions + at * image_size, row,
                        f.op.filters, 0};
    if (store) {
      correlate(f.correlation, weights, source, room, part.top, part.bottom,
                StoreSink(target, f.fusion.relu));
    } else if (pairs) {
      correlate(f.correlation, weights, source, room, 2 * part.top, 2 * part.bottom,
                MaxSink(target, f.fusion.relu));
    } else {
      const uint8_t* picked = picks ? f.picked.of(part.model) + image * image_size : nullptr;
      for (int64_t window = part.top; window < part.bottom; ++window) {
        for (int64_t filter = 0; filter < f.op.filters; filter += kTileFilters) {
          buffered.run(f.correlation, weights, source, room, window, filter, picked, target);
        }
      }
    }
  }
}

void convolve(const Workers& workers, const Convolution& op, const Fusion& fusion,
              PerModel<const float> x, PerModel<const float> kernel, PerModel<const float> bias,
              PerModel<const uint8_t> picked, float* y, uint8_t* positions) {
  const int64_t window_rows = op.output_rows / fusion.window_rows;
  Scratch<int64_t> tap_rows(op.kernel_rows);
  for (int64_t u = 0; u < op.kernel_rows; ++u) {
    tap_rows[u] = u * op.dilation_rows - op.pad_top;
  }
  const int64_t reach = (op.kernel_columns - 1) * op.dilation_columns;
  const int64_t needed = (op.output_columns - 1) * op.stride_columns + reach + 1;
  const SourceShape source{op.rows,
                           op.columns,
                           op.channels,
                           op.pad_left,
                           most(0, needed - op.pad_left - op.columns),
                           op.channels,
                           (op.kernel_rows - 1) * op.dilation_rows + op.stride_rows + 1};
  Scratch<Run> runs(op.kernel_columns);
  const int64_t run_count = tap_runs(op, runs.data());
  const Correlation correlation{op.output_rows,
                                op.output_columns,
                                op.stride_rows,
                                op.stride_columns,
                                tap_rows.data(),
                                op.kernel_rows,
                                runs.data(),
                                run_count,
                                op.kernel_columns * op.channels,
                                op.channels,
                                op.filters,
                                0};
  const WholeWeights weights(op, kernel, bias);
  const Forward f{op, fusion, x, weights, picked, y, positions, correlation, source,
                  Split(op.models, op.images, window_rows, flops(op), workers.threads())};
  for_parts(workers, f.split, [&f](const Part& part) { run(f, part); });
}

}  // namespace

void conv2d_forward(const Workers& workers, const Convolution& op, const Fusion& fusion,
                    PerModel<const float> x, PerModel<const float> kernel,
                    PerModel<const float> bias, float* y, uint8_t* positions) {
  if (forward_by_tiles(workers, op, fusion, x, kernel, bias, y, positions)) return;
  convolve(workers, op, fusion, x, kernel, bias, {nullptr, 0}, y, positions);
}

void conv2d_picked(const Workers& workers, const Convolution& op, const Fusion& fusion,
                   PerModel<const float> x, PerModel<const float> kernel,
                   PerModel<const float> bias, PerModel<const uint8_t> positions, float* y) {
  convolve(workers, op, fusion, x, kernel, bias, positions, y, nullptr);
}

}  // namespace striate::STRIATE_ISA
