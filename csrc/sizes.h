// A convolution as a list of numbers, the fields of Convolution and then those of Fusion in order,
// a pooling as those of Windows, a product as those of Product, and how many elements the operands of one model have.
#pragma once

#include "geometry.h"
#include "pool2d.h"
#include "product.h"

namespace striate {

constexpr int kWindowSizes = 15;
constexpr int kProductSizes = 6;

inline Convolution convolution(const int64_t* s) {
  return {s[0], s[1], s[2],  s[3],  s[4],  s[5],  s[6], s[7],
          s[8], s[9], s[10], s[11], s[12], s[13], s[14], s[15]};
}

inline Fusion fusion(const int64_t* s) {
  return {static_cast<Pooling>(s[16]), s[17], s[18], s[19] != 0};
}

inline int64_t image_elements(const Convolution& c) { return c.images * c.rows * c.columns * c.channels; }
inline int64_t kernel_elements(const Convolution& c) {
  return c.kernel_rows * c.kernel_columns * c.channels * c.filters;
}
inline int64_t result_elements(const Convolution& c, const Fusion& f) {
  return c.images * (c.output_rows / f.window_rows) * (c.output_columns / f.window_columns) *
         c.filters;
}

inline Windows windows(const int64_t* s) {
  return {s[0], s[1], s[2],  s[3],  s[4],  s[5],  s[6], s[7],
          s[8], s[9], s[10], s[11], s[12], s[13], s[14]};
}

inline Product product(const int64_t* s) {
  return {s[0], s[1], s[2], s[3], s[4] != 0, s[5] != 0};
}

inline int64_t image_elements(const Windows& w) {
  return w.images * w.rows * w.columns * w.channels;
}
inline int64_t result_elements(const Windows& w) {
  return w.images * w.output_rows * w.output_columns * w.channels;
}

}  // namespace striate
