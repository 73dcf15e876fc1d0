// The rows of one image as a convolution reads them: with zeros around, gradients put back where
// a pooling took its values from, channels padded to whole vectors.
//
// Where nothing of this is needed rows are read in place. Otherwise a row is written once into a
// ring of as many rows as are needed at a time, which stays in the cache: no image is ever copied
// whole, and no pooled gradient is expanded in memory.
#pragma once

#include "geometry.h"
#include "memory.h"
#include "simd.h"

namespace striate::STRIATE_ISA {

struct SourceShape {
  int64_t rows, columns, channels;
  int64_t left, right;  // columns of zeros
  int64_t pixel;        // floats between pixels, at least `channels`
  int64_t slots;        // rows needed at a time
};

class SourceRows {
 public:
  // `fusion` says how positions are to be read; null where the image is given as it is.
  SourceRows(const SourceShape& shape, const Fusion* fusion)
      : shape_(shape),
        fusion_(fusion),
        in_place_(fusion == nullptr && shape.left == 0 && shape.right == 0 &&
                  shape.pixel == shape.channels),
        width_((shape.left + shape.columns + shape.right) * shape.pixel),
        ring_(in_place_ ? 0 : shape.slots * width_),
        tags_(shape.slots),
        zeros_(width_) {
    memset(zeros_.data(), 0, static_cast<size_t>(width_) * sizeof(float));
    if (!in_place_) {
      memset(ring_.data(), 0, static_cast<size_t>(shape.slots * width_) * sizeof(float));
    }
    forget();
  }

  // Floats that a source of this shape takes.
  static int64_t scratch(const SourceShape& shape) {
    return (shape.slots + 1) * (shape.left + shape.columns + shape.right) * shape.pixel;
  }

  // Read from another image, which others may follow in memory; rows of the one before must not be
  // used any more.
  void start(const float* values, const uint8_t* positions) {
    values_ = values;
    positions_ = positions;
    forget();
  }

  bool inside(int64_t row) const { return row >= 0 && row < shape_.rows; }

  // Row `row` of the image or of one behind it, from its leftmost zero on; zeros outside the image.
  // It stays valid until `slots` other rows have been asked for.
  const float* row(int64_t row, int64_t image = 0) {
    if (!inside(row)) return zeros_.data();
    row += image * shape_.rows;
    if (in_place_) return values_ + row * width_;
    const int64_t slot = row % shape_.slots;
    float* to = ring_.data() + slot * width_;
    if (tags_[slot] != row) {
      fill(row, to + shape_.left * shape_.pixel);
      tags_[slot] = row;
    }
    return to;
  }

 private:
  void forget() {
    for (int64_t slot = 0; slot < shape_.slots; ++slot) tags_[slot] = -1;
  }

  void fill(int64_t row, float* to) const {
    if (fusion_ == nullptr) {
      copy(row, to);
    } else {
      expand(row, to);
    }
  }

  void copy(int64_t row, float* to) const {
    const float* from = values_ + row * shape_.columns * shape_.channels;
    if (shape_.pixel == shape_.channels) {
      memcpy(to, from, static_cast<size_t>(shape_.columns * shape_.channels) * sizeof(float));
      return;
    }
    for (int64_t column = 0; column < shape_.columns; ++column) {
      memcpy(to + column * shape_.pixel, from + column * shape_.channels,
             static_cast<size_t>(shape_.channels) * sizeof(float));
    }
  }

  void expand(int64_t row, float* to) const {
    const int64_t high = fusion_->window_rows, wide = fusion_->window_columns;
    const int64_t windows = shape_.columns / wide;
    const int64_t window_row = row / high;
    const int64_t tap = row % high * wide;
    const int64_t offset = window_row * windows * shape_.channels;
    const float* values = values_ + offset;
    const uint8_t* positions = positions_ == nullptr ? nullptr : positions_ + offset;
    if (wide == 1 && shape_.pixel == shape_.channels) {
      expand_pixel(values, positions, tap, windows * shape_.channels, to);
      return;
    }
    for (int64_t window = 0; window < windows; ++window) {
      const int64_t at = window * shape_.channels;
      for (int64_t j = 0; j < wide; ++j) {
        expand_pixel(values + at, positions == nullptr ? nullptr : positions + at, tap + j,
                     shape_.channels, to + (window * wide + j) * shape_.pixel);
      }
    }
  }

  void expand_pixel(const float* values, const uint8_t* positions, int64_t tap, int64_t count,
                    float* to) const {
    const bool average = fusion_->pooling == Pooling::average;
    const float share =
        average ? 1.0f / static_cast<float>(fusion_->window_rows * fusion_->window_columns) : 1.0f;
    const int32_t code = static_cast<int32_t>(average ? int64_t{1} << tap : tap);
    for (int64_t i = 0; i < count; i += kLanes) {
      Vec v = load_up_to(values + i, count - i);
      if (positions != nullptr) {
        const IntVec position = load_bytes_up_to(positions + i, count - i);
        v = choose(average ? has_bit(position, code) : equal(position, code), v, Vec{});
      }
      store_up_to(to + i, average ? v * share : v, count - i);
    }
  }

  const SourceShape shape_;
  const Fusion* const fusion_;
  const bool in_place_;
  const int64_t width_;
  Scratch<float> ring_;
  Scratch<int64_t> tags_;
  Scratch<float> zeros_;
  const float* values_ = nullptr;
  const uint8_t* positions_ = nullptr;
};

}  // namespace striate::STRIATE_ISA
