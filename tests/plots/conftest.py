"""A real evaluation of made-up probabilities: right mostly, wrong in known places."""

from collections.abc import Callable

import numpy as np
import pytest

from striate.data import Dataset, Split
from striate.evaluation import Evaluation
from striate.evaluation.tagger import evaluate_tagger
from striate.evaluation.tagging import Tagging


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


class FirstPixel:
    """A tagger that needs no training: the signal probability is the first pixel."""

    name = "a_network_with_a_name"

    def predict(self, images: np.ndarray, batch_size: int, verbose: int) -> np.ndarray:
        signal = images[:, 0, 0, 0].astype(np.float64)
        return np.stack([1 - signal, signal], axis=1)


@pytest.fixture(scope="session")
def tagging() -> Tagging:
    """The evaluation of a tagger of weighted jets, a few of them of negative weight."""
    rng = np.random.default_rng(12)

    def split(n: int) -> Split:
        labels = (np.arange(n) % 2).astype(np.int32)
        pixels = rng.beta(1 + 2 * labels, 3 - 2 * labels)[:, None, None, None]
        observables = {
            "groomed_mass_gev": np.where(labels == 1, rng.normal(80, 9, n), rng.exponential(60, n)),
            "tau_21": rng.normal(0.6 - 0.2 * labels, 0.15),
            "pt_gev": rng.uniform(250, 300, n),
            "eta": rng.uniform(-2, 2, n),
            "pileup": rng.poisson(30, n),
        }
        weights = np.where(rng.random(n) < 0.03, -0.5, rng.uniform(0.5, 1.5, n))
        return Split(pixels.astype(np.float32), labels, weights, observables)

    names = ("quarks and gluons (QCD)", "W boson, hadronic decay")
    data = Dataset(split(800), None, split(800), names, "made up", {})
    return evaluate_tagger(FirstPixel(), data, replicas=40)
