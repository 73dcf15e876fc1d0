"""The compiled CPU kernels as JAX calls: the only Python file that knows XLA's FFI.

Operands have a leading axis of models, of length 1 where all models share them; images are
(model, n, row, column, channel), kernels (model, row, column, channel, filter), all float32. An
absent bias or array of positions is one without elements. What each op returns, and its
derivatives, are in `striate.kernels.fused`, `.pool2d` and `.products`.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib.metadata
import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import jax
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
    "striate_max_pool": "StriateMaxPool",
    "striate_pooled": "StriatePooled",
    "striate_pool_input": "StriatePoolInput",
    "striate_rows": "StriateProduct",
    "striate_sums": "StriateProduct",
}
PLAIN = Geometry()
_POOLINGS = {"none": 0, "max": 1, "average": 2}


@functools.cache
def _loaded() -> ctypes.CDLL | str:
    """Return the compiled library with its targets registered, or why there is none."""
    if os.environ.get("STRIATE_KERNELS") == "reference":
        return "STRIATE_KERNELS=reference switches the compiled kernels off"
    path = _path()
    if path is None:
        return (
            "this installation has no compiled kernels: install a C++17 compiler (g++ or clang) "
            "and striate again"
        )
    try:
        loaded = ctypes.CDLL(str(path))
        handlers = {name: getattr(loaded, symbol) for name, symbol in TARGETS.items()}
        loaded.striate_build.restype = ctypes.c_char_p
        loaded.striate_jaxlib.restype = ctypes.c_char_p
        loaded.striate_by_tiles.restype = ctypes.c_int
    except (OSError, AttributeError):  # broken, or compiled from other sources than these
        return f"{path} cannot be loaded, or is older than these sources: install striate again"
    loaded.striate_problem.restype = ctypes.c_char_p
    loaded.striate_instruction_set.restype = ctypes.c_char_p
    problem = loaded.striate_problem(_requested())
    if problem is not None:
        raise StriateError(f"STRIATE_ISA={os.environ['STRIATE_ISA']}: {problem.decode()}")
    compiled_for, here = loaded.striate_jaxlib().decode(), importlib.metadata.version("jaxlib")
    if compiled_for != here:
        # What it does not take it refuses now, and not when it begins to compute.
        with contextlib.suppress(RuntimeError):  # where JAX_PLATFORMS leaves the processor out
            jax.devices("cpu")
    try:
        for name, handler in handlers.items():
            jax.ffi.register_ffi_target(name, jax.ffi.pycapsule(handler), platform="cpu")
    except jax.errors.JaxRuntimeError:
        return (
            f"the kernels were compiled for jaxlib {compiled_for}, and jaxlib {here} does not take "
            "them: install striate again"
        )
    return loaded


def library() -> ctypes.CDLL | None:
    """Return the compiled library with its targets registered, or None; `why_not` says why."""
    loaded = _loaded()
    return None if isinstance(loaded, str) else loaded


def available() -> bool:
    """Whether the compiled kernels can be used here."""
    return library() is not None


def why_not() -> str | None:
    """Return why the compiled kernels are not used, and what to do; None if they are."""
    loaded = _loaded()
    return loaded if isinstance(loaded, str) else None


def instruction_set() -> str | None:
    """Return the name of the instruction set that runs, or None without compiled kernels."""
    loaded = library()
    return None if loaded is None else loaded.striate_instruction_set(_requested()).decode()


def build() -> str | None:
    """Return a hash of the sources, compiler and flags of the compiled kernels; None without."""
    loaded = library()
    return None if loaded is None else loaded.striate_build().decode()


def supports(dtype: np.dtype, geometry: Geometry = PLAIN) -> bool:
    """Whether the kernels compute an op of this type and, if it has windows, geometry."""
    return available() and dtype == np.float32 and geometry.groups == 1


def by_winograd(
    images: Sequence[int], kernel: Sequence[int], geometry: Geometry, fusion: Fusion
) -> Literal["all", "gradients", "none"]:
    """Return what of a compiled convolution of these shapes takes Winograd's multiplications."""
    loaded = library()
    if loaded is None:
        return "none"
    outputs = geometry.output_size((images[1], images[2]), (kernel[0], kernel[1]))
    fields = convolution(geometry, fusion, outputs)
    one = (1, 1, *images[1:], kernel[0], kernel[1], kernel[3])
    sizes = (*one, *fields["geometry"], *fields["outputs"], *fields["fused"])
    answers: tuple[Literal["none", "gradients", "all"], ...] = ("none", "gradients", "all")
    return answers[loaded.striate_by_tiles((ctypes.c_int64 * len(sizes))(*map(int, sizes)))]


def call(
    target: str,
    results: Sequence[jax.ShapeDtypeStruct],
    operands: Sequence[Array],
    attributes: dict[str, Any],
) -> Sequence[Array]:
    """Run a compiled op; `results` are the shapes of what it returns."""
    return jax.ffi.ffi_call(target, tuple(results))(*operands, **attributes)


def convolution(geometry: Geometry, fusion: Fusion, outputs: Pair) -> dict[str, Any]:
    """Return the attributes of a convolution, of which `outputs` is the size before pooling."""
    (top, _), (left, _) = geometry.padding
    placed = (*geometry.stride, top, left, *geometry.dilation)
    after = (_POOLINGS[fusion.pooling], *fusion.window, int(fusion.relu))
    return {
        "geometry": np.array(placed, np.int64),
        "outputs": np.array(outputs, np.int64),
        "fused": np.array(after, np.int64),
    }


def windows(window: Pair, geometry: Geometry) -> dict[str, Any]:
    """Return the attributes of a pooling."""
    (top, _), (left, _) = geometry.padding
    placed = (*window, *geometry.stride, top, left, *geometry.dilation)
    return {"windows": np.array(placed, np.int64)}


def _path() -> Path | None:
    # An editable installation keeps the library away from the sources.
    found = importlib.util.find_spec("striate.kernels._native")
    return None if found is None or found.origin is None else Path(found.origin)


def _requested() -> bytes | None:
    return os.environ.get("STRIATE_ISA", "").encode() or None
