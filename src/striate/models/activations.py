"""What each layer of a network makes of one image."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from striate.errors import StriateError


def activations(model: Any, image: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Return the outputs of the layers that keep rows and columns, for one image, in order.

    Dropout is off. A layer that the model applies twice appears twice; of a model within the model
    the output as a whole is returned. Flat outputs (dense layers, class probabilities) are left
    out, and so are the layers that only pass on the input.

    Parameters
    ----------
    model
        A Keras model of any kind: sequential, functional, subclassed.
    image
        Shape (row, col, channel), values in [0, 1].

    Returns
    -------
    list[tuple[str, numpy.ndarray]]
        The name of the layer and its output, shape (row, col, channel).

    Raises
    ------
    StriateError
        If `image` is not one image.
    """
    pixels = np.asarray(image, dtype=np.float32)
    if pixels.ndim != 3:
        raise StriateError(
            f"the image has shape {pixels.shape}: give one image of shape (row, col, channel)"
        )
    recorded: list[tuple[str, np.ndarray]] = []
    with ExitStack() as stack:
        for layer in model.layers:
            if type(layer).__name__ != "InputLayer":
                stack.enter_context(_recorded(layer, recorded))
        model(pixels[None], training=False)
    return recorded


@contextmanager
def _recorded(layer: Any, into: list[tuple[str, np.ndarray]]) -> Iterator[None]:
    """Append the outputs of `layer` to `into` while the block runs.

    ``Layer.__call__`` looks ``call`` up on the instance. This records layers that are shared or
    belong to other models, too, whose symbolic ``output`` would be ambiguous.
    """
    original = layer.call

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        output = original(*args, **kwargs)
        if len(getattr(output, "shape", ())) == 4:
            into.append((layer.name, np.asarray(output)[0]))
        return output

    layer.call = call
    try:
        yield
    finally:
        del layer.call
