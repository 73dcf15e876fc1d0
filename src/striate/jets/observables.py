"""Observables of jets: mass, prongs, energy correlation, fragmentation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from striate.jets.cluster import n_subjettiness, trimmed
from striate.jets.constituents import Constituents

# Jets x particles x particles of one batch: its arrays then lie in a core's second-level cache.
_BATCH = 1 << 16

_TAUS = 3


def observables(
    jets: Constituents,
    *,
    radius: float = 1.0,
    trim_radius: float = 0.3,
    trim_fraction: float = 0.05,
    kept: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Compute all observables of jets.

    Parameters
    ----------
    jets
        Their constituents.
    radius
        Of the jets, by which tau_N is normalised.
    trim_radius, trim_fraction
        Of trimming: see :func:`~striate.jets.cluster.trimmed`.
    kept
        Which constituents trimming keeps, where that is known.

    Returns
    -------
    dict
        float32, each ``(n,)``, in GeV where the name says so: ``pt_gev``, ``eta``, ``phi``,
        ``mass_gev`` of the jet; ``groomed_pt_gev``, ``groomed_mass_gev`` after trimming;
        ``tau_1``, ``tau_2``, ``tau_3`` (N-subjettiness, beta = 1, arXiv:1011.2268) and their
        ratios ``tau_21``, ``tau_32``; ``c2`` (arXiv:1305.0007), ``d2`` (arXiv:1409.6298), beta = 1;
        ``multiplicity``; ``pt_d`` (CMS PAS JME-13-002). All but the groomed ones are of all
        constituents. A ratio of which the denominator is 0 is 0.
    """
    if kept is None:
        kept = trimmed(jets, trim_radius, trim_fraction)
    whole, groomed = jets.sums(), jets.keep(kept).sums()
    tau = n_subjettiness(jets, _TAUS, radius)
    second, third = energy_correlations(jets)
    found = {
        "pt_gev": whole.pt_gev,
        "eta": whole.eta,
        "phi": whole.phi,
        "mass_gev": whole.mass_gev,
        "groomed_pt_gev": groomed.pt_gev,
        "groomed_mass_gev": groomed.mass_gev,
        **{f"tau_{n + 1}": tau[:, n] for n in range(_TAUS)},
        "tau_21": ratio(tau[:, 1], tau[:, 0]),
        "tau_32": ratio(tau[:, 2], tau[:, 1]),
        "c2": ratio(third, second**2),
        "d2": ratio(third, second**3),
        "multiplicity": jets.counts,
        "pt_d": pt_dispersion(jets),
    }
    return {name: values.astype(np.float32) for name, values in found.items()}


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Return ``above / below``, 0 where that is not defined."""
    return np.divide(above, below, out=np.zeros(len(above)), where=below > 0)


def pt_dispersion(jets: Constituents) -> np.ndarray:
    """Return pT D, the root of the sum of pT squared over the sum of pT, ``(n,)``.

    1 for a jet of one particle, 1/sqrt(n) for n equal ones (CMS PAS JME-13-002).
    """
    pt = np.asarray(jets.pt_gev, np.float64)
    return ratio(np.sqrt(jets.jet_sum(pt**2)), jets.jet_sum(pt))


def energy_correlations(jets: Constituents, beta: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return the normalised two- and three-point energy correlation functions, each ``(n,)``.

    With z the share of a particle in the sum of pT and R the distance of two in rapidity and
    azimuth, these are the sums over pairs of ``z_i z_j R_ij**beta`` and over triples of
    ``z_i z_j z_k (R_ij R_jk R_ki)**beta`` (arXiv:1305.0007). The second is a sixth of the trace of
    the third power of the matrix ``sqrt(z_i z_j) R_ij**beta``, so that no triple is looped over.
    """
    second, third = np.zeros(len(jets)), np.zeros(len(jets))
    shares = np.asarray(jets.pt_gev, np.float64)
    shares = shares / np.repeat(np.maximum(jets.jet_sum(shares), 1e-300), jets.counts)
    rapidity = jets.rapidity()
    phi = np.asarray(jets.phi, np.float64) % (2 * np.pi)
    for chosen, rows, real in _padded(jets):
        z = np.where(real, shares[rows], 0.0)
        turn = np.abs(phi[rows][:, :, np.newaxis] - phi[rows][:, np.newaxis])
        np.minimum(turn, 2 * np.pi - turn, out=turn)
        turn *= turn
        along = rapidity[rows][:, :, np.newaxis] - rapidity[rows][:, np.newaxis]
        along *= along
        along += turn
        apart = np.sqrt(along) if beta == 1 else along ** (beta / 2)
        root = np.sqrt(z)
        matrix = root[:, :, np.newaxis] * apart * root[:, np.newaxis]
        # sqrt(z_i) M_ij sqrt(z_j) over all pairs counts each twice.
        second[chosen] = 0.5 * ((matrix @ root[:, :, np.newaxis])[:, :, 0] * root).sum(axis=1)
        # The matrix is symmetric, so the trace of its cube is a sum over products of entries.
        third[chosen] = ((matrix @ matrix) * matrix).sum(axis=(1, 2)) / 6
    return second, third


def _padded(jets: Constituents) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield jets of similar size together: numbers, rows ``(jets, most)``, and which exist."""
    counts = jets.counts
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] > 0]
    while len(order):
        most = int(counts[order[0]])
        chosen, order = np.split(order, [max(1, _BATCH // most**2)])
        places = np.arange(most)
        real = places < counts[chosen][:, np.newaxis]
        rows = np.where(real, jets.offsets[chosen][:, np.newaxis] + places, 0)
        yield chosen, rows, real
