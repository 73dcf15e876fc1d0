// Sums of a kernel's gradient over parts of the images, and their addition.
#pragma once

#include "ops.h"

namespace striate::STRIATE_ISA {

// Sums of all parts of the images together stay below this unless one model's alone are larger.
constexpr int64_t kSumsBytes = int64_t{1} << 21;
constexpr int64_t kMostParts = 16;

// Parts of the images of a model, of which `worth` pay for the sums of each, `sums_size` floats.
inline int64_t parts_of(const Convolution& op, int64_t sums_size, int64_t worth) {
  const int64_t affordable = most(1, kSumsBytes / (4 * sums_size * op.models));
  return least(least(kMostParts, op.images), least(most(1, worth), affordable));
}

// For each model and each part: `rows` rows of taps and channels, and one row for the bias.
struct PartSums {
  const float* data;
  int64_t models, parts, rows;
  int64_t stride;  // floats of a row, whole vectors
  int64_t filters;

  int64_t size() const { return (rows + 1) * stride; }

  // Add rows [first, last) of all parts of a model, in order.
  void add(int64_t model, int64_t first, int64_t last, float* to) const {
    const float* sums = data + model * parts * size();
    for (int64_t row = first; row < last; ++row) {
      for (int64_t f = 0; f < filters; f += kLanes) {
        Vec total = load(sums + row * stride + f);
        for (int64_t part = 1; part < parts; ++part) {
          total += load(sums + part * size() + row * stride + f);
        }
        store_up_to(to + (row - first) * filters + f, total, filters - f);
      }
    }
  }

  // Add all; `bias` may be null.
  void add_all(const Workers& workers, float* kernel, float* bias) const {
    const bool large = models * rows * parts * stride >= kAloneFlops / 8;
    const int64_t slices = large ? most(1, least(rows, workers.threads())) : 1;
    for_chunks(workers, large ? models * slices : 1, [&](int64_t chunk) {
      for (int64_t model = large ? chunk / slices : 0;
           model < (large ? chunk / slices + 1 : models); ++model) {
        const int64_t slice = chunk % slices;
        const int64_t first = slice * rows / slices, last = (slice + 1) * rows / slices;
        add(model, first, last, kernel + (model * rows + first) * filters);
        if (bias != nullptr && slice == 0) add(model, rows, rows + 1, bias + model * filters);
      }
    });
  }
};

}  // namespace striate::STRIATE_ISA
