"""The prediction of a large batch in pieces, whose layers' outputs stay small.

What lies between the layers of a large batch is a block of memory that the C library gives back
after each call: for the next one the system clears it page by page, which may take longer than the
network. Pieces need little memory, find it in the caches, and give the same outputs, but for
rounding.
"""

from __future__ import annotations

from typing import Any

import jax
import keras
from jax import lax
from keras.src.models.functional import Functional

from striate.engine import loops, memory

Tree = Any

# Blocks beyond this are given back (the largest threshold of GNU's C library for them).
MOST_BYTES = 32 * 2**20
# What a piece should have between two layers.
PIECE_BYTES = 4 * 2**20

_LAYERS = keras.layers
# Layers that treat each image of a batch alone when they predict.
_IMAGE_BY_IMAGE = (
    _LAYERS.InputLayer,
    _LAYERS.Dense,
    _LAYERS.Conv1D,
    _LAYERS.Conv2D,
    _LAYERS.DepthwiseConv1D,
    _LAYERS.DepthwiseConv2D,
    _LAYERS.SeparableConv1D,
    _LAYERS.SeparableConv2D,
    _LAYERS.MaxPooling1D,
    _LAYERS.MaxPooling2D,
    _LAYERS.AveragePooling1D,
    _LAYERS.AveragePooling2D,
    _LAYERS.GlobalMaxPooling1D,
    _LAYERS.GlobalMaxPooling2D,
    _LAYERS.GlobalAveragePooling1D,
    _LAYERS.GlobalAveragePooling2D,
    _LAYERS.BatchNormalization,
    _LAYERS.Dropout,
    _LAYERS.Flatten,
    _LAYERS.Reshape,
    _LAYERS.Permute,
    _LAYERS.Activation,
    _LAYERS.ReLU,
    _LAYERS.LeakyReLU,
    _LAYERS.ELU,
    _LAYERS.PReLU,
    _LAYERS.Rescaling,
    _LAYERS.ZeroPadding1D,
    _LAYERS.ZeroPadding2D,
    _LAYERS.Cropping1D,
    _LAYERS.Cropping2D,
    _LAYERS.Add,
)

# Keras's functions, all of which treat each number alone, or the channels of one pixel.
_ACTIVATIONS = frozenset(
    found for name in dir(keras.activations) if callable(found := getattr(keras.activations, name))
)


def image_by_image(model: Any) -> bool:
    """Whether each output of `model` surely depends on one image of a batch alone.

    Of layers, activations and models that are not Keras's own nobody knows.
    """
    own = type(model).predict_step is not keras.Model.predict_step
    if own or not model.built:
        return False
    if type(model).call is keras.Sequential.call:
        return all(map(_alone, model.layers))
    return type(model).call is Functional.call and all(map(_alone, model.operations))


def _alone(operation: Any) -> bool:
    """Whether a layer, a model or an operation of `keras.ops` treats each image alone."""
    if isinstance(operation, keras.Model):
        return image_by_image(operation)
    activation = getattr(operation, "activation", None)
    plain = activation is None or activation in _ACTIVATIONS
    return type(operation) in _IMAGE_BY_IMAGE and plain


def piece_length(model: Any, images: int) -> int | None:
    """Return how many images of a batch are to be predicted at a time; None for all of them."""
    outputs = memory.layer_outputs(model)
    largest = 4 * max(outputs, default=0)
    if images * largest <= MOST_BYTES or not image_by_image(model):
        return None
    most = max(8, PIECE_BYTES // largest)
    # Equal pieces where that is possible: a shorter one is compiled apart.
    equal = next((n for n in range(most, most // 2, -1) if images % n == 0), most)
    return equal if equal < images else None


def in_pieces(model: Any, step: loops.Step) -> loops.Step:
    """Make the predict step that takes large batches in pieces.

    Parameters
    ----------
    model
        The Keras model of the step.
    step
        (state, batch) -> (outputs, state), whose state a prediction leaves alone.

    Returns
    -------
    callable
        The same function.
    """

    def whole_or_in_pieces(state: Tree, batch: Tree) -> tuple[Tree, Tree]:
        images = {leaf.shape[0] for leaf in jax.tree.leaves(batch)}
        length = piece_length(model, next(iter(images))) if len(images) == 1 else None
        if length is None:
            return step(state, batch)
        count, rest = divmod(images.pop(), length)
        pieces = jax.tree.map(
            lambda a: a[: count * length].reshape(count, length, *a.shape[1:]), batch
        )
        outputs = lax.map(lambda piece: step(state, piece)[0], pieces)
        outputs = jax.tree.map(lambda a: a.reshape(count * length, *a.shape[2:]), outputs)
        if rest:
            last, _ = step(state, jax.tree.map(lambda a: a[count * length :], batch))
            outputs = jax.tree.map(lambda a, b: jax.numpy.concatenate([a, b]), outputs, last)
        return outputs, state

    return whole_or_in_pieces
