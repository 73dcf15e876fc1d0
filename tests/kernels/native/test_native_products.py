"""The compiled products of matrices against float64, with raw pointers and guarded buffers."""

import numpy as np
import pytest
from calls import Guarded, isas, multiply

from striate.kernels import native
from striate.kernels.cases import PRODUCTS

pytestmark = pytest.mark.skipif(not native.available(), reason=str(native.why_not()))

MODELS = 2

products = pytest.mark.parametrize("entry", PRODUCTS, ids=lambda entry: entry.name)
transpositions = pytest.mark.parametrize(
    "transposed", [(False, False), (False, True), (True, False), (True, True)]
)


def _operands(entry, transposed, models=MODELS):
    shapes = (entry.rows, entry.inner), (entry.inner, entry.columns)
    for seed, (shape, turned) in enumerate(zip(shapes, transposed, strict=True)):
        whole = (models, *(reversed(shape) if turned else shape))
        yield Guarded(whole, values=np.random.default_rng(seed).normal(size=whole))


def _matrix(operand, turned):
    wide = operand.array.astype(np.float64)
    return wide.swapaxes(1, 2) if turned else wide


@isas
@transpositions
@products
def test_values(entry, transposed, isa):
    left, right = _operands(entry, transposed)
    result = multiply(left, right, transposed, isa)
    expected = _matrix(left, transposed[0]) @ _matrix(right, transposed[1])
    assert np.abs(result.array - expected).max() < entry.tolerance


@pytest.mark.parametrize("threads", [2, 8])
@transpositions
@products
def test_the_same_bits_with_any_number_of_threads(entry, transposed, threads):
    left, right = _operands(entry, transposed)
    isa = native.instruction_set()
    one, many = (multiply(left, right, transposed, isa, n).array for n in (1, threads))
    np.testing.assert_array_equal(one.view(np.uint32), many.view(np.uint32))


@isas
@transpositions
def test_a_model_is_alone_what_it_is_among_others_but_for_rounding(isa, transposed):
    entry = next(c for c in PRODUCTS if c.name == "N13 dense")
    left, right = _operands(entry, transposed, models=25)
    together = multiply(left, right, transposed, isa).array
    for model in (0, 24):
        ours = [Guarded((1, *o.array.shape[1:]), values=o.array[model]) for o in (left, right)]
        alone = multiply(*ours, transposed, isa).array[0]
        np.testing.assert_allclose(together[model], alone, atol=entry.tolerance)
