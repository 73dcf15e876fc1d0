// Pooling alone, forward: each result gathers the pixels of its window.
//
// Each result is written once, by one thread. Scratch of a thread: the taps of a window, and where
// pixels are sorted the rows of one.
#include "pool2d.h"

#include "memory.h"
#include "ops.h"
#include "window_runs.h"

namespace striate::STRIATE_ISA {
namespace {

struct Tap {
  const float* pixels;
  int32_t code;  // its index in the window, row by row
};

// The taps of a run, those inside the image, and how far it is from where they point.
struct Gathered {
  const Tap* taps;
  int64_t count;
  int64_t offset;
};

template <bool kPositions>
STRIATE_INLINE void maximum(const Gathered& from, int64_t count, float* y, uint8_t* positions) {
  for_vectors(count, STRIATE_EACH_VECTOR {
    Vec largest[vectors.count];
    IntVec position[vectors.count] = {};
    for (Vec& one : largest) one = Vec{} - __builtin_inff();
    for (int64_t t = 0; t < from.count; ++t) {
      const Tap& tap = from.taps[t];
      const float* pixels = tap.pixels + from.offset + e;
      const IntVec code = everywhere(tap.code);
#pragma GCC unroll 4
      for (int i = 0; i < vectors.count; ++i) {
        const Vec pixel = load_up_to(pixels + i * kLanes, lanes);
        const Lanes wins = beats(pixel, largest[i]);
        largest[i] = choose(wins, pixel, largest[i]);
        if (kPositions) position[i] = choose(wins, code, position[i]);
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < vectors.count; ++i) {
      store_up_to(y + e + i * kLanes, largest[i], lanes);
      if (kPositions) {
        // A window with NaN gives its gradient to its first pixel.
        const IntVec taker = choose(number(largest[i]), position[i], IntVec{});
        store_bytes_up_to(positions + e + i * kLanes, taker, lanes);
      }
    }
  });
}

STRIATE_INLINE void picked(const Gathered& from, int64_t count, const uint8_t* positions,
                           float* y) {
  for_vectors(count, STRIATE_EACH_VECTOR {
    IntVec position[vectors.count];
    Vec total[vectors.count] = {};
#pragma GCC unroll 4
    for (int i = 0; i < vectors.count; ++i) {
      position[i] = load_bytes_up_to(positions + e + i * kLanes, lanes);
    }
    for (int64_t t = 0; t < from.count; ++t) {
      const Tap& tap = from.taps[t];
      const float* pixels = tap.pixels + from.offset + e;
#pragma GCC unroll 4
      for (int i = 0; i < vectors.count; ++i) {
        const Vec pixel = load_up_to(pixels + i * kLanes, lanes);
        total[i] = choose(equal(position[i], tap.code), pixel, total[i]);
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < vectors.count; ++i) store_up_to(y + e + i * kLanes, total[i], lanes);
  });
}

STRIATE_INLINE void mean(const Gathered& from, int64_t count, float* y) {
  const float share = 1.0f / static_cast<float>(from.count);
  for_vectors(count, STRIATE_EACH_VECTOR {
    Vec total[vectors.count] = {};
    for (int64_t t = 0; t < from.count; ++t) {
      const float* pixels = from.taps[t].pixels + from.offset + e;
#pragma GCC unroll 4
      for (int i = 0; i < vectors.count; ++i) total[i] += load_up_to(pixels + i * kLanes, lanes);
    }
#pragma GCC unroll 4
    for (int i = 0; i < vectors.count; ++i) {
      store_up_to(y + e + i * kLanes, total[i] * share, lanes);
    }
  });
}

// One row of results of one image.
template <typename Run>
class ResultRow {
 public:
  ResultRow(const Windows& op, const Run& run)
      : op_(op),
        columns_(columns_of(op)),
        run_(run),
        sorts_(sorts(op)),
        whole_first_(columns_.first_whole()),
        whole_last_(columns_.last_whole()),
        taps_(op.window_rows * op.window_columns),
        away_(class_floats(op)),
        sorted_(sorts_ ? op.window_rows * op.stride_columns * away_ + kLanes : 0) {}

  // `at` is where the row's results are.
  void compute(const float* image, int64_t row, int64_t at) {
    const Axis rows = rows_of(op_);
    first_row_ = rows.first_tap(row);
    last_row_ = rows.last_tap(row);
    image_ = image;
    top_ = row * op_.stride_rows - op_.pad_top;
    for (int64_t window = 0; window < whole_first_; ++window) one(window, at);
    if (whole_last_ > whole_first_) whole(at + whole_first_ * op_.channels);
    for (int64_t window = whole_last_; window < op_.output_columns; ++window) one(window, at);
  }

 private:
  // A window at the border.
  void one(int64_t window, int64_t at) {
    const int64_t column = window * op_.stride_columns - op_.pad_left;
    const int64_t taps = list(columns_.first_tap(window), columns_.last_tap(window), column);
    run_({taps_.data(), taps, 0}, at + window * op_.channels, op_.channels);
  }

  void whole(int64_t at) {
    const int64_t windows = whole_last_ - whole_first_;
    const int64_t column = whole_first_ * op_.stride_columns - op_.pad_left;
    if (sorts_) {
      run_({taps_.data(), sorted(column), 0}, at, windows * op_.channels);
      return;
    }
    const int64_t taps = list(0, op_.window_columns, column);
    if (op_.stride_columns == 1) {
      run_({taps_.data(), taps, 0}, at, windows * op_.channels);
      return;
    }
    for (int64_t i = 0; i < windows; ++i) {
      run_({taps_.data(), taps, i * op_.stride_columns * op_.channels}, at + i * op_.channels,
           op_.channels);
    }
  }

  const float* image_row(int64_t u) const {
    return image_ + (top_ + u * op_.dilation_rows) * op_.columns * op_.channels;
  }

  int32_t code(int64_t u, int64_t v) const {
    return static_cast<int32_t>(u * op_.window_columns + v);
  }

  int64_t list(int64_t first, int64_t last, int64_t column) {
    int64_t taps = 0;
    for (int64_t u = first_row_; u < last_row_; ++u) {
      for (int64_t v = first; v < last; ++v) {
        const int64_t pixel = column + v * op_.dilation_columns;
        taps_[taps++] = {image_row(u) + pixel * op_.channels, code(u, v)};
      }
    }
    return taps;
  }

  // Sort the rows of the window from `column` on, and list the taps there.
  int64_t sorted(int64_t column) {
    const Sorting by{op_.stride_columns, op_.columns - column, op_.channels, away_};
    int64_t taps = 0;
    for (int64_t u = first_row_; u < last_row_; ++u) {
      float* row = sorted_.data() + u * by.stride * away_;
      sort(by, image_row(u) + column * op_.channels, row);
      for (int64_t v = 0; v < op_.window_columns; ++v) {
        const int64_t to = v * op_.dilation_columns;
        taps_[taps++] = {row + to % by.stride * away_ + to / by.stride * op_.channels, code(u, v)};
      }
    }
    return taps;
  }

  const Windows& op_;
  const Axis columns_;
  const Run& run_;
  const bool sorts_;
  const int64_t whole_first_, whole_last_;
  Scratch<Tap> taps_;
  const int64_t away_;
  Scratch<float> sorted_;
  int64_t first_row_ = 0, last_row_ = 0;
  const float* image_ = nullptr;
  int64_t top_ = 0;
};

// Call run(model, taps, at, count) for the runs of all windows; `at` counts in the model's results.
template <typename Run>
void gather(const Workers& workers, const Windows& op, PerModel<const float> x, const Run& run) {
  const Split split(op.models, op.images, op.output_rows, cost(op), workers.threads());
  for_parts(workers, split, [&](const Part& part) {
    const auto of_model = [&](const Gathered& from, int64_t at, int64_t count) {
      run(part.model, from, at, count);
    };
    ResultRow<decltype(of_model)> results(op, of_model);
    for (int64_t image = part.first; image < part.last; ++image) {
      const float* pixels = x.of(part.model) + image * op.rows * op.columns * op.channels;
      for (int64_t row = part.top; row < part.bottom; ++row) {
        const int64_t at = (image * op.output_rows + row) * op.output_columns * op.channels;
        results.compute(pixels, row, at);
      }
    }
  });
}

int64_t result_elements(const Windows& op) {
  return op.images * op.output_rows * op.output_columns * op.channels;
}

}  // namespace

void pool2d_max(const Workers& workers, const Windows& op, PerModel<const float> x, float* y,
                uint8_t* positions) {
  const int64_t all = result_elements(op);
  if (positions == nullptr) {
    gather(workers, op, x,
           [&](int64_t model, const Gathered& from, int64_t at, int64_t count) {
             maximum<false>(from, count, y + model * all + at, nullptr);
           });
  } else {
    gather(workers, op, x,
           [&](int64_t model, const Gathered& from, int64_t at, int64_t count) {
             const int64_t to = model * all + at;
             maximum<true>(from, count, y + to, positions + to);
           });
  }
}

void pool2d_picked(const Workers& workers, const Windows& op, PerModel<const float> x,
                   PerModel<const uint8_t> positions, float* y) {
  const int64_t all = result_elements(op);
  gather(workers, op, x, [&](int64_t model, const Gathered& from, int64_t at, int64_t count) {
    picked(from, count, positions.of(model) + at, y + model * all + at);
  });
}

void pool2d_mean(const Workers& workers, const Windows& op, PerModel<const float> x, float* y) {
  const int64_t all = result_elements(op);
  gather(workers, op, x, [&](int64_t model, const Gathered& from, int64_t at, int64_t count) {
    mean(from, count, y + model * all + at);
  });
}

}  // namespace striate::STRIATE_ISA
