// Products of matrices, as dense layers and their gradients need them.
//
// A chunk is a rectangle of the result, or a part of the inner sums of a small result. It copies
// what does not lie in memory as its tiles want it, a block of inner indices at a time. Chunks
// depend on the sizes alone: the same bits with any number of threads.
#include "memory.h"
#include "ops.h"
#include "product_tile.h"

namespace striate::STRIATE_ISA {
namespace {

// Inner indices of a block: a panel of 16 KiB, half of the nearest cache.
constexpr int64_t kBlockInner = 4096 / kPanel;
// The right operand is read where it lies if its rows are whole vectors and not longer.
constexpr int64_t kShortRow = 64;
// Columns of a chunk: its panels stay in the second cache.
constexpr int64_t kChunkColumns = 8 * kPanel;
constexpr int64_t kProductFlops = int64_t{1} << 20;
constexpr int64_t kMostParts = 16;
// Inner sums are cut where they are long and the result is small.
constexpr int64_t kLongInner = 1024;
constexpr int64_t kSmallResult = int64_t{1} << 14;

int64_t parts_of(int64_t length, int64_t at_most) {
  return most(1, (length + at_most - 1) / at_most);
}

struct ProductWork {
  const Product& op;
  PerModel<const float> left, right;
  float* result;
  float* sums;  // of all parts of inner sums, if there are several
  int64_t row_parts, column_parts, inner_parts;

  int64_t parts() const { return row_parts * column_parts * inner_parts; }
  int64_t elements() const { return op.rows * op.columns; }

  void run(int64_t chunk) const;

