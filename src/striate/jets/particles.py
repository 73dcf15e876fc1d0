"""Which particles of a detector's final state are charged, and their masses, by PDG number."""

from __future__ import annotations

import numpy as np

from striate.errors import StriateError
from striate.jets.constituents import Constituents

# Masses in GeV of what lives long enough to be seen (Particle Data Group 2024), by the absolute
# value of the PDG number; the sign of the charge does not matter here.
_CHARGED = {
    11: 0.000511,
    13: 0.105658,
    211: 0.139570,
    321: 0.493677,
    2212: 0.938272,
    3112: 1.197449,
    3222: 1.18937,
    3312: 1.32171,
    3334: 1.67245,
}
_NEUTRAL = {
    12: 0.0,
    14: 0.0,
    16: 0.0,
    22: 0.0,
    130: 0.497611,
    310: 0.497611,
    2112: 0.939565,
    3122: 1.115683,
    3322: 1.31486,
}
# What CMS gives its candidates in the forward calorimeter: hadronic and electromagnetic deposits.
_FORWARD = {1: 0.0, 2: 0.0}
_MASSES = _CHARGED | _NEUTRAL | _FORWARD


def is_charged(constituents: Constituents) -> np.ndarray:
    """Return whether each particle is charged, by its charge or else its PDG number.

    Raises
    ------
    StriateError
        If neither is known, or a number is none of a particle that a detector sees.
    """
    if constituents.charge is not None:
        return constituents.charge != 0
    if constituents.pdg_id is None:
        raise StriateError(
            "channels of charged and neutral particles need their charge or pdg_id, which these "
            "jets do not have: use channels='et'"
        )
    numbers, inverse = _known(constituents.pdg_id)
    return np.array([number in _CHARGED for number in numbers], dtype=np.bool_)[inverse]


def masses_gev(pdg_id: np.ndarray) -> np.ndarray:
    """Return the mass of each particle by its PDG number, float64 in GeV.

    Raises
    ------
    StriateError
        If a number is none of a particle that a detector sees.
    """
    numbers, inverse = _known(pdg_id)
    return np.array([_MASSES[number] for number in numbers], dtype=np.float64)[inverse]


def _known(pdg_id: np.ndarray) -> tuple[list[int], np.ndarray]:
    numbers, inverse = np.unique(np.abs(pdg_id), return_inverse=True)
    for number in numbers:
        if int(number) not in _MASSES:
            first = int(np.argmax(np.abs(pdg_id) == number))
            seen = ", ".join(map(str, sorted(_MASSES)))
            raise StriateError(
                f"pdg_id {int(pdg_id[first])} of particle {first} is none of a particle that a "
                f"detector sees: up to the sign {seen}"
            )
    return [int(number) for number in numbers], inverse
