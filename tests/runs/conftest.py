"""A network that has all that a checkpoint must keep, the digits, and a run to compare with."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import striate as st
from striate.runs import checkpoint

TRAINING = {"epochs": 6, "batch_size": 60, "seed": 3}


def build() -> keras.Model:
    """Dropout has a random state, batch normalisation means, Adam moments."""
    model = keras.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(3, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.fixture(scope="session")
def digits() -> st.Dataset:
    """320 training images, so that batches of 60 leave a partial one."""
    return st.load("digits", limit=400)


@pytest.fixture(scope="session")
def train_in(digits: st.Dataset) -> Callable[..., st.Run]:
    """Train as the reference run was trained, in a folder."""

    def train_in(folder: Path, **given: Any) -> st.Run:
        return st.train(build, digits, **TRAINING | {"directory": folder, "name": "run"} | given)

    return train_in


@pytest.fixture
def train(tmp_path: Path, train_in: Callable[..., st.Run]) -> Callable[..., st.Run]:
    """Train as the reference run was trained, in the test's own folder."""
    return functools.partial(train_in, tmp_path)


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory, train_in: Callable[..., st.Run]) -> st.Run:
    """A run that was never stopped."""
    return train_in(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def same_bits(reference: st.Run) -> Callable[[st.Run], None]:
    """Assert that a run came to the same state, history and network as the reference."""

    def check(run: st.Run, other: st.Run = reference, *, file: bool = True) -> None:
        ours, theirs = (
            checkpoint.read(checkpoint.files(r.directory / "checkpoints")[0]) for r in (run, other)
        )
        assert (ours.epoch, ours.step) == (theirs.epoch, theirs.step)
        for mine, yours in zip(ours.state, theirs.state, strict=True):
            assert [a.tobytes() for a in mine] == [a.tobytes() for a in yours]
        history = (run.directory / "history.json").read_text()
        assert history == (other.directory / "history.json").read_text()
        if not file:  # Keras warns of what it does not read again
            return
        for mine, yours in zip(weights(run), weights(other), strict=True):
            np.testing.assert_array_equal(mine, yours)

    return check


def weights(run: st.Run) -> Iterator[np.ndarray]:
    yield from keras.saving.load_model(run.directory / "model.keras").get_weights()
