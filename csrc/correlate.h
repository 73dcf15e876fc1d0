// Walks over the rows of a correlation and takes the way of computing that fits.
#pragma once

#include "correlation.h"
#include "full_rows.h"
#include "resident.h"

namespace striate::STRIATE_ISA {

template <int kRows, typename Sink>
void correlate_group(const Correlation& op, const Weights& weights, SourceRows& source,
                     Segments& room, int64_t row, const Sink& sink) {
  Segment<kRows>* segments = room.of<kRows>();
  const int64_t count = gather<kRows>(op, weights, source, row, segments);
  if (correlate_resident(op, weights, segments, count, row, sink)) return;
  if constexpr (Sink::kFull) {
    if (correlate_full(op, weights, segments, count, row, sink)) return;
  }
  for (int64_t filter = 0; filter < op.outputs; filter += kTileFilters) {
    if (op.outputs - filter > kLanes) {
      correlate_rows<kRows, 2>(op, weights, segments, count, row, filter, sink);
    } else {
      correlate_rows<kRows, 1>(op, weights, segments, count, row, filter, sink);
    }
    for (int64_t n = 0; n < count; ++n) segments[n].weights += kTileFilters;
  }
}

// Correlate rows [first, last) of the result.
template <typename Sink>
void correlate(const Correlation& op, const Weights& weights, SourceRows& source,
               Segments& room, int64_t first, int64_t last, const Sink& sink) {
  int64_t row = first;
  // Two rows at a time fill the registers where one row of the result is too short.
  const bool short_rows = 4 * op.result_columns <= kAccumulators;
  if (Sink::kPairs || short_rows) {
    for (; row + 2 <= last; row += 2) {
      correlate_group<2>(op, weights, source, room, row, sink);
    }
  }
  if constexpr (!Sink::kPairs) {
    for (; row < last; ++row) correlate_group<1>(op, weights, source, room, row, sink);
  }
}

}  // namespace striate::STRIATE_ISA
