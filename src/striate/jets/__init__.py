"""Jets: their constituents, images and observables, and collisions that make them.

This stage knows arrays only: neither files of other experiments nor networks. ``constituents``
holds the particles of many jets in flat arrays, from which everything else is computed;
``images`` makes pixels of them, after ``alignment`` has centred, turned and flipped them by their
``subjets`` or their shape.
"""

from __future__ import annotations

from striate.jets.constituents import Constituents, FourMomenta, JetSums
from striate.jets.images import ImageOptions, image_mass, jet_images
from striate.jets.normalisation import Standardisation
from striate.jets.subjets import Subjets, leading_subjets

__all__ = [
    "Constituents",
    "FourMomenta",
    "ImageOptions",
    "JetSums",
    "Standardisation",
    "Subjets",
    "image_mass",
    "jet_images",
    "leading_subjets",
]
