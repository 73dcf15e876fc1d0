"""A number of a configuration that differs from model to model within one program.

Keras reads momentum, a dropout rate or an L2 strength as Python numbers, computes with them in
float64 (``1 - beta_2``), asks whether they are zero, and at last turns them into arrays. A `Number`
stands in such a place for the numbers of many models: arithmetic with Python numbers is done in
float64 for all of them, a question must have the same answer for all, and where it becomes an
array it is the traced number of the one model that is mapped over.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

# Expressions that may become arrays in one step; more is refused.
WIDTH = 64


class Disagreement(Exception):  # noqa: N818  # not an error: the group of models is divided by it
    """A question that Keras asked a number has different answers for different models.

    Attributes
    ----------
    answers
        (models,) of bool.
    """

    def __init__(self, answers: np.ndarray) -> None:
        super().__init__("models take different branches")
        self.answers = answers


class Feed:
    """The values of all expressions that become arrays while a step is traced.

    Attributes
    ----------
    used
        Places of the configuration whose number was looked at at all.
    """

    def __init__(self, models: int) -> None:
        self._models = models
        self._columns: dict[Hashable, int] = {}
        self._values: list[np.ndarray] = []
        self._row: jax.Array | None = None
        self.used: set[Hashable] = set()

    def number(self, place: Hashable, values: np.ndarray) -> Number:
        """Return the number that stands at a place of the configuration, (models,) float64."""
        return Number(self, ("number", place), np.asarray(values, np.float64), {place})

    @contextmanager
    def reading(self, row: jax.Array) -> Iterator[None]:
        """Take arrays from one model's row of `matrix` while the block traces a step."""
        before, self._row = self._row, row
        try:
            yield
        finally:
            self._row = before

    def matrix(self) -> np.ndarray:
        """Return the values as float32, (models, `WIDTH`); unused columns are zero."""
        matrix = np.zeros((self._models, WIDTH), np.float32)
        for column, values in enumerate(self._values):
            matrix[:, column] = values
        return matrix

    def _array(self, key: Hashable, values: np.ndarray) -> jax.Array:
        if self._row is None:
            raise TypeError("a number of many models becomes an array only within a traced step")
        column = self._columns.get(key)
        if column is None:
            column = len(self._values)
            if column == WIDTH:
                raise TypeError("too many numbers that differ from model to model")
            self._columns[key] = column
            self._values.append(values)
        return self._row[column]


def _arithmetic(name: str, function: Callable[[Any, Any], Any], swapped: bool) -> Any:
    def method(self: Number, other: Any) -> Any:
        left, right = (other, self) if swapped else (self, other)
        if isinstance(other, Number | int | float) and not isinstance(other, bool):
            with np.errstate(all="ignore"):
                values = function(_values(left), _values(right))
            places = self.places | (other.places if isinstance(other, Number) else set())
            return Number(self.feed, (name, _key(left), _key(right)), values, places)
        return function(_as_array(left), _as_array(right))

    return method


def _question(function: Callable[[Any, Any], Any]) -> Any:
    def method(self: Number, other: Any) -> Any:
        if other is None or isinstance(other, str):
            return function is operator.ne
        if isinstance(other, Number | int | float):
            return self.answer(np.broadcast_to(function(self.values, _values(other)), (self.size,)))
        return function(_as_array(self), other)

    return method


@jax.tree_util.register_pytree_node_class
class Number:
    """One number for each model; see the module.

    Attributes
    ----------
    feed
        Where its values go.
    key
        The expression that it is.
    values
        (models,) float64.
    places
        The places of the configuration that the expression depends on.
    """

    # What jax.numpy asks of an array before it converts it.
    dtype = np.dtype(np.float32)
    shape = ()
    ndim = 0
    weak_type = True

    def __init__(
        self, feed: Feed, key: Hashable, values: np.ndarray, places: set[Hashable]
    ) -> None:
        self.feed, self.key, self.values, self.places = feed, key, values, places

    @property
    def size(self) -> int:
        """Number of models."""
        return len(self.values)

    def answer(self, answers: np.ndarray) -> bool:
        """Return the answer to a question, which must be the same for all models."""
        self.feed.used |= self.places
        if answers.all() or not answers.any():
            return bool(answers[0])
        raise Disagreement(np.asarray(answers))

    def __jax_array__(self) -> jax.Array:
        self.feed.used |= self.places
        return self.feed._array(self.key, self.values)

    def __bool__(self) -> bool:
        return self.answer(self.values != 0)

    def __neg__(self) -> Number:
        return Number(self.feed, ("neg", self.key), -self.values, self.places)

    __add__ = _arithmetic("add", operator.add, swapped=False)
    __radd__ = _arithmetic("add", operator.add, swapped=True)
    __sub__ = _arithmetic("sub", operator.sub, swapped=False)
    __rsub__ = _arithmetic("sub", operator.sub, swapped=True)
    __mul__ = _arithmetic("mul", operator.mul, swapped=False)
    __rmul__ = _arithmetic("mul", operator.mul, swapped=True)
    __truediv__ = _arithmetic("div", operator.truediv, swapped=False)
    __rtruediv__ = _arithmetic("div", operator.truediv, swapped=True)
    __pow__ = _arithmetic("pow", operator.pow, swapped=False)
    __rpow__ = _arithmetic("pow", operator.pow, swapped=True)
    __eq__ = _question(operator.eq)
    __ne__ = _question(operator.ne)
    __lt__ = _question(operator.lt)
    __le__ = _question(operator.le)
    __gt__ = _question(operator.gt)
    __ge__ = _question(operator.ge)
    __hash__ = None  # type: ignore[assignment]  # equality is a question here

    def tree_flatten(self) -> tuple[tuple[jax.Array], None]:
        """Pass into functions that JAX compiles by itself as a plain array."""
        return (self.__jax_array__(),), None

    @classmethod
    def tree_unflatten(cls, _: None, children: tuple[Any]) -> Any:
        """Give the array."""
        return children[0]


def _values(operand: Any) -> Any:
    return operand.values if isinstance(operand, Number) else np.float64(operand)


def _key(operand: Any) -> Hashable:
    if isinstance(operand, Number):
        return operand.key
    # NaN differs from itself, and as a key would never be found again.
    return "nan" if isinstance(operand, float) and math.isnan(operand) else float(operand)


def _as_array(operand: Any) -> Any:
    return jnp.asarray(operand) if isinstance(operand, Number) else operand
