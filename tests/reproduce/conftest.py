"""A workbench on small data that are bundled, with trainings of one epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate as st
from striate.report.gallery import Picture
from striate.reproduce.workbench import Settings, Workbench


class Sketchbook(Workbench):
    """Makes pictures but does not write them, which takes longer than all else here."""

    def show(self, name: str, picture: Any, title: str, caption: str) -> Picture:
        figure = getattr(picture, "figure", picture)
        width, height = figure.get_size_inches()
        return Picture(name, title, caption, f"{title} {caption}", float(width), float(height))


def stand_in(name: str, **options: Any) -> st.Dataset:
    """Give scikit-learn's digits the size of the images that are not bundled."""
    if name in ("digits", "ox", "jets"):
        return st.load(name, **options)
    digits = st.load("digits", **options)

    def enlarged(images: np.ndarray) -> np.ndarray:
        large = np.pad(np.kron(images, np.ones((1, 3, 3, 1))), ((0, 0), (2, 2), (2, 2), (0, 0)))
        if name == "cifar10":
            large = np.repeat(np.pad(large, ((0, 0), (2, 2), (2, 2), (0, 0))), 3, axis=-1)
        return large.astype(np.float32)

    train, test = digits.train, digits.test
    return st.Dataset.from_arrays(
        enlarged(train.images), train.labels, enlarged(test.images), test.labels, name=name,
        class_names=digits.class_names,
    )  # fmt: skip


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    settings = Settings(seeds=1, quick=True, images=200, epochs=1)
    return Sketchbook(tmp_path_factory.mktemp("reproduced"), settings, read=stand_in)


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """A workbench on all of the bundled data, and one seed."""
    return Sketchbook(tmp_path_factory.mktemp("whole"), Settings(seeds=1, quick=True))
