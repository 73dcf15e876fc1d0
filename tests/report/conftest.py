"""Trained networks and their reports."""

from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate as st

import keras  # isort: skip

VOID = {"meta", "img", "br", "link", "input", "hr"}


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


@pytest.fixture(scope="session")
def read_page() -> Callable[[Path], Page]:
    """Return a function that parses a page."""
    return Page


@pytest.fixture(scope="session")
def digits() -> st.Dataset:
    return st.load("digits")


def small() -> keras.Model:
    """A small convolutional network for the digits."""
    model = st.Sequential(
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
    return model


@pytest.fixture(scope="session")
def trained(digits: st.Dataset, tmp_path_factory: pytest.TempPathFactory) -> st.Run:
    return st.train(
        small,
        digits,
        epochs=2,
        batch_size=64,
        seed=5,
        directory=tmp_path_factory.mktemp("runs"),
        command="striate train digits --model small --epochs 2",
    )


@pytest.fixture(scope="session")
def evaluation(trained: st.Run, digits: st.Dataset) -> st.Evaluation:
    return st.evaluate(trained, digits)


@pytest.fixture(scope="session")
def page(trained: st.Run, evaluation: st.Evaluation, digits: st.Dataset) -> Page:
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
        config = {"dataset": {"name": name, "fingerprint": data.fingerprint}, **changes}
        run = st.Run(tmp_path, config, history or {})
        # As after a training: the network is in memory already.
        vars(run)["model"] = network
        return Page(st.write_report(run, st.evaluate(run, data), data, tmp_path / "there"))

    return make
