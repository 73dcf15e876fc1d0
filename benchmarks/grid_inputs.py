"""What every program of the grid gets alike: the digits, and initial weights by seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.workloads import WORKLOADS, Inputs, Workload, make_inputs

Cell = Sequence[float]


@dataclass(frozen=True, eq=False)
class Digits:
    """Images (n, row, column, channel) in [0, 1] and labels, for training and for the test."""

    train_images: npt.NDArray[np.float32]
    train_labels: npt.NDArray[np.int32]
    test_images: npt.NDArray[np.float32]
    test_labels: npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Given(Inputs):
    """Initial weights with the digits, whose pixels are no whole numbers of 255."""

    digits: Digits

    @property
    def images(self) -> npt.NDArray[np.float32]:
        """The training images."""
        return self.digits.train_images


def save(digits: Digits, path: Path) -> None:
    """Write the digits where each program's process reads them."""
    np.savez(path, **vars(digits))


def load(path: str | Path) -> Digits:
    """Read what `save` wrote."""
    with np.load(path, allow_pickle=False) as file:
        return Digits(**{name: file[name] for name in file.files})


def workload(cell: Cell, epochs: int) -> Workload:
    """Return the lecture's network with the numbers of a cell."""
    rate, l2, _ = cell
    return replace(WORKLOADS["N12"], learning_rate=rate, l2=l2, epochs=epochs)


def given(digits: Digits, cell: Cell) -> Given:
    """Return the digits and the initial weights of a cell's seed."""
    drawn = make_inputs(replace(WORKLOADS["N12"], images=1), seed=int(cell[2]))
    return Given(drawn.weights, np.zeros(0, np.uint8), digits.train_labels, digits)
