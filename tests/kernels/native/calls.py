"""The compiled kernels called with raw pointers, with nothing of JAX in between."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import numpy as np
import pytest

from striate.kernels import native
from striate.kernels.cases import Case, PoolingCase


def _present(isa):
    return native.available() and native.library().striate_problem(isa.encode()) is None


isas = pytest.mark.parametrize(
    "isa",
    [
        pytest.param(isa, marks=[] if _present(isa) else pytest.mark.skip("not on this processor"))
        for isa in ("avx512", "avx2", "baseline")
    ],
)

_POOLINGS = {"none": 0, "max": 1, "average": 2}
_GUARD = 64


class Guarded:
    """An array with NaN (for bytes: 170) before and behind it."""

    def __init__(self, shape, dtype=np.float32, values=None):
        size = int(np.prod(shape))
        self._fill = np.nan if dtype == np.float32 else 170
        self._whole = np.full(size + 2 * _GUARD, self._fill, dtype)
        self.array = self._whole[_GUARD : _GUARD + size].reshape(shape)
        if values is not None:
            self.array[...] = values

    def untouched(self):
        borders = np.concatenate([self._whole[:_GUARD], self._whole[-_GUARD:]])
        return np.isnan(borders).all() if np.isnan(self._fill) else (borders == self._fill).all()


def sizes(case, models):
    """The sizes of a convolution and of what follows it, as the kernels take them."""
    (top, _), (left, _) = case.geometry.padding
    after = case.fusion
    return [
        *(models, case.images, *case.image, case.channels),
        *(*case.window, case.filters, *case.geometry.stride, top, left),
        *(*case.geometry.dilation, *case.convolved),
        *(_POOLINGS[after.pooling], *after.window, int(after.relu)),
    ]


def pooling_sizes(case, models):
    """The sizes of a pooling, likewise."""
    (top, _), (left, _) = case.geometry.padding
    return [
        *(models, case.images, *case.image, case.channels, *case.window),
        *(*case.geometry.stride, top, left, *case.geometry.dilation, *case.outputs),
    ]


def _call(name, isa, threads, numbers, operands):
    given = np.array(numbers, np.int64)
    pointers = [None if o is None else o.array.ctypes.data_as(ctypes.c_void_p) for o in operands]
    getattr(native.library(), name)(
        isa.encode(),
        ctypes.c_int64(threads),
        given.ctypes.data_as(ctypes.c_void_p),
        *pointers,
    )
    assert all(o is None or o.untouched() for o in operands)


def product_sizes(case, models, transposed=(False, False)):
    """The sizes of a product of matrices, likewise."""
    return [models, case.rows, case.inner, case.columns, *map(int, transposed)]


def multiply(left, right, transposed, isa="baseline", threads=1):
    """Multiply matrices of several models; an operand that is transposed lies the other way."""
    models, *rows_inner = left.array.shape
    rows, inner = reversed(rows_inner) if transposed[0] else rows_inner
    columns = right.array.shape[1 if transposed[1] else 2]
    result = Guarded((models, rows, columns))
    numbers = [models, rows, inner, columns, *map(int, transposed)]
    _call("striate_product", isa, threads, numbers, (left, right, result))
    return result


@dataclass
class Calls:
    """The four ops for one case, instruction set and number of threads."""

    case: Case
    models: int = 1
    isa: str = "baseline"
    threads: int = 1

    def _call(self, name, *operands):
        _call(name, self.isa, self.threads, sizes(self.case, self.models), operands)

    @property
    def _result(self):
        return (self.models, self.case.images, *self.case.outputs, self.case.filters)

    def forward(self, x, kernel, bias):
        y, positions = Guarded(self._result), Guarded(self._result, np.uint8)
        self._call("striate_forward", x, kernel, bias, y, positions)
        return y, positions if self.case.fusion.picks else None

    def picked(self, x, kernel, bias, positions):
        y = Guarded(self._result)
        self._call("striate_picked", x, kernel, bias, positions, y)
        return y

    def input(self, gradient, positions, kernel):
        shape = (self.models, self.case.images, *self.case.image, self.case.channels)
        dx = Guarded(shape)
        self._call("striate_input", gradient, positions, kernel, dx)
        return dx

    def kernel(self, x, gradient, positions):
        case = self.case
        dkernel = Guarded((self.models, *case.window, case.channels, case.filters))
        dbias = Guarded((self.models, case.filters))
        self._call("striate_kernel", x, gradient, positions, dkernel, dbias)
        return dkernel, dbias


@dataclass
class PoolingCalls:
    """The ops of one pooling, instruction set and number of threads."""

    case: PoolingCase
    models: int = 1
    isa: str = "baseline"
    threads: int = 1

    def _call(self, name, *operands):
        _call(name, self.isa, self.threads, pooling_sizes(self.case, self.models), operands)

    @property
    def images(self):
        return (self.models, self.case.images, *self.case.image, self.case.channels)

    @property
    def results(self):
        return (self.models, self.case.images, *self.case.outputs, self.case.channels)

    def forward(self, x):
        """Return values, and positions of maxima."""
        y = Guarded(self.results)
        if self.case.kind == "average":
            self._call("striate_mean_pool", x, y)
            return y, None
        positions, alone = Guarded(self.results, np.uint8), Guarded(self.results)
        self._call("striate_max_pool", x, y, positions)
        self._call("striate_max_pool", x, alone, None)
        np.testing.assert_array_equal(alone.array, y.array)
        return y, positions

    def picked(self, x, positions):
        y = Guarded(self.results)
        self._call("striate_pool_picked", x, positions, y)
        return y

    def input(self, gradient, positions):
        dx = Guarded(self.images)
        self._call("striate_pool_input", gradient, positions, dx)
        return dx
