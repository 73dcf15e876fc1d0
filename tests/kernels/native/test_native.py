"""The compiled kernels against float64 mathematics, with raw pointers and guarded buffers."""

import ctypes
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import mathematics
import numpy as np
import pytest
from calls import Calls, Guarded, isas

from striate.kernels import native
from striate.kernels.cases import CASES, Case
from striate.kernels.fusion import Fusion

pytestmark = pytest.mark.skipif(not native.available(), reason=str(native.why_not()))

MODELS = 2


cases = pytest.mark.parametrize("entry", CASES, ids=lambda entry: entry.name)


class Operands:
    def __init__(self, case, seed=0):
        rng = np.random.default_rng(seed)

        def normal(*shape):
            return Guarded(shape, values=rng.normal(size=shape))

        self.x = normal(MODELS, case.images, *case.image, case.channels)
        self.kernel = normal(MODELS, *case.window, case.channels, case.filters)
        self.bias = normal(MODELS, case.filters)
        self.gradient = normal(MODELS, case.images, *case.outputs, case.filters)


def _difference(found, expected):
    return np.abs(found - expected).max()


@cases
@isas
def test_values_and_gradients(entry, isa):
    given, calls = Operands(entry), Calls(entry, MODELS, isa)
    y, positions = calls.forward(given.x, given.kernel, given.bias)
    dx = calls.input(given.gradient, positions, given.kernel)
    dkernel, dbias = calls.kernel(given.x, given.gradient, positions)
    for m in range(MODELS):
        x, kernel, gradient = (o.array[m] for o in (given.x, given.kernel, given.gradient))
        convolved = mathematics.convolve(x, kernel, given.bias.array[m], entry)
        expected = mathematics.follow(convolved, entry)
        assert _difference(y.array[m], expected) < entry.tolerance()
        picked = None if positions is None else positions.array[m]
        if picked is not None:
            # The positions name pixels whose values are those returned.
            shares = mathematics.shares(picked, entry, expected.shape)
            again = (mathematics.windows(convolved, entry) * shares).sum(axis=-1)
            assert _difference(again, expected) < entry.tolerance()
        whole = mathematics.spread(gradient, picked, entry)
        expected = mathematics.input_gradient(whole, kernel, entry)
        assert _difference(dx.array[m], expected) < entry.tolerance("input")
        expected = mathematics.kernel_gradient(x, whole, entry)
        assert _difference(dkernel.array[m], expected) < entry.tolerance("kernel")
        expected = whole.sum(axis=(0, 1, 2))
        assert _difference(dbias.array[m], expected) < entry.tolerance("kernel")


@pytest.mark.parametrize(
    "entry", [c for c in CASES if c.fusion.picks], ids=lambda entry: entry.name
)
@isas
def test_picked_is_the_convolution_at_the_positions(entry, isa):
    given, other, calls = Operands(entry), Operands(entry, seed=1), Calls(entry, MODELS, isa)
    _, positions = calls.forward(given.x, given.kernel, given.bias)
    found = calls.picked(other.x, other.kernel, other.bias, positions)
    for m in range(MODELS):
        convolved = mathematics.convolve(
            other.x.array[m], other.kernel.array[m], other.bias.array[m], entry
        )
        shares = mathematics.shares(positions.array[m], entry, found.array[m].shape)
        expected = (mathematics.windows(convolved, entry) * shares).sum(axis=-1)
        assert _difference(found.array[m], expected) < entry.tolerance()


def _everything(case, isa, threads):
    given, calls = Operands(case), Calls(case, MODELS, isa, threads)
    y, positions = calls.forward(given.x, given.kernel, given.bias)
    dx = calls.input(given.gradient, positions, given.kernel)
    dkernel, dbias = calls.kernel(given.x, given.gradient, positions)
    return [o.array.copy() for o in (y, dx, dkernel, dbias)]


