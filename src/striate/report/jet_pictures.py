"""The section of pictures of jets: averages, what the network looks at, its sure mistakes."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.data import Dataset
from striate.evaluation import Evaluation
from striate.jets import ImageOptions
from striate.plots.jet_images import average_images, output_correlation, surest_wrong_jets
from striate.report.gallery import Gallery, beside
from striate.report.markup import Content, Html, paragraph, section

_UNITS = {
    "none": "GeV",
    "sum": "share",
    "sqrt": "√share",
    "l2": "of norm",
}
_WRONG = 8


def has_jet_images(data: Dataset) -> bool:
    """Return whether the provenance says how the images of jets were made, of two classes."""
    return data.classes == 2 and bool(dict(data.provenance).get("image"))


def jet_pictures_section(evaluation: Evaluation, data: Dataset, gallery: Gallery) -> Html:
    """Return the section of pictures of jets on the test split."""
    options: dict[str, Any] = dict(data.provenance["image"])
    width = float(options.get("width", ImageOptions.width))
    unit = _UNITS.get(str(options.get("normalise", "none")), "pixel")
    images, names = data.test.images, data.class_names
    signal, background = names[1], names[0]
    figures: list[Content] = [
        gallery.show(
            "average_jets",
            average_images(
                images, data.test.labels, names, width=width, unit=unit, weights=data.test.weights
            ),
            "Average images.",
            f"Of the test jets of {signal}, of {background}, and their difference.",
            alt=f"Average image of {signal} and of {background}, and the difference.",
        )
    ]
    answered = evaluation.predictions >= 0
    output = evaluation.probabilities[answered, 1]
    if answered.any() and np.ptp(output) > 0:
        weights = None if data.test.weights is None else data.test.weights[answered]
        figures.append(
            gallery.show(
                "output_correlation",
                output_correlation(images[answered], output, width=width, weights=weights),
                "What goes with the output.",
                f"Correlation of each pixel with the probability of {signal}: yellow pixels are "
                "brighter in jets that the network takes for it, blue ones in others.",
                alt="Linear correlation of each pixel with the network's output.",
            )
        )
    if len(evaluation.surest_mistakes(1)):
        figures.append(
            gallery.show(
                "surest_wrong_jets",
                surest_wrong_jets(
                    evaluation, images, width=width, observables=data.test.observables, n=_WRONG
                ),
                "Sure and wrong.",
                "Jets to which the network gave the wrong class with the highest probability, "
                "with their mass where it is known.",
                alt="Images of the jets that the network is surest about and wrong.",
            )
        )
    return section(
        "Jets",
        paragraph(_how(options)),
        beside(*figures),
        identity="jets",
    )


def _how(options: dict[str, Any]) -> str:
    """Return in a sentence how the images were made."""
    steps = [
        f"centred on the {options['centre']}" if options.get("centre") else "not centred",
        f"turned by the {options['rotate']}" if options.get("rotate") else "not turned",
        "flipped" if options.get("flip") else "not flipped",
        f"normalised: {options.get('normalise', 'none')}",
    ]
    side, width = options.get("grid", ImageOptions.grid), options.get("width", ImageOptions.width)
    return f"Images of {side} × {side} pixels over {width:g} × {width:g}, {', '.join(steps)}."
