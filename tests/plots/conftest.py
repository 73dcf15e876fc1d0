"""A real evaluation of made-up probabilities: right mostly, wrong in known places."""

from collections.abc import Callable

import numpy as np
import pytest

from striate.evaluation import Evaluation


@pytest.fixture
def evaluated() -> Callable[..., Evaluation]:
    """Return a function that makes an evaluation of `n` images in so many classes."""

    def make(
        classes: int = 4,
        n: int = 60,
        *,
        names: tuple[str, ...] | None = None,
        absent: int | None = None,
        weights: np.ndarray | None = None,
        unanswered: tuple[int, ...] = (),
        perfect: bool = False,
    ) -> Evaluation:
        rng = np.random.default_rng(11)
        labels = (np.arange(n) % classes).astype(np.int32)
        if absent is not None:
            labels[labels == absent] = (absent + 1) % classes
        logits = rng.normal(size=(n, classes))
        logits[np.arange(n), labels] += 40 if perfect else 2
        probabilities = np.exp(logits)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        probabilities[list(unanswered)] = np.nan
        return Evaluation(
            "made up",
            names or tuple(f"class {i}" for i in range(classes)),
            labels,
            probabilities,
            weights,
        )

    return make
