"""The compiled poolings against float64 mathematics, with raw pointers and guarded buffers."""

import mathematics
import numpy as np
import pytest
from calls import Guarded, PoolingCalls, isas

from striate.kernels import native
from striate.kernels.cases import POOLINGS, PoolingCase
from striate.kernels.geometry import Geometry

pytestmark = pytest.mark.skipif(not native.available(), reason=str(native.why_not()))

MODELS = 2

poolings = pytest.mark.parametrize("entry", POOLINGS, ids=lambda entry: entry.name)
maxima = pytest.mark.parametrize(
    "entry", [c for c in POOLINGS if c.kind == "max"], ids=lambda entry: entry.name
)


def _normal(shape, seed):
    return Guarded(shape, values=np.random.default_rng(seed).normal(size=shape))


@poolings
@isas
def test_values_and_gradients(entry, isa):
    calls = PoolingCalls(entry, MODELS, isa)
    x, gradient = _normal(calls.images, 0), _normal(calls.results, 1)
    y, positions = calls.forward(x)
    dx = calls.input(gradient, positions)
    for m in range(MODELS):
        values, share = mathematics.pool(x.array[m], entry)
        if entry.kind == "max":
            np.testing.assert_array_equal(y.array[m], values)
            np.testing.assert_array_equal(positions.array[m], share.argmax(axis=0))
        assert np.abs(y.array[m] - values).max() < entry.tolerance
        expected = mathematics.pool_gradient(gradient.array[m].astype(float), share, entry)
        assert np.abs(dx.array[m] - expected).max() < entry.tolerance


@maxima
@isas
def test_picked_are_the_pixels_at_the_positions(entry, isa):
    calls = PoolingCalls(entry, MODELS, isa)
    _, positions = calls.forward(_normal(calls.images, 0))
    other = _normal(calls.images, 1)
    found = calls.picked(other, positions)
    for m in range(MODELS):
        expected = mathematics.pool_picked(other.array[m], positions.array[m], entry)
        np.testing.assert_array_equal(found.array[m], expected)


def _everything(case, threads):
    calls = PoolingCalls(case, MODELS, native.instruction_set(), threads)
    y, positions = calls.forward(_normal(calls.images, 0))
    dx = calls.input(_normal(calls.results, 1), positions)
    return y.array.copy(), dx.array.copy()


@poolings
@pytest.mark.parametrize("threads", [2, 8])
def test_the_same_bits_with_any_number_of_threads(entry, threads):
    for one, many in zip(_everything(entry, 1), _everything(entry, threads), strict=True):
        np.testing.assert_array_equal(one.view(np.uint32), many.view(np.uint32))


@isas
@pytest.mark.parametrize("channels", [1, 3, 40])
def test_the_first_of_equal_maxima_wins(isa, channels):
    case = PoolingCase("ties", "max", 1, (3, 5), channels, (2, 3), Geometry((1, 2)))
    calls = PoolingCalls(case, 1, isa)
    image = np.array([[0, 1, 1, 1, 2], [1, 0, 1, 2, 2], [3, 3, 0, 3, 3]], np.float32)
    x = Guarded(calls.images, values=image[None, None, :, :, None])
    y, positions = calls.forward(x)
    for channel in range(channels):
        assert y.array[0, 0, :, :, channel].tolist() == [[1, 2], [3, 3]]
        assert positions.array[0, 0, :, :, channel].tolist() == [[1, 2], [3, 4]]


@isas
@pytest.mark.parametrize("where", range(6))
@pytest.mark.parametrize("channels", [1, 40])
def test_nan_wins_and_the_first_pixel_takes_its_gradient(isa, where, channels):
    case = PoolingCase("nan", "max", 1, (2, 3), channels, (2, 3), Geometry((2, 3)))
    calls = PoolingCalls(case, 1, isa)
    values = np.arange(6, dtype=np.float32)
    values[where] = np.nan
    x = Guarded(calls.images, values=values.reshape(1, 1, 2, 3, 1))
    y, positions = calls.forward(x)
    assert np.isnan(y.array).all()
    assert not positions.array.any()


@isas
@pytest.mark.parametrize("channels", [1, 20])
def test_padding_takes_no_part(isa, channels):
    values = [[-7, -5], [-6, -4]]
    image = np.array(values, np.float32)[None, None, :, :, None]
    for kind in ("max", "average"):
        placed = Geometry((2, 2), ((1, 1), (1, 1)))
        case = PoolingCase("border", kind, 1, (2, 2), channels, (2, 2), placed)
        calls = PoolingCalls(case, 1, isa)
        y, positions = calls.forward(Guarded(calls.images, values=image))
        dx = calls.input(Guarded(calls.results, values=1), positions)
        for channel in range(channels):
            assert y.array[0, 0, :, :, channel].tolist() == values
            assert dx.array[0, 0, :, :, channel].tolist() == [[1, 1], [1, 1]]
