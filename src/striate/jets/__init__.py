"""Jets: their constituents, images and observables, and collisions that make them.

This stage knows arrays only: neither files of other experiments nor networks. ``constituents``
holds the particles of many jets in flat arrays, from which everything else is computed.
"""

from __future__ import annotations

from striate.jets.constituents import Constituents, FourMomenta, JetSums

__all__ = ["Constituents", "FourMomenta", "JetSums"]
