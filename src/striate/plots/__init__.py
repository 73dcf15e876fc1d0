"""Figures: each function returns a matplotlib figure that neither ``pyplot`` nor a window knows.

>>> import striate as st
>>> st.plots.save(st.plots.history({"loss": [0.9, 0.4]}), "build/history")  # doctest: +SKIP
"""

from striate.plots.activation_maps import feature_maps
from striate.plots.confusion_matrix import confusion
from striate.plots.curves import history
from striate.plots.efficiency import efficiencies
from striate.plots.heatmap import heatmap
from striate.plots.images import mistakes, predictions, samples
from striate.plots.jet_images import (
    average_images,
    constituents_beside_image,
    output_correlation,
    surest_wrong_jets,
)
from striate.plots.rejection import rejection
from striate.plots.reliability import calibration
from striate.plots.response import response
from striate.plots.roc_curves import roc
from striate.plots.sculpting import mass_sculpting
from striate.plots.significance import significance
from striate.plots.style import Figure, save
from striate.plots.variants import variants
from striate.plots.weights import kernels, output_weights

__all__ = [
    "Figure",
    "average_images",
    "calibration",
    "confusion",
    "constituents_beside_image",
    "efficiencies",
    "feature_maps",
    "heatmap",
    "history",
    "kernels",
    "mass_sculpting",
    "mistakes",
    "output_correlation",
    "output_weights",
    "predictions",
    "rejection",
    "response",
    "roc",
    "samples",
    "save",
    "significance",
    "surest_wrong_jets",
    "variants",
]
