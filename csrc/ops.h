// The ops of this instruction set, and how their work is split into chunks.
#pragma once

#include "correlation.h"
#include "geometry.h"
#include "kernels.h"
#include "parallel.h"
#include "pool2d.h"
#include "product.h"
#include "simd.h"

namespace striate::STRIATE_ISA {

void conv2d_forward(const Workers&, const Convolution&, const Fusion&, PerModel<const float> x,
                    PerModel<const float> kernel, PerModel<const float> bias, float* y,
                    uint8_t* positions);
void conv2d_picked(const Workers&, const Convolution&, const Fusion&, PerModel<const float> x,
                   PerModel<const float> kernel, PerModel<const float> bias,
                   PerModel<const uint8_t> positions, float* y);
void conv2d_input(const Workers&, const Convolution&, const Fusion&,
                  PerModel<const float> gradient, PerModel<const uint8_t> positions,
                  PerModel<const float> kernel, float* dx);
void conv2d_kernel(const Workers&, const Convolution&, const Fusion&, PerModel<const float> x,
                   PerModel<const float> gradient, PerModel<const uint8_t> positions,
                   float* dkernel, float* dbias);
void pool2d_max(const Workers&, const Windows&, PerModel<const float> x, float* y,
                uint8_t* positions);
void pool2d_mean(const Workers&, const Windows&, PerModel<const float> x, float* y);
void pool2d_picked(const Workers&, const Windows&, PerModel<const float> x,
                   PerModel<const uint8_t> positions, float* y);
void pool2d_input(const Workers&, const Windows&, PerModel<const float> gradient,
                  PerModel<const uint8_t> positions, float* dx);
void product(const Workers&, const Product&, PerModel<const float> left,
             PerModel<const float> right, float* result);

// Work that is not worth another thread, and what a chunk should have at least.
constexpr int64_t kAloneFlops = 2 << 20;
constexpr int64_t kChunkFlops = 1 << 19;

inline int64_t flops(const Convolution& op) {
  return 2 * op.models * op.images * op.output_rows * op.output_columns * op.filters *
         op.kernel_rows * op.kernel_columns * op.channels;
}

// Run body(chunk) for each chunk on the workers.
template <typename Body>
void for_chunks(const Workers& workers, int64_t chunks, const Body& body) {
  run_chunks(
      workers, chunks,
      [](const void* context, int64_t chunk) { (*static_cast<const Body*>(context))(chunk); },
      &body);
}

// Some images of one model, or some rows of one image.
struct Part {
  int64_t model;
  int64_t first, last;  // images
  int64_t top, bottom;  // rows
};

// Results do not depend on the split: each of their pixels is summed within one chunk.
struct Split {
  Split(int64_t models, int64_t images, int64_t rows, int64_t flops, int64_t threads)
      : models(models), images(images), rows(rows) {
    const int64_t all = most(1, models * images);
    const bool alone = threads <= 1 || flops < kAloneFlops;
    images_together = alone ? images : least(images, most(1, kChunkFlops / most(1, flops / all)));
    if (images_together < 1) images_together = 1;
    image_chunks = (images + images_together - 1) / images_together;
    // Too few images for the threads: rows, too, if there is enough to do.
    row_chunks = alone || models * image_chunks >= 2 * threads
                     ? 1
                     : least(rows, least(4 * threads, most(1, flops / all / kChunkFlops)));
    if (row_chunks < 1) row_chunks = 1;
  }

  int64_t chunks() const { return models * image_chunks * row_chunks; }

  Part part(int64_t chunk) const {
    const int64_t row_chunk = chunk % row_chunks;
    const int64_t image_chunk = chunk / row_chunks % image_chunks;
    return {chunk / row_chunks / image_chunks, image_chunk * images_together,
            least(images, (image_chunk + 1) * images_together), row_chunk * rows / row_chunks,
            (row_chunk + 1) * rows / row_chunks};
  }

  int64_t models, images, rows;
  int64_t images_together, image_chunks, row_chunks;
};

template <typename Body>
void for_parts(const Workers& workers, const Split& split, const Body& body) {
  for_chunks(workers, split.chunks(),
             [&split, &body](int64_t chunk) { body(split.part(chunk)); });
}

// The runs of one row of a kernel's taps on a row of images; returns how many.
inline int64_t tap_runs(const Convolution& op, Run* runs) {
  if (op.dilation_columns == 1) {
    runs[0] = {0, op.kernel_columns * op.channels, 0};
    return 1;
  }
  for (int64_t v = 0; v < op.kernel_columns; ++v) {
    runs[v] = {v * op.dilation_columns * op.channels, op.channels, v * op.channels};
  }
  return op.kernel_columns;
}

}  // namespace striate::STRIATE_ISA
