"""Are the jets of two files distributed alike? So the bias of the pre-selection is measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.errors import StriateError
from striate.jets.file import Jets
from striate.jets.simulation import Simulation


@dataclass(frozen=True)
class Comparison:
    """One class of jets in two files.

    Attributes
    ----------
    name
        The class.
    probabilities
        By observable, the Kolmogorov-Smirnov probability that both come from one distribution.
    outside
        For each file, how many jets have partons outside the window of the pre-selection
        ``"normal"``, which would have lost them; 0 if it was in force.
    jets
        For each file, how many jets there are.
    """

    name: str
    probabilities: dict[str, float]
    outside: tuple[int, int]
    jets: tuple[int, int]


def compare(first: Jets, second: Jets) -> list[Comparison]:
    """Compare the observables of two files, class by class.

    Raises
    ------
    StriateError
        If they have other classes or observables.
    """
    from scipy.stats import ks_2samp

    names = first.header["class_names"]
    if names != second.header["class_names"]:
        raise StriateError(
            f"the files hold other classes: {', '.join(names)}; "
            f"{', '.join(second.header['class_names'])}"
        )
    shared = [name for name in first.observables if name in second.observables]
    found = []
    for label, name in enumerate(names):
        rows = [np.flatnonzero(jets.labels == label) for jets in (first, second)]
        outside = [
            _outside(jets, label, chosen)
            for jets, chosen in zip((first, second), rows, strict=True)
        ]
        found.append(
            Comparison(
                name,
                {
                    key: float(
                        ks_2samp(
                            first.observables[key][rows[0]], second.observables[key][rows[1]]
                        ).pvalue
                    )
                    for key in shared
                },
                (outside[0], outside[1]),
                (len(rows[0]), len(rows[1])),
            )
        )
    return found


def _outside(jets: Jets, label: int, rows: np.ndarray) -> int:
    simulation = Simulation.from_json(jets.header["classes"][label])
    low, high = simulation.parton_window_gev("normal")
    pt = jets.parton_pt_gev[rows]
    return int(np.count_nonzero((pt < low) | (pt >= high)))