@cases
@pytest.mark.parametrize("threads", [2, 8])
def test_the_same_bits_with_any_number_of_threads(entry, threads):
    alone = _everything(entry, native.instruction_set(), 1)
    for one, many in zip(alone, _everything(entry, native.instruction_set(), threads), strict=True):
        np.testing.assert_array_equal(one.view(np.uint32), many.view(np.uint32))


@isas
@pytest.mark.parametrize("relu", [False, True])
def test_the_first_of_equal_maxima_wins(isa, relu):
    case = Case("ties", 1, (4, 4), 1, (1, 1), 3, fusion=Fusion("max", (2, 2), relu))
    calls = Calls(case, 1, isa)
    image = np.array([[1, 1, 0, 2], [1, 1, 2, 2], [0, 0, 0, 3], [0, 0, 3, 0]], np.float32)
    x = Guarded((1, 1, 4, 4, 1), values=image[None, None, :, :, None])
    kernel = Guarded((1, 1, 1, 1, 3), values=np.ones(3))
    bias = Guarded((1, 3), values=np.zeros(3))
    y, positions = calls.forward(x, kernel, bias)
    assert y.array[0, 0, :, :, 0].tolist() == [[1, 2], [0, 3]]
    assert positions.array[0, 0, :, :, 2].tolist() == [[0, 1], [255 if relu else 0, 1]]


@isas
@pytest.mark.parametrize("where", range(4))
@pytest.mark.parametrize("window", [(2, 2), (1, 4)])
@pytest.mark.parametrize("relu", [False, True])
def test_nan_wins(isa, where, window, relu):
    case = Case("nan", 1, window, 1, (1, 1), 1, fusion=Fusion("max", window, relu))
    values = np.array([5.0, 6.0, 7.0, 8.0], np.float32)
    values[where] = np.nan
    x = Guarded((1, 1, *window, 1), values=values.reshape(1, 1, *window, 1))
    one = Guarded((1, 1, 1, 1, 1), values=1)
    y, positions = Calls(case, 1, isa).forward(x, one, Guarded((1, 1), values=0))
    assert np.isnan(y.array).all()
    # The first pixel of a window with NaN takes the gradient; jax.nn.relu passes none at NaN.
    assert positions.array.item() == (255 if relu else 0)


def test_multiply_add_counts_its_operations():
    result = ctypes.c_float()
    multiply_add = native.library().striate_multiply_add
    multiply_add.restype = ctypes.c_int64
    few = multiply_add(None, ctypes.c_int64(10), ctypes.byref(result))
    assert multiply_add(None, ctypes.c_int64(20), ctypes.byref(result)) == 2 * few
    assert np.isfinite(result.value)


def _in_python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_instruction_set_can_be_chosen():
    code = "from striate.kernels import native; print(native.instruction_set())"
    assert _in_python(code, STRIATE_ISA="baseline").stdout.strip() == "baseline"


def test_an_unknown_instruction_set_is_an_error():
    code = "from striate.kernels import native; native.available()"
    error = _in_python(code, STRIATE_ISA="avx1024").stderr
    assert "STRIATE_ISA=avx1024" in error
    assert "avx512, avx2 or baseline" in error


@pytest.mark.skipif(not native.available(), reason="needs the compiled kernels")
def test_a_build_has_a_name_of_its_own():
    assert re.fullmatch("[0-9a-f]{12}", native.build())


def test_the_kernels_can_be_switched_off():
    code = "from striate.kernels import native; print(native.available(), native.why_not())"
    answer = _in_python(code, STRIATE_KERNELS="reference").stdout
    assert answer.startswith("False STRIATE_KERNELS=reference")


def test_a_library_of_other_sources_is_not_used(monkeypatch):
    other = Path(importlib.util.find_spec("numpy._core._multiarray_umath").origin)
    monkeypatch.setattr(native, "_path", lambda: other)
    monkeypatch.setattr(native, "_loaded", native._loaded.__wrapped__)
    assert not native.available()
    assert native.why_not() == (
        f"{other} cannot be loaded, or is older than these sources: install striate again"
    )
