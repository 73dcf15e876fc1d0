// What a convolution computes: sizes only, no pointers and no arithmetic.
//
// Images are (model, image, row, column, channel), kernels (model, row, column, channel, filter),
// all float32, all contiguous. "Model" is an axis over which everything may differ: networks that
// are trained side by side. An operand that all models share has one model.
#pragma once

#include <cstdint>

namespace striate {

struct Convolution {
  int64_t models;
  int64_t images;
  int64_t rows, columns, channels;
  int64_t kernel_rows, kernel_columns, filters;
  int64_t stride_rows, stride_columns;
  int64_t pad_top, pad_left;  // what is added below and to the right follows from the outputs
  int64_t dilation_rows, dilation_columns;
  int64_t output_rows, output_columns;
  bool plain = false;  // not to be computed by tiles
};

// Fewer channels or filters do not pay for the sums before and after the products of tiles.
constexpr int64_t kLeastOfTiles = 16;

// Whether a convolution and its gradients are computed by tiles (winograd.h). Always inlined, since
// a copy of its own would be that of one instruction set.
__attribute__((always_inline)) inline bool by_tiles(const Convolution& op) {
  return !op.plain && op.kernel_rows == 3 && op.kernel_columns == 3 && op.stride_rows == 1 &&
         op.stride_columns == 1 && op.dilation_rows == 1 && op.dilation_columns == 1 &&
         op.channels >= kLeastOfTiles && op.filters >= kLeastOfTiles && op.output_rows > 1 &&
         op.output_columns > 1;
}

enum class Pooling : int64_t { none = 0, max = 1, average = 2 };

// What follows the convolution in the same op. Windows touch without overlap; pixels that fill no
// window are not computed. Each output has a byte that says where its gradient goes: the index of
// the maximum in its window (row by row; the first of equal ones, and of a window with NaN), or for
// an average one bit a pixel; `kNowhere` (for an
// average: no bit) where the ReLU lets nothing through.
struct Fusion {
  Pooling pooling;
  int64_t window_rows, window_columns;
  bool relu;
};

// Whether what follows lets the convolution itself be computed by tiles, not only its gradients.
__attribute__((always_inline)) inline bool by_tiles(const Fusion& fusion) {
  return fusion.pooling == Pooling::none ||
         (fusion.pooling == Pooling::max && fusion.window_rows == 2 && fusion.window_columns == 2);
}

constexpr uint8_t kNowhere = 255;

// An array of which all models share one part, or each has its own.
template <typename T>
struct PerModel {
  T* data;
  int64_t stride;  // elements between models; 0 if shared

  // Always inlined, since a copy of its own would be that of one instruction set.
  __attribute__((always_inline)) T* of(int64_t model) const {
    return data == nullptr ? nullptr : data + model * stride;
  }
};

}  // namespace striate
