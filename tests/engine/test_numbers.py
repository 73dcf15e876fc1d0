"""A number of many models computes and answers as each of its Python numbers would."""

from __future__ import annotations

import operator

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.engine.numbers import WIDTH, Disagreement, Feed

VALUES = [0.25, 0.999, 3.0]
POSITIVE = st.floats(1e-6, 1e6)
ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv]
QUESTIONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]


def arrays_of(expression, values=VALUES):
    """Return what the expression becomes as an array, for each of the models."""
    feed = Feed(len(values))
    number = feed.number("place", np.array(values))

    def step(row):
        with feed.reading(row):
            return jnp.asarray(expression(number))

    mapped = jax.jit(jax.vmap(step))
    lowered = mapped.lower(jnp.zeros((len(values), WIDTH), np.float32))
    return np.asarray(lowered.compile()(feed.matrix()))


@given(st.lists(POSITIVE, min_size=1, max_size=4), POSITIVE, st.sampled_from(ARITHMETIC))
def test_arithmetic_with_python_numbers_is_that_of_python(values, other, operation):
    number = Feed(len(values)).number("place", np.array(values))
    for result, expected in (
        (operation(number, other), [operation(value, other) for value in values]),
        (operation(other, number), [operation(other, value) for value in values]),
        (operation(number, -number), [operation(value, -value) for value in values]),
    ):
        np.testing.assert_array_equal(result.values, expected)


@given(POSITIVE, POSITIVE, st.sampled_from(QUESTIONS))
def test_a_question_that_all_answer_alike_has_the_answer_of_python(value, other, question):
    number = Feed(2).number("place", np.array([value, value]))
    assert question(number, other) is question(value, other)


def test_models_that_would_take_different_branches_are_told_apart():
    number = Feed(3).number("place", np.array([0.0, 0.1, 0.0]))
    with pytest.raises(Disagreement) as asked:
        bool(number)
    np.testing.assert_array_equal(asked.value.answers, [False, True, False])


def test_what_becomes_an_array_is_computed_in_float64_first():
    # In float32 1 - 0.999 has an error of 2e-5.
    np.testing.assert_array_equal(
        arrays_of(lambda n: 1 - n), np.array([1 - v for v in VALUES]).astype(np.float32)
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (lambda n: jnp.ones(2) * n, lambda v: np.ones(2) * v),
        (lambda n: n * jnp.ones(2), lambda v: np.ones(2) * v),
        (lambda n: jnp.ones(2) / (1 - n), lambda v: 1 / np.full(2, 1 - v)),
        (lambda n: jnp.clip(jnp.array([-5.0, 5.0]), -n, n), lambda v: np.array([-v, v])),
        (lambda n: n > jnp.array([0.5, 5.0]), lambda v: v > np.array([0.5, 5.0])),
        (lambda n: jnp.power(jnp.asarray(n), 2), lambda v: v**2),
    ],
)
def test_with_arrays_it_is_the_array_of_its_model(expression, expected):
    np.testing.assert_allclose(
        arrays_of(expression), [expected(value) for value in VALUES], rtol=1e-6
    )


def test_a_number_becomes_an_array_only_within_a_step():
    number = Feed(1).number("place", np.array([1.0]))
    with pytest.raises(TypeError, match="within a traced step"):
        jnp.asarray(number)


def test_too_many_numbers_are_refused():
    with pytest.raises(TypeError, match="too many numbers"):
        arrays_of(lambda n: sum(jnp.asarray(n + 1.0 * i) for i in range(WIDTH + 1)))
    assert arrays_of(lambda n: sum(jnp.asarray(n + 1.0 * i) for i in range(WIDTH))).shape == (3,)
