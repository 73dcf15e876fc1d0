// The table of this instruction set's ops.
#include "kernels.h"

#include "merged.h"
#include "ops.h"

namespace striate::STRIATE_ISA {
namespace {

constexpr int kSums = kAccumulators < 16 ? kAccumulators : 16;

float multiply_add(int64_t rounds) {
  Vec sums[kSums] = {};
  Vec factor = Vec{} + 0.999f, term = Vec{} + 0.001f;
  // Opaque to the compiler, which could otherwise compute the limit of the series.
  asm volatile("" : "+m"(factor), "+m"(term));
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (int i = 0; i < kSums; ++i) sums[i] = sums[i] * factor + term;
  }
  float total = 0;
  for (int i = 0; i < kSums; ++i) {
    for (int lane = 0; lane < kLanes; ++lane) total += sums[i][lane];
  }
  return total;
}

#define STRIATE_NAME_(isa) #isa
#define STRIATE_NAME(isa) STRIATE_NAME_(isa)

}  // namespace

const Kernels kernels = {STRIATE_NAME(STRIATE_ISA),
                         merged_forward,
                         conv2d_picked,
                         conv2d_input,
                         merged_kernel,
                         pool2d_max,
                         pool2d_mean,
                         pool2d_picked,
                         pool2d_input,
                         product,
                         multiply_add,
                         2 * kSums * kLanes};

}  // namespace striate::STRIATE_ISA
