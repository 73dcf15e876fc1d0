// What a pooling computes: sizes only.
//
// Images are (model, image, row, column, channel), float32, contiguous. Windows may overlap, leave
// gaps, and reach over the border: what lies outside the image takes no part.
#pragma once

#include <cstdint>

namespace striate {

struct Windows {
  int64_t models;
  int64_t images;
  int64_t rows, columns, channels;
  int64_t window_rows, window_columns;
  int64_t stride_rows, stride_columns;
  int64_t pad_top, pad_left;  // what is added below and to the right follows from the outputs
  int64_t dilation_rows, dilation_columns;
  int64_t output_rows, output_columns;
};

}  // namespace striate
