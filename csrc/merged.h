// Networks that are trained side by side on the same images, as one convolution.
//
// With ten filters each, ten of sixteen lanes compute; the filters of all networks in a row leave
// none idle. Weights go into that order before, results are dealt out to the networks afterwards, a
// few images at a time, while they are in the cache.
#pragma once

#include "geometry.h"
#include "parallel.h"

namespace striate::STRIATE_ISA {

// The ops of kernels.h, which take this way where it pays.
void merged_forward(const Workers&, const Convolution&, const Fusion&, PerModel<const float> x,
                    PerModel<const float> kernel, PerModel<const float> bias, float* y,
                    uint8_t* positions);
void merged_kernel(const Workers&, const Convolution&, const Fusion&, PerModel<const float> x,
                   PerModel<const float> gradient, PerModel<const uint8_t> positions,
                   float* dkernel, float* dbias);

}  // namespace striate::STRIATE_ISA
