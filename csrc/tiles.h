// Convolutions that are computed by tiles (winograd.h).
#pragma once

#include "geometry.h"
#include "ops.h"

namespace striate::STRIATE_ISA {

// Whether `forward_by_tiles` does what `conv2d_forward` would, and likewise for the gradients.
bool forward_by_tiles(const Workers&, const Convolution&, const Fusion&, PerModel<const float> x,
                      PerModel<const float> kernel, PerModel<const float> bias, float* y,
                      uint8_t* positions);
bool input_by_tiles(const Workers&, const Convolution&, const Fusion&,
                    PerModel<const float> gradient, PerModel<const uint8_t> positions,
                    PerModel<const float> kernel, float* dx);
bool kernel_by_tiles(const Workers&, const Convolution&, const Fusion&, PerModel<const float> x,
                     PerModel<const float> gradient, PerModel<const uint8_t> positions,
                     float* dkernel, float* dbias);

}  // namespace striate::STRIATE_ISA
