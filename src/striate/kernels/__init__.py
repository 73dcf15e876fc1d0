"""Convolution, pooling, matrix products on a CPU: what each op means, which implementation runs.

This stage knows arrays only: neither Keras nor data sets. ``geometry`` says where windows lie,
``reference`` defines every op in plain JAX, ``primitives`` makes the three bilinear ops of a
convolution differentiable to any order, and ``dispatch`` chooses and says what it chose.
"""

from striate.kernels.dispatch import Lowered, Pooling, convolve, multiply, pool
from striate.kernels.geometry import Geometry, same_padding

__all__ = ["Geometry", "Lowered", "Pooling", "convolve", "multiply", "pool", "same_padding"]
