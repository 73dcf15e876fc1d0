"""Jets of two classes with observables, and a network that reads them off its images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from striate.data import Dataset, Split


@dataclass
class Reader:
    """A tagger that needs no training: the signal probability is the first pixel."""

    name: str = "reader"
    noise: float = 0.0

    def predict(self, images: np.ndarray, batch_size: int, verbose: int) -> np.ndarray:
        signal = images[:, 0, 0, 0].astype(np.float64)
        if self.noise:
            signal += np.random.default_rng(len(signal)).normal(0, self.noise, len(signal))
        signal = np.clip(signal, 0, 1)
        return np.stack([1 - signal, signal], axis=1)


@pytest.fixture(scope="session")
def reader() -> type[Reader]:
    return Reader


@pytest.fixture(scope="session")
def tagged_jets() -> Callable[..., Dataset]:
    """Return a function that makes jets with observables, the best tagger of which is a pixel."""

    def split(n: int, seed: int, weighted: bool) -> Split:
        rng = np.random.default_rng(seed)
        labels = (np.arange(n) % 2).astype(np.int32)
        signal = labels == 1
        pixels = rng.random((n, 3, 3, 1)).astype(np.float32)
        pixels[:, 0, 0, 0] = 1 / (1 + np.exp(-rng.normal(np.where(signal, 2.1, -2.1), 2)))
        observables = {
            "groomed_mass_gev": np.where(signal, rng.normal(80, 10, n), rng.exponential(60, n)),
            "tau_21": np.clip(rng.normal(np.where(signal, 0.4, 0.55), 0.15), 0, 1),
            "pt_gev": rng.uniform(250, 300, n),
            "eta": rng.uniform(-2, 2, n),
            "pileup": rng.poisson(20, n),
        }
        weights = rng.uniform(0.2, 2, n).astype(np.float32) if weighted else None
        return Split(pixels, labels, weights, observables)

    def make(n: int = 600, *, weighted: bool = False, observables: bool = True) -> Dataset:
        train, test = split(n, 21, weighted), split(n, 22, weighted)
        if not observables:
            train, test = replace(train, observables={}), replace(test, observables={})
        return Dataset(train, None, test, ("QCD", "W"), "made up", {})

    return make
