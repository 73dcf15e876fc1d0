"""The public classes: ``Sequential``, ``Model``, and ``accelerate`` for a model that exists."""

from __future__ import annotations

import functools
from typing import Any

import keras
from keras.src.models.functional import Functional
from keras.src.models.model import functional_init_arguments

from striate.engine.accelerated import Accelerated
from striate.errors import StriateError


def _faced(cls: type, like: type, module: str | None = None) -> Any:
    """Give `cls` the name of a Keras class, so that what it saves is plain Keras."""
    cls.__name__ = cls.__qualname__ = like.__name__
    cls.__module__ = module or like.__module__
    return cls


class Sequential(Accelerated, keras.Sequential):
    """A ``keras.Sequential`` whose training, evaluation and prediction are compiled by striate.

    Everything else is Keras's: arguments, History, callbacks, metrics, ``summary()``, saving.
    A saved file holds a plain ``keras.Sequential``.

    Examples
    --------
    >>> import striate as st
    >>> from keras import layers
    >>> model = st.Sequential(
    ...     [
    ...         layers.Input((8, 8, 1)),
    ...         layers.Conv2D(10, 3, activation="relu"),
    ...         layers.MaxPooling2D(2),
    ...         layers.Flatten(),
    ...         layers.Dense(10, activation="softmax"),
    ...     ]
    ... )
    >>> model.output_shape
    (None, 10)
    """


class Model(Accelerated, keras.Model):
    """A ``keras.Model``, functional or subclassed, compiled by striate as `Sequential` is.

    ``Model(inputs, outputs)`` makes a functional model; a subclass defines ``call``.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make a functional model of inputs and outputs, else an empty one."""
        if cls is Model and functional_init_arguments(args, kwargs):
            return _Functional.__new__(_Functional, *args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Keras would write its Functional into the bases of the class, and so into ours.
        if functional_init_arguments(args, kwargs) and not isinstance(self, Functional):
            _make_functional(type(self))
            Functional.__init__(self, *args, **kwargs)
        else:
            super().__init__(*args, **kwargs)


class _Functional(Model, Functional):
    """The functional form of `Model`."""


_faced(Sequential, keras.Sequential, "keras")
_faced(_Functional, Functional)


def _make_functional(cls: type) -> None:
    """Let a user's subclass of `Model`, which calls it with inputs and outputs, be functional."""
    bases: list[type] = []
    for base in cls.__bases__:
        if base is Model:
            bases.append(_Functional)
            continue
        if issubclass(base, Model) and base is not _Functional:
            _make_functional(base)
        bases.append(base)
    cls.__bases__ = tuple(bases)


@functools.cache
def _accelerated_class(kind: type) -> Any:
    """Return the accelerated class for models of class `kind`."""
    if kind is keras.Sequential:
        return Sequential
    if kind is Functional:
        return _Functional
    return _faced(type(kind.__name__, (Accelerated, kind), {}), kind)


def accelerate(model: Any) -> Any:
    """Return a compiled twin of a Keras model; both share variables, optimizer and metrics.

    Parameters
    ----------
    model
        Any Keras model: sequential, functional or subclassed, new, compiled or loaded.

    Returns
    -------
    keras.Model
        A model of the same kind, with the same layers. Training it trains `model`. A model that
        is accelerated already is returned as it is.

    Raises
    ------
    StriateError
        If `model` is not a Keras model.

    Examples
    --------
    >>> import keras
    >>> import striate as st
    >>> plain = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
    >>> fast = st.accelerate(plain)
    >>> fast.layers[0] is plain.layers[0]
    True
    """
    if isinstance(model, Accelerated):
        return model
    if not isinstance(model, keras.Model):
        raise StriateError(
            f"st.accelerate takes a Keras model, not {type(model).__name__}: "
            "build it with keras.Sequential or keras.Model first"
        )
    cls = _accelerated_class(model.__class__)
    twin = cls.__new__(cls)
    # Wrappers that Keras ties to one object stay the twin's own, and so do compiled steps.
    own = {
        name: value for name, value in vars(twin).items() if name in ("build", "quantize", "call")
    }
    vars(twin).update(vars(model))
    vars(twin).update(own)
    vars(twin).update(train_function=None, test_function=None, predict_function=None)
    return twin
