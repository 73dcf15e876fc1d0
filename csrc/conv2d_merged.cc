#include "merged.h"

#include "memory.h"
#include "ops.h"

namespace striate::STRIATE_ISA {
namespace {

// Filters of the networks that are merged; more networks make several groups.
constexpr int64_t kMostFilters = 512;
// Results of some images, with a byte each, stay in the second cache.
constexpr int64_t kCachedResults = int64_t{1} << 15;
// Sums that parts of the images are added up in, so that their memory is bounded.
constexpr int64_t kMostSums = 16;
// Runs that are copied in order may write over those that come after them.
constexpr int64_t kAnywhere = INT64_MAX;

// The chunks of a merged convolution work alone.
class Nobody final : public Workers {
 public:
  int64_t threads() const override { return 1; }
  void schedule(void (*)(void*), void*) const override {}
};

// How the networks are grouped and the images cut: by what one network computes, so that the sums
// of a network do not depend on how many there are.
struct Merged {
  Merged(const Convolution& op, const Fusion& fusion)
      : op(op),
        pixels(op.output_rows / fusion.window_rows * (op.output_columns / fusion.window_columns)),
        taps(op.kernel_rows * op.kernel_columns * op.channels),
        most_models(most(1, kMostFilters / op.filters)),
        groups((op.models + most_models - 1) / most_models),
        images_together(
            least(op.images, most(1, kCachedResults / most(1, pixels * kMostFilters)))),
        parts((op.images + images_together - 1) / images_together),
        sums(least(parts, kMostSums)) {}

  int64_t chunks() const { return groups * parts; }
  int64_t first_model(int64_t group) const { return group * op.models / groups; }
  int64_t models(int64_t group) const { return first_model(group + 1) - first_model(group); }
  int64_t first_image(int64_t part) const { return part * op.images / parts; }
  // Lanes of a group.
  int64_t stride(int64_t group) const { return whole_vectors(models(group) * op.filters); }
  int64_t most_stride() const { return whole_vectors(least(most_models, op.models) * op.filters); }

  // The convolution of some images with all filters of a group.
  Convolution part_of(int64_t group, int64_t images) const {
    Convolution one = op;
    one.models = 1;
    one.images = images;
    one.filters = stride(group);
    one.plain = true;  // whatever the number of filters
    return one;
  }

  const Convolution& op;
  const int64_t pixels, taps, most_models, groups, images_together, parts, sums;
};

// Where it pays: one batch of images, and filters that leave lanes idle. What one network computes by
// tiles it computes so beside others, too.
bool pays(const Convolution& op, PerModel<const float> x, int64_t other_stride) {
  return op.models > 1 && x.stride == 0 && other_stride != 0 && op.images > 0 &&
         2 * op.filters <= kMostFilters && op.filters % kLanes != 0 && !by_tiles(op);
}

// Copy runs of `length` elements, which are `from_step` and `to_step` apart; nothing behind the last
// one is written or read. All but the last few are copied 16 bytes at a time, which may write up to
// `room` elements from the beginning of a run: what is copied later, or nobody's.
template <typename T>
void copy_runs(const T* from, int64_t from_step, T* to, int64_t to_step, int64_t count,
               int64_t length, int64_t room) {
  constexpr int64_t kUnit = 16 / static_cast<int64_t>(sizeof(T));
  const int64_t rounded = (length + kUnit - 1) / kUnit * kUnit;
  const int64_t step = least(from_step, to_step);
  const int64_t careful =
      rounded > room ? count : least(count, (rounded - length + step - 1) / step);
  int64_t i = 0;
  for (; i < count - careful; ++i) {
    const T* source = from + i * from_step;
    T* target = to + i * to_step;
    for (int64_t at = 0; at < rounded; at += kUnit) memcpy(target + at, source + at, 16);
  }
  for (; i < count; ++i) {
    for (int64_t at = 0; at < length; ++at) to[i * to_step + at] = from[i * from_step + at];
  }
}

// Put rows of `filters` floats of each model of a group side by side, zeros behind them.
void merge_rows(const Merged& m, int64_t group, PerModel<const float> from, int64_t rows,
                float* to) {
  const int64_t filters = m.op.filters, stride = m.stride(group);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t model = 0; model < m.models(group); ++model) {
      const float* source = from.of(m.first_model(group) + model) + row * filters;
      for (int64_t f = 0; f < filters; ++f) to[row * stride + model * filters + f] = source[f];
    }
    for (int64_t f = m.models(group) * filters; f < stride; ++f) to[row * stride + f] = 0;
  }
}

// Sum over one part of the images: the gradients to kernels and biases of a group, side by side.
void merged_part(const Merged& m, const Fusion& fusion, int64_t group, int64_t part,
                 PerModel<const float> x, PerModel<const float> gradient,
                 PerModel<const uint8_t> positions, float* values, uint8_t* picked, float* to,
                 bool biases) {
  const Convolution& op = m.op;
  const int64_t stride = m.stride(group), first = m.first_image(part);
  const int64_t images = m.first_image(part + 1) - first;
  const int64_t runs = images * m.pixels, used = m.models(group) * op.filters;
  for (int64_t run = 0; run < runs && used < stride; ++run) {
    for (int64_t f = used; f < stride; ++f) {
      values[run * stride + f] = 0;
      if (positions.data != nullptr) picked[run * stride + f] = kNowhere;
    }
  }
  for (int64_t i = 0; i < m.models(group); ++i) {
    const int64_t model = m.first_model(group) + i;
    const int64_t at = first * m.pixels * op.filters;
    // What is written beyond a run is the next model's, or in lanes that nobody reads.
    const int64_t lane = i * op.filters, room = stride - lane;
    copy_runs(gradient.of(model) + at, op.filters, values + lane, stride, runs, op.filters, room);
    if (positions.data != nullptr) {
      copy_runs(positions.of(model) + at, op.filters, picked + lane, stride, runs, op.filters,
                room);
    }
  }
  const int64_t image_size = op.rows * op.columns * op.channels;
  conv2d_kernel(Nobody(), m.part_of(group, images), fusion, {x.data + first * image_size, 0},
                {values, 0}, {positions.data == nullptr ? nullptr : picked, 0}, to,
                biases ? to + m.taps * stride : nullptr);
}

}  // namespace

