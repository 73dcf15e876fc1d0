"""The section of pictures of jets: averages, what the network looks at, its sure mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from striate.data import Dataset, load
from striate.evaluation import Evaluation
from striate.jets import ImageOptions
from striate.jets.excerpt import read_one_jet
from striate.jets.file import is_jets_file
from striate.plots.jet_images import (
    average_images,
    constituents_beside_image,
    output_correlation,
    surest_wrong_jets,
)
from striate.report.gallery import Gallery, beside
from striate.report.markup import Content, Html, paragraph, section

_UNITS = {
    "none": "GeV",
    "sum": "share",
    "sqrt": "√share",
    "l2": "of norm",
}
_WRONG = 8
_AGAIN = 1000
"""Jets of which images are made anew, to show what the preprocessing does."""


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
    source = _constituents_file(data)
    if source is None:
        shown: Any = images
        labels, weights = data.test.labels, data.test.weights
        told = f"Of the test jets of {signal}, of {background}, and their difference."
    else:
        # Without the steps that align jets with each other, but about their own axis.
        before = options | {"centre": "axis", "rotate": None, "flip": False}
        made = {
            "before": load(source, image=before, limit=_AGAIN).train,
            "after": load(source, image=options, limit=_AGAIN).train,
        }
        shown = {title: split.images for title, split in made.items()}
        labels, weights = made["after"].labels, made["after"].weights
        told = (
            f"Of {len(labels)} jets of {signal} and {background}, and their difference: about the "
            "axis of the jet, before they are centred, turned and flipped; and after."
        )
    figures: list[Content] = [
        gallery.show(
            "average_jets",
            average_images(shown, labels, names, width=width, unit=unit, weights=weights),
            "Average images.",
            told,
            alt=f"Average image of {signal} and of {background}, and the difference.",
        )
    ]
    if source is not None:
        figures.append(
            gallery.show(
                "one_jet",
                constituents_beside_image(read_one_jet(source, 1), **options),
                f"One jet of {signal}.",
                "Its constituents, centred, turned and flipped, with areas that go with their pT; "
                "and the pixels that they become.",
                alt=f"Constituents of one jet of {signal} beside its image.",
            )
        )
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


def _constituents_file(data: Dataset) -> Path | None:
    """Return the file of our own making that the data were read from, if it is there."""
    path = Path(dict(data.provenance.get("load") or {}).get("name_or_path", ""))
    return path if path.is_file() and is_jets_file(path) else None


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
