"""The self-test finds a wrong kernel, and finds the kernels of this machine right."""

from dataclasses import replace

import numpy as np
import pytest

from striate.kernels import dispatch, selftest
from striate.kernels.cases import CASES, POOLINGS, PRODUCTS

SMALL = {case.name: case for case in (*CASES, *POOLINGS, *PRODUCTS)}
SOME = ["one pixel", "window 3x2", "average of linear", "everything", "causal"]
SOME_PRODUCTS = ["odd sizes of a product", "one number"]
SOME_POOLINGS = ["max of colours", "average of colours", "max, dilated"]


@pytest.mark.parametrize("name", [*SOME, *SOME_POOLINGS, *SOME_PRODUCTS])
def test_a_case_is_right_here(name):
    outcome = selftest.check(SMALL[name])
    assert outcome.right, outcome.differences
    gradients = 1 if name in SOME_POOLINGS else 2 if name in SOME_PRODUCTS else 3
    assert tuple(outcome.differences) == selftest.RESULTS[: 1 + gradients]
    # Only means over nine pixels are rounded.
    assert name.startswith("average") or not any(outcome.differences.values())


def test_every_case_is_exact_in_float32():
    """The largest sum of products stays below 2**24, so that no order of adding rounds it."""
    for case in CASES:
        terms = max(
            np.prod(case.window) * max(case.channels, case.filters),
            case.images * np.prod(case.convolved),
        )
        assert terms * selftest.LARGEST**2 < 2**24, case.name
    for product in PRODUCTS:
        terms = max(product.rows, product.inner, product.columns)
        assert terms * selftest.LARGEST**2 < 2**24, product.name


@pytest.mark.parametrize("wrong", ["a value", "the padding"])
def test_a_wrong_convolution_is_found(monkeypatch, wrong):
    right = dispatch.convolve

    def convolve(x, kernel, bias, *, geometry, **others):
        if wrong == "the padding" and x.dtype == np.float32:
            (top, bottom), columns = geometry.padding
            geometry = replace(geometry, padding=((top + 1, bottom - 1), columns))
        lowered = right(x, kernel, bias, geometry=geometry, **others)
        if wrong == "a value" and x.dtype == np.float32:
            return replace(lowered, value=lowered.value.at[-1, -1, -1, -1].multiply(1.01))
        return lowered

    monkeypatch.setattr(selftest, "convolve", convolve)
    assert not selftest.check(SMALL["stride and same"]).right


def test_nan_is_not_right():
    case = SMALL["one pixel"]
    assert not selftest.Outcome(case, "", {"values": float("nan")}).right