 private:
  bool few() const {
    return op.rows <= kFewRows && !op.left_transposed && !op.right_transposed;
  }
  bool right_copied() const {
    if (few()) return false;
    return op.right_transposed || op.columns > kShortRow || op.columns % kLanes != 0;
  }
};

// Boundaries of part i of n, on multiples of `unit` but for the end.
int64_t boundary(int64_t length, int64_t i, int64_t n, int64_t unit) {
  return i == n ? length : length * i / n / unit * unit;
}

void ProductWork::run(int64_t chunk) const {
  const int64_t model = chunk / parts();
  const int64_t row_part = chunk % row_parts;
  const int64_t column_part = chunk / row_parts % column_parts;
  const int64_t inner_part = chunk / row_parts / column_parts % inner_parts;
  const int64_t top = boundary(op.rows, row_part, row_parts, 1);
  const int64_t bottom = boundary(op.rows, row_part + 1, row_parts, 1);
  const int64_t begin = boundary(op.columns, column_part, column_parts, kPanel);
  const int64_t end = boundary(op.columns, column_part + 1, column_parts, kPanel);
  const int64_t low = boundary(op.inner, inner_part, inner_parts, 1);
  const int64_t high = boundary(op.inner, inner_part + 1, inner_parts, 1);
  const float* a = left.of(model);
  const float* b = right.of(model);
  float* to = inner_parts > 1 ? sums + (model * inner_parts + inner_part) * elements()
                              : result + model * elements();
  const int64_t panels = (end - begin + kPanel - 1) / kPanel;
  const int64_t block_inner = few() ? high - low : least(kBlockInner, high - low);
  Scratch<float> panel_copy(right_copied() ? panels * block_inner * kPanel : 0);
  Scratch<float> block_copy(op.left_transposed ? block_inner * kBlockRows : 0);
  if (right_copied() && (end - begin) % kPanel != 0) {
    // Lanes beyond the last column are computed and not stored.
    memset(panel_copy.data(), 0,
           static_cast<size_t>(panels * block_inner * kPanel) * sizeof(float));
  }
  for (int64_t inner = low; inner < high; inner += block_inner) {
    const int64_t depth = least(block_inner, high - inner);
    for (int64_t p = 0; right_copied() && p < panels; ++p) {
      const int64_t column = begin + p * kPanel;
      const int64_t width = least(kPanel, end - column);
      float* panel = panel_copy.data() + p * block_inner * kPanel;
      if (op.right_transposed) {
        copy_transposed(b + column * op.inner + inner, op.inner, width, depth, panel, kPanel);
      } else {
        copy_rows(b + inner * op.columns + column, op.columns, depth, width, panel, kPanel);
      }
    }
    for (int64_t block = top; block < bottom; block += kBlockRows) {
      const int64_t rows = least(kBlockRows, bottom - block);
      if (op.left_transposed) {
        copy_rows(a + inner * op.rows + block, op.rows, depth, rows, block_copy.data(),
                  kBlockRows);
      }
      // Tiles of nearly the same height.
      const int64_t tiles = parts_of(rows, kTileRows);
      for (int64_t p = 0; p < panels; ++p) {
        const int64_t column = begin + p * kPanel;
        for (int64_t t = 0; t < tiles; ++t) {
          const int64_t row = t * rows / tiles;
          ProductTile tile;
          tile.left = op.left_transposed ? block_copy.data() + row
                                         : a + (block + row) * op.inner + inner;
          tile.left_row = op.left_transposed ? 1 : op.inner;
          tile.left_step = kBlockRows;
          tile.right = right_copied() ? panel_copy.data() + p * block_inner * kPanel
                                      : b + inner * op.columns + column;
          tile.right_row = right_copied() ? kPanel : op.columns;
          tile.result = to + (block + row) * op.columns + column;
          tile.result_row = op.columns;
          tile.inner = depth;
          tile.columns = least(kPanel, end - column);
          tile.first = inner == low;
          const int64_t height = (t + 1) * rows / tiles - row;
          const auto multiply =
              few() ? multiply_few_of(height, tile.columns)
                    : multiply_tile_of(op.left_transposed, height, tile.columns);
          multiply(tile);
        }
      }
    }
  }
}

}  // namespace

void product(const Workers& workers, const Product& op, PerModel<const float> left,
             PerModel<const float> right, float* result) {
  const int64_t elements = op.rows * op.columns;
  if (op.inner == 0) {
    memset(result, 0, static_cast<size_t>(op.models * elements) * sizeof(float));
    return;
  }
  ProductWork work{op, left, right, result, nullptr, 1, 1, 1};
  // With many models each is a chunk.
  int64_t wanted = least(most(1, 2 * elements * op.inner / kProductFlops),
                         most(1, kMostParts / op.models));
  if (op.inner >= kLongInner && elements <= kSmallResult) {
    work.inner_parts = least(wanted, op.inner / (kLongInner / 4));
  } else {
    const int64_t narrow = parts_of(op.columns, kChunkColumns);
    const int64_t panels = parts_of(op.columns, kPanel);
    work.column_parts = op.right_transposed || op.columns > kShortRow
                            ? most(narrow, least(wanted, panels))
                            : 1;
    const int64_t rest = most(1, wanted / work.column_parts);
    work.row_parts = least(rest, parts_of(op.rows, kBlockRows / 2));
  }
  Scratch<float> sums(work.inner_parts > 1 ? op.models * work.inner_parts * elements : 0);
  work.sums = sums.data();
  const int64_t chunks = op.models * work.parts();
  if (2 * op.models * elements * op.inner < kAloneFlops) {
    for (int64_t chunk = 0; chunk < chunks; ++chunk) work.run(chunk);
  } else {
    for_chunks(workers, chunks, [&work](int64_t chunk) { work.run(chunk); });
  }
  if (work.inner_parts == 1) return;
  for (int64_t model = 0; model < op.models; ++model) {
    const float* parts = sums.data() + model * work.inner_parts * elements;
    float* to = result + model * elements;
    for (int64_t i = 0; i < elements; i += kLanes) {
      const int64_t n = elements - i;
      Vec sum = load_up_to(parts + i, n);
      for (int64_t part = 1; part < work.inner_parts; ++part) {
        sum += load_up_to(parts + part * elements + i, n);
      }
      store_up_to(to + i, sum, n);
    }
  }
}

}  // namespace striate::STRIATE_ISA
