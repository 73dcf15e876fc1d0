"""ReLU and softmax, against SciPy and their definitions."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import special

from striate.convolution import relu, softmax

values = arrays.arrays(
    np.float64, arrays.array_shapes(max_dims=3, max_side=5), elements=st.floats(-1e6, 1e6)
)


@given(values)
def test_relu_keeps_what_is_positive(x):
    np.testing.assert_array_equal(relu(x), np.where(x > 0, x, 0))
    assert relu(x.astype(int)).dtype == np.int64


@given(values, st.sampled_from([0, -1]))
def test_softmax_agrees_with_scipy_and_adds_up_to_1(x, axis):
    result = softmax(x, axis)
    np.testing.assert_allclose(result, special.softmax(x, axis), rtol=1e-12)
    np.testing.assert_allclose(result.sum(axis=axis), 1)
