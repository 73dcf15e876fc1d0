"""Histograms of weighted events, with their variances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Histogram:
    """Sums of weights in bins.

    Attributes
    ----------
    edges
        ``(bins + 1,)``.
    sums, variances
        ``(bins,)``: the sums of the weights and of their squares.
    """

    edges: np.ndarray
    sums: np.ndarray
    variances: np.ndarray

    def density(self) -> tuple[np.ndarray, np.ndarray]:
        """Return sums and errors so that the area is 1; zeros where all weights cancel."""
        area = float(self.sums.sum()) * np.diff(self.edges)
        scale = np.divide(1.0, area, out=np.zeros_like(area), where=area > 0)
        return self.sums * scale, np.sqrt(self.variances) * scale


def fill(values: np.ndarray, edges: np.ndarray, weights: np.ndarray | None = None) -> Histogram:
    """Fill a histogram; values outside the edges, and those that are no number, are not in it.

    By `hist <https://hist.readthedocs.io>`_; by NumPy where that is not installed.

    Parameters
    ----------
    values
        ``(n,)``. The last edge belongs to the last bin.
    edges
        Rising.
    weights
        ``(n,)``, or None.
    """
    inside = np.isfinite(values) & (values >= edges[0]) & (values <= edges[-1])
    # hist's last bin is open above.
    kept = np.minimum(values[inside], np.nextafter(edges[-1], edges[0]))
    w = np.ones(len(kept)) if weights is None else np.asarray(weights, np.float64)[inside]
    try:
        import hist
    except ModuleNotFoundError:
        sums = np.histogram(kept, edges, weights=w)[0]
        return Histogram(edges, sums, np.histogram(kept, edges, weights=w**2)[0])
    filled = hist.Hist(hist.axis.Variable(edges), storage=hist.storage.Weight())
    filled.fill(kept, weight=w)
    view = filled.view()
    return Histogram(edges, np.array(view.value), np.array(view.variance))
