// The ops as targets of XLA's foreign function interface: the only file that knows XLA.
//
// Each operand has a leading axis of models, of length 1 where all models share it. An absent bias
// or array of positions is an operand without elements.
#include <cstdlib>
#include <type_traits>

#include "kernels.h"
#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;

namespace striate {
namespace {

using Floats = ffi::Buffer<ffi::F32>;
using Bytes = ffi::Buffer<ffi::U8>;
using FloatsResult = ffi::ResultBuffer<ffi::F32>;
using BytesResult = ffi::ResultBuffer<ffi::U8>;
// Stride, padding (top, left), dilation: rows, then columns.
using Geometry = ffi::Span<const int64_t>;
// Pooling, rows and columns of its window, whether there is a ReLU.
using Fused = ffi::Span<const int64_t>;

// XLA's own pool, on a thread of which a handler runs.
class IntraOpPool final : public Workers {
 public:
  explicit IntraOpPool(ffi::ThreadPool pool) : pool_(pool) {}
  int64_t threads() const override { return pool_.num_threads(); }
  void schedule(void (*run)(void*), void* state) const override {
    pool_.Schedule([run, state] { run(state); });
  }

 private:
  mutable ffi::ThreadPool pool_;
};

const Kernels* chosen() {
  static const Kernels* const kernels = [] {
    const char* problem = nullptr;
    return choose(std::getenv("STRIATE_ISA"), &problem);
  }();
  return kernels;
}

template <typename Operand>
auto per_model(const Operand& operand) -> PerModel<const typename std::remove_pointer<
    decltype(operand.typed_data())>::type> {
  const int64_t models = operand.dimensions()[0];
  const int64_t elements = static_cast<int64_t>(operand.element_count());
  if (elements == 0) return {nullptr, 0};
  return {operand.typed_data(), models == 1 ? 0 : elements / models};
}

// `outputs` are the pixels of the convolution, before pooling.
Convolution convolution(int64_t models, ffi::Span<const int64_t> images,
                        ffi::Span<const int64_t> weights, Geometry geometry,
                        ffi::Span<const int64_t> outputs) {
  return {models,      images[1],   images[2],   images[3],   images[4],   weights[1],
          weights[2],  weights[4],  geometry[0], geometry[1], geometry[2], geometry[3],
          geometry[4], geometry[5], outputs[0],  outputs[1]};
}

Fusion fusion(Fused fused) {
  return {static_cast<Pooling>(fused[0]), fused[1], fused[2], fused[3] != 0};
}

// Call body(kernels, workers, convolution, fusion) unless something is wrong or nothing to be done.
// `result` is the first result, `images` and `weights` whatever has the dimensions of these.
template <typename Body>
ffi::Error run(ffi::ThreadPool pool, FloatsResult result, ffi::Span<const int64_t> images,
               ffi::Span<const int64_t> weights, Geometry geometry,
               ffi::Span<const int64_t> outputs, Fused fused, const Body& body) {
  const Kernels* kernels = chosen();
  if (kernels == nullptr) return ffi::Error::Internal("no kernels for STRIATE_ISA here");
  if (images.size() != 5 || weights.size() != 5 || geometry.size() != 6 || outputs.size() != 2 ||
      fused.size() != 4) {
    return ffi::Error::InvalidArgument("a striate convolution has other ranks or attributes");
  }
  if (result->element_count() == 0) return ffi::Error::Success();
  body(*kernels, IntraOpPool(pool),
       convolution(result->dimensions()[0], images, weights, geometry, outputs), fusion(fused));
  return ffi::Error::Success();
}

ffi::Error forward(ffi::ThreadPool pool, Floats x, Floats kernel, Floats bias, FloatsResult y,
                   BytesResult positions, Geometry geometry, ffi::Span<const int64_t> outputs,
                   Fused fused) {
  return run(pool, y, x.dimensions(), kernel.dimensions(), geometry, outputs, fused,
             [&](const auto& kernels, const auto& workers, const auto& op, const auto& fusion) {
               kernels.forward(
                   workers, op, fusion, per_model(x), per_model(kernel), per_model(bias),
                   y->typed_data(),
                   positions->element_count() == 0 ? nullptr : positions->typed_data());
             });
}

ffi::Error picked(ffi::ThreadPool pool, Floats x, Floats kernel, Floats bias, Bytes positions,
                  FloatsResult y, Geometry geometry, ffi::Span<const int64_t> outputs,
                  Fused fused) {
  return run(pool, y, x.dimensions(), kernel.dimensions(), geometry, outputs, fused,
             [&](const auto& kernels, const auto& workers, const auto& op, const auto& fusion) {
               kernels.picked(workers, op, fusion, per_model(x), per_model(kernel),
                              per_model(bias), per_model(positions), y->typed_data());
             });
}

ffi::Error input(ffi::ThreadPool pool, Floats gradient, Floats kernel, Bytes positions,
                 FloatsResult dx, Geometry geometry, ffi::Span<const int64_t> outputs,
                 Fused fused) {
  return run(pool, dx, dx->dimensions(), kernel.dimensions(), geometry, outputs, fused,
             [&](const auto& kernels, const auto& workers, const auto& op, const auto& fusion) {
               kernels.input(workers, op, fusion, per_model(gradient), per_model(positions),
                             per_model(kernel), dx->typed_data());
             });
}

ffi::Error kernel(ffi::ThreadPool pool, Floats x, Floats gradient, Bytes positions,
                  FloatsResult dkernel, FloatsResult dbias, Geometry geometry,
                  ffi::Span<const int64_t> outputs, Fused fused) {
  return run(pool, dkernel, x.dimensions(), dkernel->dimensions(), geometry, outputs, fused,
             [&](const auto& kernels, const auto& workers, const auto& op, const auto& fusion) {
               kernels.kernel(workers, op, fusion, per_model(x), per_model(gradient),
                              per_model(positions), dkernel->typed_data(),
                              dbias->element_count() == 0 ? nullptr : dbias->typed_data());
             });
}

// Size, stride, padding (top, left) and dilation of the windows: rows, then columns.
using Placed = ffi::Span<const int64_t>;
using Sizes = ffi::Span<const int64_t>;

// Call body(kernels, workers, windows) likewise. `images` and `results` are the dimensions of what
// is before and behind the pooling.
template <typename Body>
ffi::Error run_windows(ffi::ThreadPool pool, FloatsResult result, Sizes images, Sizes results,
                       Placed placed, const Body& body) {
  const Kernels* kernels = chosen();
  if (kernels == nullptr) return ffi::Error::Internal("no kernels for STRIATE_ISA here");
  if (images.size() != 5 || results.size() != 5 || placed.size() != 8) {
    return ffi::Error::InvalidArgument("a striate pooling has other ranks or attributes");
  }
  if (result->element_count() == 0) return ffi::Error::Success();
  const int64_t models = result->dimensions()[0];
  body(*kernels, IntraOpPool(pool),
       Windows{models, images[1], images[2], images[3], images[4], placed[0], placed[1],
               placed[2], placed[3], placed[4], placed[5], placed[6], placed[7], results[2],
               results[3]});
  return ffi::Error::Success();
}

ffi::Error max_pool(ffi::ThreadPool pool, Floats x, FloatsResult y, BytesResult positions,
                    Placed placed) {
  return run_windows(
      pool, y, x.dimensions(), y->dimensions(), placed,
      [&](const auto& kernels, const auto& workers, const auto& op) {
        kernels.max_pool(workers, op, per_model(x), y->typed_data(),
                         positions->element_count() == 0 ? nullptr : positions->typed_data());
      });
}

// Without positions: the mean.
ffi::Error pooled(ffi::ThreadPool pool, Floats x, Bytes positions, FloatsResult y, Placed placed) {
  return run_windows(pool, y, x.dimensions(), y->dimensions(), placed,
                     [&](const auto& kernels, const auto& workers, const auto& op) {
                       if (positions.element_count() == 0) {
                         kernels.mean_pool(workers, op, per_model(x), y->typed_data());
                       } else {
                         kernels.pool_picked(workers, op, per_model(x), per_model(positions),
                                             y->typed_data());
                       }
                     });
}

ffi::Error pool_input(ffi::ThreadPool pool, Floats gradient, Bytes positions, FloatsResult dx,
                      Placed placed) {
  return run_windows(pool, dx, dx->dimensions(), gradient.dimensions(), placed,
                     [&](const auto& kernels, const auto& workers, const auto& op) {
                       kernels.pool_input(workers, op, per_model(gradient), per_model(positions),
                                          dx->typed_data());
                     });
}

// left (rows, inner) times right (inner, columns) for each model; `transposed` says which of them
// lies the other way round.
ffi::Error product(ffi::ThreadPool pool, Floats left, Floats right, FloatsResult result,
                   ffi::Span<const int64_t> transposed) {
  const Kernels* kernels = chosen();
  if (kernels == nullptr) return ffi::Error::Internal("no kernels for STRIATE_ISA here");
  const auto a = left.dimensions(), b = right.dimensions(), c = result->dimensions();
  if (a.size() != 3 || b.size() != 3 || c.size() != 3 || transposed.size() != 2) {
    return ffi::Error::InvalidArgument("a striate product has other ranks or attributes");
  }
  if (result->element_count() == 0) return ffi::Error::Success();
  const bool left_transposed = transposed[0] != 0, right_transposed = transposed[1] != 0;
  kernels->product(IntraOpPool(pool),
                   Product{c[0], c[1], a[left_transposed ? 1 : 2], c[2], left_transposed,
                           right_transposed},
                   per_model(left), per_model(right), result->typed_data());
  return ffi::Error::Success();
}

}  // namespace
}  // namespace striate

