// The ops of winograd.h.
#pragma once

#include "geometry.h"
#include "ops.h"

namespace striate::STRIATE_ISA {

// What `conv2d_forward`, `conv2d_input` and `conv2d_kernel` do, if it is to be done by tiles; else
// false is returned and nothing done.
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
