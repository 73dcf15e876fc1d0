"""Augmentation that runs on the device, as layers of the network that trains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("striate")
class RandomShift(layers.Layer):
    """Shift each image of a batch by whole pixels, in training only; what comes in is zero.

    Each image gets its own two shifts, all from ``-pixels`` to ``pixels`` equally likely. A shift
    is a product with a shifted identity matrix, so that it needs no gathering. Keras's own
    ``RandomTranslation`` says of itself that it cannot be compiled (``supports_jit`` is False), and
    so keeps the whole training from it. A saved model that has this layer opens where striate is
    imported.

    Parameters
    ----------
    pixels
        Largest shift up, down, left or right.
    seed
        Of the shifts; Keras's global one when not given.
    """

    def __init__(self, pixels: int, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pixels = int(pixels)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, images: Any, training: bool = False) -> Any:
        """Return images ``(n, row, column, channel)``, shifted if `training`."""
        if not training:
            return images
        count, rows, columns, _ = ops.shape(images)
        shifted = ops.einsum("nij,njkc->nikc", self._identities(count, rows), images)
        return ops.einsum("nkl,nilc->nikc", self._identities(count, columns), shifted)

    def _identities(self, count: Any, size: int) -> Any:
        """Return one identity matrix an image, ``(count, size, size)``, shifted along a row."""
        shift = keras.random.randint(
            (count, 1, 1), -self.pixels, self.pixels + 1, seed=self.seed_generator
        )
        place = ops.arange(size)
        return ops.cast(ops.equal(place[:, None] + shift, place[None, :]), self.compute_dtype)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return the shape of the images, which stays."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return what the layer is made of."""
        return {**super().get_config(), "pixels": self.pixels, "seed": self.seed}


@keras.saving.register_keras_serializable("striate")
class Mirrored(layers.Layer):
    """Reflect half of the images left to right in training; else give all of them both ways.

    Then ``n`` images become ``2 n``, the reflected ones behind the others, and a `MirrorMean` at
    the end of the network makes ``n`` answers of their answers again.

    Parameters
    ----------
    seed
        Of the choice of images; Keras's global one when not given.
    """

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, images: Any, training: bool = False) -> Any:
        """Return images ``(n, row, column, channel)`` in training, else ``(2 n, ...)``."""
        reflected = ops.flip(images, axis=2)
        if not training:
            return ops.concatenate([images, reflected])
        chosen = keras.random.uniform((ops.shape(images)[0], 1, 1, 1), seed=self.seed_generator)
        return ops.where(chosen < 0.5, images, reflected)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return the shape of the images; how many there are depends on what they are for."""
        return (None, *input_shape[1:])

    def get_config(self) -> dict[str, Any]:
        """Return what the layer is made of."""
        return {**super().get_config(), "seed": self.seed}


@keras.saving.register_keras_serializable("striate")
class MirrorMean(layers.Layer):
    """Average the answers to images and their reflections, where a `Mirrored` has made them two."""

    def call(self, answers: Any, training: bool = False) -> Any:
        """Return answers ``(n, class)``: in training as they are, else of ``(2 n, class)``."""
        if training:
            return answers
        return ops.mean(ops.reshape(answers, (2, -1, *answers.shape[1:])), axis=0)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return the shape of the answers."""
        return (None, *input_shape[1:])