#define STRIATE_ATTRIBUTES                                  \
  Attr<ffi::Span<const int64_t>>("geometry")                \
      .Attr<ffi::Span<const int64_t>>("outputs")            \
      .Attr<ffi::Span<const int64_t>>("fused")

#define STRIATE_EXPORT __attribute__((visibility("default")))

extern "C" {
STRIATE_EXPORT XLA_FFI_Error* StriateForward(XLA_FFI_CallFrame*);
STRIATE_EXPORT XLA_FFI_Error* StriatePicked(XLA_FFI_CallFrame*);
STRIATE_EXPORT XLA_FFI_Error* StriateInput(XLA_FFI_CallFrame*);
STRIATE_EXPORT XLA_FFI_Error* StriateKernel(XLA_FFI_CallFrame*);
STRIATE_EXPORT XLA_FFI_Error* StriateMaxPool(XLA_FFI_CallFrame*);
STRIATE_EXPORT XLA_FFI_Error* StriatePooled(XLA_FFI_CallFrame*);
STRIATE_EXPORT XLA_FFI_Error* StriatePoolInput(XLA_FFI_CallFrame*);
STRIATE_EXPORT XLA_FFI_Error* StriateProduct(XLA_FFI_CallFrame*);
}

XLA_FFI_DEFINE_HANDLER_SYMBOL(StriateForward, striate::forward,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<striate::Floats>()
                                  .Arg<striate::Floats>()
                                  .Arg<striate::Floats>()
                                  .Ret<striate::Floats>()
                                  .Ret<striate::Bytes>()
                                  .STRIATE_ATTRIBUTES);

