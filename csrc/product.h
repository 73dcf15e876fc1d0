// What a product of matrices computes: sizes only.
//
// left (rows, inner) times right (inner, columns), float32, contiguous, for each model. An operand
// that is transposed lies in memory as (inner, rows) or (columns, inner).
#pragma once

#include <cstdint>

namespace striate {

struct Product {
  int64_t models;
  int64_t rows, inner, columns;
  bool left_transposed, right_transposed;
};

}  // namespace striate
