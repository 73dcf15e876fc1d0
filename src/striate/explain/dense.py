"""The end of the worked example: a dense layer that learns to tell O from X."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from striate.convolution import softmax, worked_example
from striate.data import load

EPOCHS = 10
_LEARNING_RATE = 0.05

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Dense:
    """A dense layer upon the four pooled outputs, as it was learned from generated images.

    Attributes
    ----------
    weights
        (input, class).
    bias
        (class,).
    accuracy
        Of the whole network on test images.
    images, tested
        How many were learned from, and how many tested.
    class_names
        ``("O", "X")``.
    """

    weights: Floats
    bias: Floats
    accuracy: float
    images: int
    tested: int
    class_names: tuple[str, ...]

    def scores(self, flattened: npt.ArrayLike) -> Floats:
        """Return the weighted sum plus bias, for each class."""
        return np.asarray(flattened, float) @ self.weights + self.bias

    def probabilities(self, flattened: npt.ArrayLike) -> Floats:
        """Return the softmax of the scores."""
        return softmax(self.scores(flattened))


def learned_dense() -> Dense:
    """Learn the dense layer from generated images of O and X, the lecture's kernel held fixed.

    The network is `striate.models.nthu_ox` with one kernel, that of the lecture. The dense layer
    begins at zero and the images come in their order, so that it is always the same (row W3).
    """
    # Keras takes seconds to load, and only this needs it.
    from striate.models import nthu_ox

    data = load("ox")
    example = worked_example()
    network = nthu_ox(data.image_shape, data.classes, filters=1)
    fixed, output = network.get_layer("conv"), network.get_layer("output")
    fixed.set_weights([example.kernel[..., None, None], np.array([example.bias])])
    output.set_weights([np.zeros_like(values) for values in output.get_weights()])
    fixed.trainable = False
    network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    network.optimizer.learning_rate = _LEARNING_RATE
    train, test = data.train, data.test
    network.fit(train.images, train.labels, epochs=EPOCHS, batch_size=32, shuffle=False, verbose=0)
    _, accuracy = network.evaluate(test.images, test.labels, verbose=0)
    weights, bias = (np.asarray(values, float) for values in output.get_weights())
    return Dense(weights, bias, float(accuracy), len(train), len(test), data.class_names)