XLA_FFI_DEFINE_HANDLER_SYMBOL(StriatePicked, striate::picked,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<striate::Floats>()
                                  .Arg<striate::Floats>()
                                  .Arg<striate::Floats>()
                                  .Arg<striate::Bytes>()
                                  .Ret<striate::Floats>()
                                  .STRIATE_ATTRIBUTES);

XLA_FFI_DEFINE_HANDLER_SYMBOL(StriateInput, striate::input,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<striate::Floats>()
                                  .Arg<striate::Floats>()
                                  .Arg<striate::Bytes>()
                                  .Ret<striate::Floats>()
                                  .STRIATE_ATTRIBUTES);

XLA_FFI_DEFINE_HANDLER_SYMBOL(StriateKernel, striate::kernel,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<striate::Floats>()
                                  .Arg<striate::Floats>()
                                  .Arg<striate::Bytes>()
                                  .Ret<striate::Floats>()
                                  .Ret<striate::Floats>()
                                  .STRIATE_ATTRIBUTES);

XLA_FFI_DEFINE_HANDLER_SYMBOL(StriateMaxPool, striate::max_pool,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<striate::Floats>()
                                  .Ret<striate::Floats>()
                                  .Ret<striate::Bytes>()
                                  .Attr<striate::Placed>("windows"));

XLA_FFI_DEFINE_HANDLER_SYMBOL(StriatePooled, striate::pooled,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<striate::Floats>()
                                  .Arg<striate::Bytes>()
                                  .Ret<striate::Floats>()
                                  .Attr<striate::Placed>("windows"));

XLA_FFI_DEFINE_HANDLER_SYMBOL(StriatePoolInput, striate::pool_input,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<striate::Floats>()
                                  .Arg<striate::Bytes>()
                                  .Ret<striate::Floats>()
                                  .Attr<striate::Placed>("windows"));

XLA_FFI_DEFINE_HANDLER_SYMBOL(StriateProduct, striate::product,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<striate::Floats>()
                                  .Arg<striate::Floats>()
                                  .Ret<striate::Floats>()
                                  .Attr<ffi::Span<const int64_t>>("transposed"));

// The jaxlib of whose headers this was made.
extern "C" __attribute__((visibility("default"))) const char* striate_jaxlib() {
  return STRIATE_JAXLIB;
}
