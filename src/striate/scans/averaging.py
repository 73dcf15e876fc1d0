"""``striate.ensemble``: one network with several seeds, as one program, and their average."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from striate.data import Dataset, as_dataset
from striate.errors import StriateError
from striate.evaluation import Evaluation, evaluate
from striate.evaluation.calibration import calibration_error
from striate.evaluation.prediction import BATCH_SIZE, to_probabilities
from striate.runs import storage
from striate.runs.seeds import Mean
from striate.scans import files
from striate.scans.result import GridResult
from striate.scans.training import grid


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Networks that differ in their seeds, and the predictor that averages their probabilities.

    Made by `striate.ensemble`. It has ``predict``, so that `striate.evaluate` takes it.

    Attributes
    ----------
    scan
        The scan over the seeds.
    data
        The dataset that it was trained on.
    """

    scan: GridResult
    data: Dataset

    @property
    def directory(self) -> Path:
        """The directory of the scan; the trained networks are in ``models/``."""
        return self.scan.directory

    @property
    def seeds(self) -> list[int]:
        """The seed of each network."""
        return list(self.scan.axes["seed"])

    @property
    def name(self) -> str:
        """What to call the averaged predictor."""
        return f"{self.scan.config['model']['title']}, average of {len(self.seeds)}"

    @property
    def accuracies(self) -> np.ndarray:
        """The test accuracy of each network, (n,)."""
        return self.scan.test_accuracy

    @property
    def accuracy(self) -> Mean:
        """Mean test accuracy of the single networks, with its standard error."""
        n = len(self.accuracies)
        error = float(self.accuracies.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan
        return Mean(float(self.accuracies.mean()), error, n)

    @property
    def spread(self) -> float:
        """The standard deviation of the test accuracies; NaN for one network."""
        return float(self.accuracies.std(ddof=1)) if len(self.accuracies) > 1 else math.nan

    @cached_property
    def models(self) -> tuple[Any, ...]:
        """The trained networks, read from their files when first asked for."""
        return tuple(
            storage.load(files.model_file(self.directory, cell))
            for cell in range(len(self.scan.cells))
        )

    def predictions(self, images: np.ndarray, batch_size: int = BATCH_SIZE) -> np.ndarray:
        """Return the class probabilities of each network, (networks, images, classes) float64."""
        return np.stack(
            [
                to_probabilities(
                    np.asarray(model.predict(images, batch_size=batch_size, verbose=0)),
                    from_logits=getattr(model.loss, "from_logits", None),
                )[0]
                for model in self.models
            ]
        )

    def predict(self, images: np.ndarray, batch_size: int = BATCH_SIZE, **_: Any) -> np.ndarray:
        """Return the mean of the networks' class probabilities, (images, classes)."""
        return self.predictions(images, batch_size).mean(axis=0)

    def uncertainty(self, images: np.ndarray, batch_size: int = BATCH_SIZE) -> np.ndarray:
        """Return how far the networks' probabilities spread, one standard deviation each.

        (images, classes); what another choice of the seed would change.
        """
        if len(self.seeds) < 2:
            raise StriateError("one network alone has no spread: make the ensemble of n=2 or more")
        return self.predictions(images, batch_size).std(axis=0, ddof=1)

    @cached_property
    def evaluation(self) -> Evaluation:
        """The averaged predictor on the test images."""
        return evaluate(self, self.data, name=self.name, train_limit=0)

    @property
    def calibration_error(self) -> float:
        """The expected calibration error of the averaged predictor."""
        return calibration_error(self.evaluation)

    def __repr__(self) -> str:
        return f"Ensemble('{self.directory}': {self.name}, single test accuracy {self.accuracy})"


def ensemble(
    build: Any,
    data: Dataset | str | os.PathLike[str],
    *,
    n: int = 5,
    seed: int = 0,
    **options: Any,
) -> Ensemble:
    """Train one network with several seeds, as one compiled program, and average them.

    Parameters
    ----------
    build, data
        As in `striate.grid`.
    n
        How many networks, with the seeds from `seed` on.
    seed
        The first seed; each decides its network's initial weights, dropout and order of images.
    **options
        Of `striate.grid`, and arguments of the function; no axes.

    Returns
    -------
    Ensemble
        Mean accuracy with its error, the single networks, and their averaged predictor.

    Raises
    ------
    StriateError
        If `n` is no number from 1, an option is an axis, or what `striate.grid` raises.

    Examples
    --------
    >>> several = st.ensemble("oslo_digits", "digits", n=5, epochs=30)   # doctest: +SKIP
    >>> print(several.accuracy)                                         # doctest: +SKIP
    0.9744 +- 0.0014 (5 seeds)
    >>> st.evaluate(several, several.data).accuracy                     # doctest: +SKIP
    0.9806
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise StriateError(f"n must be a whole number from 1, not {n!r}")
    _refuse_axes(options)
    dataset = as_dataset(data)
    seeds = list(range(seed, seed + n))
    options.setdefault("keep_models", True)
    return Ensemble(grid(build, dataset, seed=seeds, kind="ensemble", **options), dataset)


def _refuse_axes(options: Mapping[str, Any]) -> None:
    for name, value in options.items():
        if isinstance(value, list | tuple | range | np.ndarray):
            raise StriateError(
                f"{name}={value!r}: an ensemble differs in its seeds only; st.grid takes lists"
            )