void merged_forward(const Workers& workers, const Convolution& op, const Fusion& fusion,
                    PerModel<const float> x, PerModel<const float> kernel,
                    PerModel<const float> bias, float* y, uint8_t* positions) {
  if (!pays(op, x, kernel.stride)) {
    conv2d_forward(workers, op, fusion, x, kernel, bias, y, positions);
    return;
  }
  const Merged m(op, fusion);
  const int64_t most_stride = m.most_stride();
  Scratch<float> kernels(m.groups * m.taps * most_stride), biases(m.groups * most_stride);
  for (int64_t group = 0; group < m.groups; ++group) {
    merge_rows(m, group, kernel, m.taps, kernels.data() + group * m.taps * most_stride);
    if (bias.data != nullptr) {
      merge_rows(m, group, bias, 1, biases.data() + group * most_stride);
    }
  }
  for_chunks(workers, m.chunks(), [&](int64_t chunk) {
    const int64_t group = chunk / m.parts, part = chunk % m.parts, stride = m.stride(group);
    const int64_t first = m.first_image(part), images = m.first_image(part + 1) - first;
    const int64_t runs = images * m.pixels;
    Scratch<float> values(runs * stride);
    Scratch<uint8_t> picked(positions == nullptr ? 0 : runs * stride);
    const int64_t image_size = op.rows * op.columns * op.channels;
    conv2d_forward(Nobody(), m.part_of(group, images), fusion,
                   {x.data + first * image_size, 0},
                   {kernels.data() + group * m.taps * most_stride, 0},
                   {bias.data == nullptr ? nullptr : biases.data() + group * most_stride, 0},
                   values.data(), positions == nullptr ? nullptr : picked.data());
    for (int64_t i = 0; i < m.models(group); ++i) {
      const int64_t at = ((m.first_model(group) + i) * op.images + first) * m.pixels * op.filters;
      copy_runs(values.data() + i * op.filters, stride, y + at, op.filters, runs, op.filters,
                kAnywhere);
      if (positions != nullptr) {
        copy_runs(picked.data() + i * op.filters, stride, positions + at, op.filters, runs,
                  op.filters, kAnywhere);
      }
    }
  });
}

void merged_kernel(const Workers& workers, const Convolution& op, const Fusion& fusion,
                   PerModel<const float> x, PerModel<const float> gradient,
                   PerModel<const uint8_t> positions, float* dkernel, float* dbias) {
  const bool own = gradient.stride != 0 && (positions.data == nullptr || positions.stride != 0);
  if (!pays(op, x, own ? 1 : 0)) {
    conv2d_kernel(workers, op, fusion, x, gradient, positions, dkernel, dbias);
    return;
  }
  const Merged m(op, fusion);
  const int64_t most_stride = m.most_stride(), rows = m.taps + 1;
  // For each group some sums over parts of the images, that of the bias last.
  Scratch<float> sums(m.groups * m.sums * rows * most_stride);
  for_chunks(workers, m.groups * m.sums, [&](int64_t chunk) {
    const int64_t group = chunk / m.sums, sum = chunk % m.sums, stride = m.stride(group);
    const int64_t begin = sum * m.parts / m.sums, end = (sum + 1) * m.parts / m.sums;
    const int64_t most_runs = (m.images_together + 1) * m.pixels;
    Scratch<float> values(most_runs * stride), another(begin + 1 < end ? rows * stride : 0);
    Scratch<uint8_t> picked(positions.data == nullptr ? 0 : most_runs * stride);
    float* total = sums.data() + chunk * rows * most_stride;
    for (int64_t part = begin; part < end; ++part) {
      float* to = part == begin ? total : another.data();
      merged_part(m, fusion, group, part, x, gradient, positions, values.data(), picked.data(), to,
                  dbias != nullptr);
      if (part == begin) continue;
      const int64_t all = (m.taps + (dbias == nullptr ? 0 : 1)) * stride;
      for (int64_t i = 0; i < all; i += kLanes) store(total + i, load(total + i) + load(to + i));
    }
  });
  for_chunks(workers, m.groups, [&](int64_t group) {
    const int64_t stride = m.stride(group);
    float* total = sums.data() + group * m.sums * rows * most_stride;
    const int64_t all = (m.taps + (dbias == nullptr ? 0 : 1)) * stride;
    for (int64_t sum = 1; sum < m.sums; ++sum) {
      const float* more = total + sum * rows * most_stride;
      for (int64_t i = 0; i < all; i += kLanes) {
        store(total + i, load(total + i) + load(more + i));
      }
    }
    for (int64_t i = 0; i < m.models(group); ++i) {
      const int64_t model = m.first_model(group) + i;
      copy_runs(total + i * op.filters, stride, dkernel + model * m.taps * op.filters, op.filters,
                m.taps, op.filters, kAnywhere);
      if (dbias != nullptr) {
        copy_runs(total + m.taps * stride + i * op.filters, stride, dbias + model * op.filters,
                  op.filters, 1, op.filters, kAnywhere);
      }
    }
  });
}

}  // namespace striate::STRIATE_ISA
