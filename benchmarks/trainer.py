"""What a program must be able to do to be measured."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Protocol


class FirstStep(Protocol):
    """Called once, when the first training step is known to be done."""

    def __call__(self, at: float | None = None) -> None:
        """Note the time, or `at` (of `time.monotonic`) if the step is reported later."""


class Trainer(ABC):
    """A network that a program has built and can train further."""

    @abstractmethod
    def train(self, epochs: int, on_first_step: FirstStep | None = None) -> list[float]:
        """Train whole epochs and return each one's mean loss, when all work is done.

        `on_first_step` is called once, as soon as the program knows a training step to be done; a
        program that compiles many steps into one knows it when those are done.
        """

    def seconds(self, epochs: int) -> float:
        """Train whole epochs and return what they took; nothing is compiled any more."""
        begin = time.perf_counter()
        self.train(epochs)
        return time.perf_counter() - begin
