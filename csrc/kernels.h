// The ops of one instruction set, as a table that is chosen when the library is loaded.
#pragma once

#include "geometry.h"
#include "parallel.h"
#include "pool2d.h"
#include "product.h"

namespace striate {

struct Kernels {
  const char* instruction_set;

  // y = pool(relu(conv(x, kernel) + bias)), the activation and pooling as `fusion` says.
  // `bias` and `positions` may be null.
  void (*forward)(const Workers&, const Convolution&, const Fusion&, PerModel<const float> x,
                  PerModel<const float> kernel, PerModel<const float> bias, float* y,
                  uint8_t* positions);

  // The same pixels that `positions` picked from another convolution: what `forward` is to first
  // order. Linear in x, and in kernel and bias.
  void (*picked)(const Workers&, const Convolution&, const Fusion&, PerModel<const float> x,
                 PerModel<const float> kernel, PerModel<const float> bias,
                 PerModel<const uint8_t> positions, float* y);

  // Transpose of `picked` in x. Positions are null where nothing was activated or pooled.
  void (*input)(const Workers&, const Convolution&, const Fusion&, PerModel<const float> gradient,
                PerModel<const uint8_t> positions, PerModel<const float> kernel, float* dx);

  // Transpose of `picked` in kernel and bias; `dbias` may be null.
  void (*kernel)(const Workers&, const Convolution&, const Fusion&, PerModel<const float> x,
                 PerModel<const float> gradient, PerModel<const uint8_t> positions, float* dkernel,
                 float* dbias);

  // The maximum of each window, and its index in the window, row by row: the first of equal ones;
  // the first tap of a window with NaN. `positions` may be null. At most 256 taps.
  void (*max_pool)(const Workers&, const Windows&, PerModel<const float> x, float* y,
                   uint8_t* positions);

  // The mean of each window over the pixels inside the image.
  void (*mean_pool)(const Workers&, const Windows&, PerModel<const float> x, float* y);

  // The pixels of other images that `positions` name. Linear in x.
  void (*pool_picked)(const Workers&, const Windows&, PerModel<const float> x,
                      PerModel<const uint8_t> positions, float* y);

  // Transpose of `pool_picked` in x, or without positions that of `mean_pool`.
  void (*pool_input)(const Workers&, const Windows&, PerModel<const float> gradient,
                     PerModel<const uint8_t> positions, float* dx);

  // left times right for each model.
  void (*product)(const Workers&, const Product&, PerModel<const float> left,
                  PerModel<const float> right, float* result);

  // Multiply-adds on registers only, `rounds` times `flops_per_round`: the processor's limit.
  float (*multiply_add)(int64_t rounds);
  int64_t flops_per_round;
};

namespace avx512 {
extern const Kernels kernels;
}
namespace avx2 {
extern const Kernels kernels;
}
namespace baseline {
extern const Kernels kernels;
}

// Return the kernels of `name`, or of the best instruction set here if `name` is null or empty.
// Null if there are none, with the reason in `*problem`.
const Kernels* choose(const char* name, const char** problem);

}  // namespace striate
