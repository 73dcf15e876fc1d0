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
    // Pixels that touch are one piece.
    const bool together = wide == 1 && shape_.pixel == shape_.channels;
    const int64_t pieces = together ? 1 : windows;
    const int64_t count = together ? windows * shape_.channels : shape_.channels;
    const auto piece = fusion_->pooling == Pooling::average ? &SourceRows::expand_piece<0, true>
                       : wide == 1                          ? &SourceRows::expand_piece<1, false>
                       : wide == 2                          ? &SourceRows::expand_piece<2, false>
                                                            : &SourceRows::expand_piece<0, false>;
    for (int64_t n = 0; n < pieces; ++n) {
      (this->*piece)(values + n * count, positions == nullptr ? nullptr : positions + n * count,
                     tap, count, to + n * wide * shape_.pixel);
    }
  }

  // The pixels of one row of a window, `kWide` or any number of them, from its tap `tap` on.
  template <int kWide, bool kAverage>
  void expand_piece(const float* values, const uint8_t* positions, int64_t tap, int64_t count,
                    float* to) const {
    int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
      const uint8_t* at = positions == nullptr ? nullptr : positions + i;
      expand_vector<kWide, kAverage>(values + i, at, tap, kLanes, to + i);
    }
    if (i < count) {
      const uint8_t* at = positions == nullptr ? nullptr : positions + i;
      expand_vector<kWide, kAverage>(values + i, at, tap, count - i, to + i);
    }
  }

  template <int kWide, bool kAverage>
  STRIATE_INLINE void expand_vector(const float* values, const uint8_t* positions, int64_t tap,
                                    int64_t lanes, float* to) const {
    const int64_t wide = kWide == 0 ? fusion_->window_columns : kWide;
    Vec v = load_up_to(values, lanes);
    if (kAverage) v *= 1.0f / static_cast<float>(fusion_->window_rows * wide);
    const IntVec position = positions == nullptr ? IntVec{} : load_bytes_up_to(positions, lanes);
    for (int64_t j = 0; j < wide; ++j) {
      Vec picked = v;
      if (positions != nullptr) {
        const int64_t code = kAverage ? int64_t{1} << (tap + j) : tap + j;
        picked = choose(kAverage ? has_bit(position, static_cast<int32_t>(code))
                                 : equal(position, static_cast<int32_t>(code)),
                        v, Vec{});
      }
      store_up_to(to + j * shape_.pixel, picked, lanes);
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
