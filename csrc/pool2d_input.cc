// Pooling alone, backward: each pixel gathers from the windows that it lies in.
//
// Each pixel is written once, by one thread, and nothing is cleared beforehand. Scratch of a
// thread: which windows the pixels of a row lie in, and where pixels are sorted one row.
#include "pool2d.h"

#include "memory.h"
#include "ops.h"
#include "window_runs.h"

namespace striate::STRIATE_ISA {
namespace {

// A window that a pixel lies in.
struct Cover {
  const float* gradient;
  const uint8_t* positions;
  int32_t code;
  float share;
};

struct Covers {
  const Cover* windows;
  int64_t count;
  int64_t offset;
};

template <bool kPositions>
STRIATE_INLINE void sum(const Covers& from, int64_t count, float* dx) {
  for_vectors(count, STRIATE_EACH_VECTOR {
    Vec total[vectors.count] = {};
    for (int64_t w = 0; w < from.count; ++w) {
      const Cover& window = from.windows[w];
      const int64_t at = from.offset + e;
#pragma GCC unroll 4
      for (int i = 0; i < vectors.count; ++i) {
        const Vec gradient = load_up_to(window.gradient + at + i * kLanes, lanes);
        if (kPositions) {
          const IntVec position = load_bytes_up_to(window.positions + at + i * kLanes, lanes);
          total[i] += choose(equal(position, window.code), gradient, Vec{});
        } else {
          total[i] += gradient * window.share;
        }
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < vectors.count; ++i) store_up_to(dx + e + i * kLanes, total[i], lanes);
  });
}

// Which windows a pixel lies in, along one axis, and as which of their taps.
struct Place {
  int64_t output, tap;
};

// In the order of the windows; returns how many.
int64_t places(const Axis& axis, int64_t pixel, Place* found) {
  int64_t count = 0;
  for (int64_t tap = axis.window - 1; tap >= 0; --tap) {
    const int64_t from = pixel + axis.pad - tap * axis.dilation;
    if (from < 0 || from % axis.stride != 0 || from / axis.stride >= axis.outputs) continue;
    found[count++] = {from / axis.stride, tap};
  }
  return count;
}

// One row of pixels of one image.
template <bool kPositions>
class PixelRow {
 public:
  explicit PixelRow(const Windows& op)
      : op_(op),
        rows_(rows_of(op)),
        columns_(columns_of(op)),
        sorts_(sorts(op)),
        in_rows_(op.window_rows),
        in_columns_(op.columns * op.window_columns),
        column_counts_(op.columns),
        inner_(least(op.stride_columns, op.columns)),
        windows_(op.window_rows * op.window_columns),
        away_(class_floats(op)),
        sorted_(sorts_ ? op.stride_columns * away_ + kLanes : 0) {
    for (int64_t column = 0; column < op.columns; ++column) {
      column_counts_[column] =
          places(columns_, column, in_columns_.data() + column * op.window_columns);
    }
    for (int64_t first = 0; first < classes(); ++first) inner_[first] = inner(first);
  }

  void compute(const float* gradient, const uint8_t* positions, int64_t row, float* dx) {
    gradient_ = gradient;
    positions_ = positions;
    row_count_ = places(rows_, row, in_rows_.data());
    const int64_t stride = op_.stride_columns, channels = op_.channels;
    for (int64_t first = 0; first < classes(); ++first) {
      if (sorts_) {
        pixels(first, sorted_.data() + first * away_, channels);
      } else {
        pixels(first, dx + first * channels, stride * channels);
      }
    }
    if (sorts_) unsort({stride, op_.columns, channels, away_}, sorted_.data(), dx);
  }

 private:
  struct Range {
    int64_t begin, end;
  };

  // Pixels a stride apart, which are the same taps of windows that follow each other; `to` and
  // `step` say where they are.
  void pixels(int64_t first, float* to, int64_t step) {
    const int64_t stride = op_.stride_columns, channels = op_.channels;
    const auto [begin, end] = inner_[first];
    for (int64_t i = 0; i < begin; ++i) one(first + i * stride, to + i * step);
    if (end > begin) {
      const int64_t count = list(first + begin * stride);
      if (step == channels) {
        sum<kPositions>({windows_.data(), count, 0}, (end - begin) * channels, to + begin * step);
      } else {
        for (int64_t i = begin; i < end; ++i) {
          sum<kPositions>({windows_.data(), count, (i - begin) * channels}, channels,
                          to + i * step);
        }
      }
    }
    for (int64_t i = end; i < class_size(first); ++i) one(first + i * stride, to + i * step);
  }

  void one(int64_t column, float* to) {
    sum<kPositions>({windows_.data(), list(column), 0}, op_.channels, to);
  }

  // The windows that a pixel lies in, in their order.
  int64_t list(int64_t column) {
    const Place* in_columns = in_columns_.data() + column * op_.window_columns;
    int64_t count = 0;
    for (int64_t i = 0; i < row_count_; ++i) {
      for (int64_t j = 0; j < column_counts_[column]; ++j) {
        const Place row = in_rows_[i], at = in_columns[j];
        const int64_t result = (row.output * op_.output_columns + at.output) * op_.channels;
        windows_[count++] = {gradient_ + result, kPositions ? positions_ + result : nullptr,
                             static_cast<int32_t>(row.tap * op_.window_columns + at.tap),
                             kPositions ? 1.0f : share(row.output, at.output)};
      }
    }
    return count;
  }

  float share(int64_t row, int64_t column) const {
    return 1.0f / static_cast<float>(rows_.taps(row) * columns_.taps(column));
  }

  // Of the pixels of a class those that lie only in windows of which no column is outside.
  Range inner(int64_t first) const {
    const int64_t stride = op_.stride_columns;
    int64_t begin = 0, end = class_size(first);
    for (int64_t v = 0; v < op_.window_columns; ++v) {
      const int64_t from = first + op_.pad_left - v * op_.dilation_columns;
      if (from % stride != 0) continue;
      begin = most(begin, columns_.first_whole() - from / stride);
      end = least(end, columns_.last_whole() - from / stride);
    }
    begin = least(begin, class_size(first));
    return {begin, most(begin, end)};
  }

  int64_t classes() const { return least(op_.stride_columns, op_.columns); }
  int64_t class_size(int64_t first) const {
    return (op_.columns - first + op_.stride_columns - 1) / op_.stride_columns;
  }

  const Windows& op_;
  const Axis rows_, columns_;
  const bool sorts_;
  Scratch<Place> in_rows_, in_columns_;
  Scratch<int64_t> column_counts_;
  Scratch<Range> inner_;
  Scratch<Cover> windows_;
  const int64_t away_;
  Scratch<float> sorted_;
  const float* gradient_ = nullptr;
  const uint8_t* positions_ = nullptr;
  int64_t row_count_ = 0;
};

template <bool kPositions>
void spread(const Workers& workers, const Windows& op, PerModel<const float> gradient,
            PerModel<const uint8_t> positions, float* dx) {
  const Split split(op.models, op.images, op.rows, cost(op), workers.threads());
  const int64_t outputs = op.output_rows * op.output_columns * op.channels;
  for_parts(workers, split, [&](const Part& part) {
    PixelRow<kPositions> pixels(op);
    for (int64_t image = part.first; image < part.last; ++image) {
      const float* from = gradient.of(part.model) + image * outputs;
      const uint8_t* at = kPositions ? positions.of(part.model) + image * outputs : nullptr;
      for (int64_t row = part.top; row < part.bottom; ++row) {
        const int64_t above = (part.model * op.images + image) * op.rows + row;
        pixels.compute(from, at, row, dx + above * op.columns * op.channels);
      }
    }
  });
}

}  // namespace

void pool2d_input(const Workers& workers, const Windows& op, PerModel<const float> gradient,
                  PerModel<const uint8_t> positions, float* dx) {
  if (positions.data == nullptr) {
    spread<false>(workers, op, gradient, positions, dx);
  } else {
    spread<true>(workers, op, gradient, positions, dx);
  }
}

}  // namespace striate::STRIATE_ISA
