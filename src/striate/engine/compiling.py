"""How XLA compiles the loops of a training."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax

from striate.kernels import native

# Dense layers have kernels of their own; of other products of matrices XLA's fused ones (YNNPACK)
# run on one thread. Without AVX-512 its other ones, which use all, are as fast on one, so that
# steps with large products are done sooner. Where AVX-512 makes the fused ones faster they stay.
_THREADED_PRODUCTS = {"xla_cpu_experimental_ynn_fusion_type": ""}


def compiled(function: Callable[..., Any], **options: Any) -> Any:
    """Return `jax.jit` of a loop, with `options` of `jax.jit` and XLA's that serve a loop here."""
    return jax.jit(function, compiler_options=xla_options(), **options)


@functools.cache
def xla_options() -> dict[str, str] | None:
    """Return XLA's options for this processor, None where its defaults serve."""
    if jax.default_backend() != "cpu" or native.instruction_set() in (None, "avx512"):
        return None
    try:
        jax.jit(lambda: 0, compiler_options=_THREADED_PRODUCTS).lower().compile()
    except jax.errors.JaxRuntimeError:
        return None  # this jaxlib has no such option
    return _THREADED_PRODUCTS
