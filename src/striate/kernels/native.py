"""The compiled CPU kernels as JAX calls: the only Python file that knows XLA's FFI.

Operands have a leading axis of models, of length 1 where all models share them; images are
(model, n, row, column, channel), kernels (model, row, column, channel, filter), all float32. An
absent bias or array of positions is one without elements. Nothing here is differentiable: that is
`striate.kernels.fused`.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import os
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from striate.errors import StriateError
from striate.kernels.fusion import Fusion
from striate.kernels.geometry import Geometry, Pair

Array = jax.Array

TARGETS = {
    "striate_forward": "StriateForward",
    "striate_picked": "StriatePicked",
    "striate_input": "StriateInput",
    "striate_kernel": "StriateKernel",
}
_POOLINGS = {"none": 0, "max": 1, "average": 2}


@functools.cache
def library() -> ctypes.CDLL | None:
    """Return the compiled library with its targets registered, or None; `why_not` says why."""
    path = _path()
    if path is None or os.environ.get("STRIATE_KERNELS") == "reference":
        return None
    try:
        loaded = ctypes.CDLL(str(path))
    except OSError:
        return None
    loaded.striate_problem.restype = ctypes.c_char_p
    loaded.striate_instruction_set.restype = ctypes.c_char_p
    problem = loaded.striate_problem(_requested())
    if problem is not None:
        raise StriateError(f"STRIATE_ISA={os.environ['STRIATE_ISA']}: {problem.decode()}")
    for name, symbol in TARGETS.items():
        jax.ffi.register_ffi_target(
            name, jax.ffi.pycapsule(getattr(loaded, symbol)), platform="cpu"
        )
    return loaded


def available() -> bool:
    """Whether the compiled kernels can be used here."""
    return library() is not None


def why_not() -> str | None:
    """Return why the compiled kernels are not used, and what to do; None if they are."""
    if available():
        return None
    if os.environ.get("STRIATE_KERNELS") == "reference":
        return "STRIATE_KERNELS=reference switches the compiled kernels off"
    path = _path()
    if path is None:
        return (
            "this installation has no compiled kernels: install a C++17 compiler (g++ or clang) "
            "and striate again"
        )
    return f"{path} cannot be loaded: install striate again"


def instruction_set() -> str | None:
    """Return the name of the instruction set that runs, or None without compiled kernels."""
    loaded = library()
    return None if loaded is None else loaded.striate_instruction_set(_requested()).decode()


def supports(dtype: np.dtype, geometry: Geometry) -> bool:
    """Whether the kernels compute a convolution of this type and geometry."""
    return available() and dtype == np.float32 and geometry.groups == 1


def forward(
    x: Array, kernel: Array, bias: Array, *, geometry: Geometry, fusion: Fusion, positions: bool
) -> tuple[Array, Array]:
    """Convolve, add the bias, activate and pool; return values and positions."""
    outputs = geometry.output_size(_size(x), _window(kernel))
    models = max(x.shape[0], kernel.shape[0], bias.shape[0])
    shape = (models, x.shape[1], *fusion.output_size(outputs), kernel.shape[4])
    results = (
        jax.ShapeDtypeStruct(shape, np.float32),
        jax.ShapeDtypeStruct(shape if positions else (1, 0), np.uint8),
    )
    values, picked = jax.ffi.ffi_call("striate_forward", results)(
        x, kernel, bias, **_attributes(geometry, fusion, outputs)
    )
    return values, picked


def picked(
    x: Array, kernel: Array, bias: Array, positions: Array, *, geometry: Geometry, fusion: Fusion
) -> tuple[Array]:
    """Convolve, add the bias, and return the pixels that `positions` name."""
    outputs = geometry.output_size(_size(x), _window(kernel))
    models = max(x.shape[0], kernel.shape[0], bias.shape[0], positions.shape[0])
    shape = (models, x.shape[1], *fusion.output_size(outputs), kernel.shape[4])
    values = jax.ffi.ffi_call("striate_picked", jax.ShapeDtypeStruct(shape, np.float32))(
        x, kernel, bias, positions, **_attributes(geometry, fusion, outputs)
    )
    return (values,)


def input_gradient(
    gradient: Array,
    kernel: Array,
    positions: Array,
    *,
    geometry: Geometry,
    fusion: Fusion,
    image: Pair,
) -> tuple[Array]:
    """Return the transpose of `picked` in x."""
    outputs = geometry.output_size(image, _window(kernel))
    models = max(gradient.shape[0], kernel.shape[0], positions.shape[0])
    shape = (models, gradient.shape[1], *image, kernel.shape[3])
    dx = jax.ffi.ffi_call("striate_input", jax.ShapeDtypeStruct(shape, np.float32))(
        gradient, kernel, positions, **_attributes(geometry, fusion, outputs)
    )
    return (dx,)


def kernel_gradient(
    x: Array,
    gradient: Array,
    positions: Array,
    *,
    geometry: Geometry,
    fusion: Fusion,
    window: Pair,
    with_bias: bool,
) -> tuple[Array, Array]:
    """Return the transposes of `picked` in kernel and bias (without elements if not asked for)."""
    outputs = geometry.output_size(_size(x), window)
    models = max(x.shape[0], gradient.shape[0], positions.shape[0])
    filters = gradient.shape[4]
    results = (
        jax.ShapeDtypeStruct((models, *window, x.shape[4], filters), np.float32),
        jax.ShapeDtypeStruct((models, filters if with_bias else 0), np.float32),
    )
    dkernel, dbias = jax.ffi.ffi_call("striate_kernel", results)(
        x, gradient, positions, **_attributes(geometry, fusion, outputs)
    )
    return dkernel, dbias


def absent(dtype: np.dtype | type) -> Array:
    """Return the operand that stands for no bias or no positions."""
    return jnp.zeros((1, 0), dtype)


def _path() -> Path | None:
    # An editable installation keeps the library away from the sources.
    found = importlib.util.find_spec("striate.kernels._native")
    return None if found is None or found.origin is None else Path(found.origin)


def _requested() -> bytes | None:
    return os.environ.get("STRIATE_ISA", "").encode() or None


def _attributes(geometry: Geometry, fusion: Fusion, outputs: Pair) -> dict[str, np.ndarray]:
    (top, _), (left, _) = geometry.padding
    placed = (*geometry.stride, top, left, *geometry.dilation)
    after = (_POOLINGS[fusion.pooling], *fusion.window, int(fusion.relu))
    return {
        "geometry": np.array(placed, np.int64),
        "outputs": np.array(outputs, np.int64),
        "fused": np.array(after, np.int64),
    }


def _size(images: Array) -> Pair:
    return images.shape[2], images.shape[3]


def _window(kernel: Array) -> Pair:
    return kernel.shape[1], kernel.shape[2]
