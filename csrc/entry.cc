// The ops for callers that have raw pointers: tests and benchmarks, through ctypes.
#include "kernels.h"
#include "own_threads.h"
#include "sizes.h"

#define STRIATE_EXPORT extern "C" __attribute__((visibility("default")))

namespace striate {
namespace {

template <typename T>
PerModel<const T> all_own(const T* data, int64_t elements) {
  return {data, elements};
}

const Kernels& kernels(const char* instruction_set) {
  const char* problem = nullptr;
  const Kernels* found = choose(instruction_set, &problem);
  return found != nullptr ? *found : baseline::kernels;
}

}  // namespace
}  // namespace striate

// Why `instruction_set` (null: the best) cannot be used, or null.
STRIATE_EXPORT const char* striate_problem(const char* instruction_set) {
  const char* problem = nullptr;
  return striate::choose(instruction_set, &problem) != nullptr ? nullptr : problem;
}

// The same for the same sources, compiler and flags.
STRIATE_EXPORT const char* striate_build() { return STRIATE_BUILD; }

STRIATE_EXPORT const char* striate_instruction_set(const char* instruction_set) {
  return striate::kernels(instruction_set).instruction_set;
}

STRIATE_EXPORT void striate_forward(const char* isa, int64_t threads, const int64_t* sizes,
                                    const float* x, const float* kernel, const float* bias,
                                    float* y, uint8_t* positions) {
  const auto c = striate::convolution(sizes);
  const auto f = striate::fusion(sizes);
  striate::kernels(isa).forward(
      striate::OwnThreads(threads), c, f, striate::all_own(x, striate::image_elements(c)),
      striate::all_own(kernel, striate::kernel_elements(c)), striate::all_own(bias, c.filters), y,
      positions);
}

// What is computed by tiles: 2 a convolution and its gradients, 1 only these, 0 nothing.
STRIATE_EXPORT int striate_by_tiles(const int64_t* sizes) {
  if (!striate::by_tiles(striate::convolution(sizes))) return 0;
  return striate::by_tiles(striate::fusion(sizes)) ? 2 : 1;
}

STRIATE_EXPORT void striate_picked(const char* isa, int64_t threads, const int64_t* sizes,
                                   const float* x, const float* kernel, const float* bias,
                                   const uint8_t* positions, float* y) {
  const auto c = striate::convolution(sizes);
  const auto f = striate::fusion(sizes);
  striate::kernels(isa).picked(
      striate::OwnThreads(threads), c, f, striate::all_own(x, striate::image_elements(c)),
      striate::all_own(kernel, striate::kernel_elements(c)), striate::all_own(bias, c.filters),
      striate::all_own(positions, striate::result_elements(c, f)), y);
}

STRIATE_EXPORT void striate_input(const char* isa, int64_t threads, const int64_t* sizes,
                                  const float* gradient, const uint8_t* positions,
                                  const float* kernel, float* dx) {
  const auto c = striate::convolution(sizes);
  const auto f = striate::fusion(sizes);
  striate::kernels(isa).input(striate::OwnThreads(threads), c, f,
                              striate::all_own(gradient, striate::result_elements(c, f)),
                              striate::all_own(positions, striate::result_elements(c, f)),
                              striate::all_own(kernel, striate::kernel_elements(c)), dx);
}

STRIATE_EXPORT void striate_kernel(const char* isa, int64_t threads, const int64_t* sizes,
                                   const float* x, const float* gradient,
                                   const uint8_t* positions, float* dkernel, float* dbias) {
  const auto c = striate::convolution(sizes);
  const auto f = striate::fusion(sizes);
  striate::kernels(isa).kernel(striate::OwnThreads(threads), c, f,
                               striate::all_own(x, striate::image_elements(c)),
                               striate::all_own(gradient, striate::result_elements(c, f)),
                               striate::all_own(positions, striate::result_elements(c, f)),
                               dkernel, dbias);
}

STRIATE_EXPORT void striate_max_pool(const char* isa, int64_t threads, const int64_t* sizes,
                                     const float* x, float* y, uint8_t* positions) {
  const auto w = striate::windows(sizes);
  striate::kernels(isa).max_pool(striate::OwnThreads(threads), w,
                                 striate::all_own(x, striate::image_elements(w)), y, positions);
}

STRIATE_EXPORT void striate_mean_pool(const char* isa, int64_t threads, const int64_t* sizes,
                                      const float* x, float* y) {
  const auto w = striate::windows(sizes);
  striate::kernels(isa).mean_pool(striate::OwnThreads(threads), w,
                                  striate::all_own(x, striate::image_elements(w)), y);
}

STRIATE_EXPORT void striate_pool_picked(const char* isa, int64_t threads, const int64_t* sizes,
                                        const float* x, const uint8_t* positions, float* y) {
  const auto w = striate::windows(sizes);
  striate::kernels(isa).pool_picked(
      striate::OwnThreads(threads), w, striate::all_own(x, striate::image_elements(w)),
      striate::all_own(positions, striate::result_elements(w)), y);
}

STRIATE_EXPORT void striate_pool_input(const char* isa, int64_t threads, const int64_t* sizes,
                                       const float* gradient, const uint8_t* positions,
                                       float* dx) {
  const auto w = striate::windows(sizes);
  striate::kernels(isa).pool_input(striate::OwnThreads(threads), w,
                                   striate::all_own(gradient, striate::result_elements(w)),
                                   striate::all_own(positions, striate::result_elements(w)), dx);
}

STRIATE_EXPORT void striate_product(const char* isa, int64_t threads, const int64_t* sizes,
                                    const float* left, const float* right, float* result) {
  const auto p = striate::product(sizes);
  striate::kernels(isa).product(
      striate::OwnThreads(threads), p, striate::all_own(left, p.rows * p.inner),
      striate::all_own(right, p.inner * p.columns), result);
}

// Operations on registers only; returns how many floating-point operations that was.
STRIATE_EXPORT int64_t striate_multiply_add(const char* isa, int64_t rounds, float* result) {
  const striate::Kernels& kernels = striate::kernels(isa);
  *result = kernels.multiply_add(rounds);
  return rounds * kernels.flops_per_round;
}
