"""Trained networks and their reports."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate as st

import keras  # isort: skip

VOID = {"meta", "img", "br", "link", "input", "hr"}


@dataclass(frozen=True)
class TrainedRun:
    """What the report reads of a run."""

    directory: Path
    config: Mapping[str, Any]
    history: Mapping[str, list[float]]
    model: Any


class Page(HTMLParser):
    """A parsed page: its elements in order, and what does not balance."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.faults: list[str] = []
        self.open: list[str] = []
        self.words: dict[str, list[str]] = {}
        self.pieces: list[str] = []
        self.feed(self.source)
        self.close()
        self.faults += [f"<{name}> is never closed" for name in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
            self.words.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self.open[-1:]}")
        else:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.pieces += [data] if "body" in self.open else []
        for tag in set(self.open):
            self.words[tag][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of all elements of that name."""
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        """All text of the body."""
        return self.words["body"][0]


def config(data: st.Dataset, **changes: Any) -> dict[str, Any]:
    """Return the configuration of a run on `data`."""
    return {
        "dataset": {"name": data.name, "fingerprint": data.fingerprint},
        "model": {"name": "small", "arguments": {"filters": 4, "l2": 0.0}},
        "training": {
            "epochs": 2,
            "batch_size": 64,
            "seed": 5,
            "learning_rate": 0.0010000000474974513,
            "loss": "sparse_categorical_crossentropy",
            "validation_on": "test",
        },
        "versions": {"striate": "0.1.0", "keras": keras.__version__},
        "machine": {"system": "Linux", "cores": 2, "devices": ["cpu:0"]},
        "command": "striate train digits --model small --epochs 2 --seed 5",
        "timing": {"seconds_training": 12.3456789012345, "images_per_second": 23456.789},
        **changes,
    }


@pytest.fixture(scope="session")
def digits() -> st.Dataset:
    return st.load("digits")


@pytest.fixture(scope="session")
def trained(digits: st.Dataset, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    """A small convolutional network, trained for two epochs by plain Keras."""
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(4, 3, activation="relu", name="conv"),
            keras.layers.MaxPooling2D(2, name="pool"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dense(10, activation="softmax", name="output"),
        ],
        name="small",
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    test = (digits.test.images, digits.test.labels)
    record = model.fit(
        digits.train.images,
        digits.train.labels,
        batch_size=64,
        epochs=2,
        verbose=0,
        validation_data=test,
    )
    history = {name: [float(value) for value in values] for name, values in record.history.items()}
    return TrainedRun(tmp_path_factory.mktemp("run"), config(digits), history, model)


@pytest.fixture(scope="session")
def evaluation(trained: TrainedRun, digits: st.Dataset) -> st.Evaluation:
    return st.evaluate(trained, digits)


@pytest.fixture(scope="session")
def page(trained: TrainedRun, evaluation: st.Evaluation, digits: st.Dataset) -> Page:
    """The report of the trained network, in the run's own directory."""
    return Page(st.write_report(trained, evaluation, digits))


@pytest.fixture
def made_up(tmp_path: Path) -> Callable[..., Page]:
    """Return a function that reports on an untrained network on made-up images."""

    def make(
        network: Any,
        names: tuple[str, ...],
        *,
        channels: int = 1,
        n: int = 40,
        history: Mapping[str, list[float]] | None = None,
        name: str = "made up",
        **changes: Any,
    ) -> Page:
        rng = np.random.default_rng(9)
        labels = np.arange(n) % len(names)
        images = rng.random((n, 6, 6, channels)).astype(np.float32)
        data = st.Dataset.from_arrays(
            images, labels, images[::-1], labels[::-1], class_names=names, name=name
        )
        run = TrainedRun(tmp_path, config(data, **changes), history or {}, network)
        return Page(st.write_report(run, st.evaluate(run, data), data, tmp_path / "there"))

    return make
