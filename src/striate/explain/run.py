"""Explain what a trained network makes of one image: pixels, feature maps, kernels, patches."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from striate import plots
from striate.data import Dataset, as_dataset
from striate.engine.scores import Kind, Scores
from striate.errors import StriateError, nearest
from striate.evaluation import predict_probabilities
from striate.evaluation.prediction import refuse_other_images
from striate.explain import attribution
from striate.explain.attribution import FEWEST_STEPS, METHODS, Attribution, Method
from striate.explain.patches import patches_figure
from striate.explain.pixels import attributions
from striate.models.activations import activations
from striate.models.anatomy import views
from striate.models.receptive import View
from striate.plots.style import clipped, percent

SEARCHED = 2000
"""Of more test images than these, so many are searched for patches, evenly spaced; it is said."""

_PROBES = 32


@dataclass(frozen=True, eq=False)
class Explanation:
    """What a network makes of one test image, and which pixels mattered to it.

    Attributes
    ----------
    index
        The number of the image in the test split.
    image
        Shape (row, col, channel), values in [0, 1].
    true, predicted, explained
        The class of the image, the likeliest one, and the one whose score is explained.
    class_names, probabilities
        Of all classes.
    kind, score, baseline_score
        Which score, and its value for the image and for the baseline.
    baseline
        In words.
    attributions
        One a method.
    notes
        Sentences on what was left out.
    """

    index: int
    image: np.ndarray
    true: int
    predicted: int
    explained: int
    class_names: tuple[str, ...]
    probabilities: np.ndarray
    kind: Kind
    score: float
    baseline_score: float
    baseline: str
    attributions: tuple[Attribution, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return all but the pictures as JSON can hold it."""
        names = self.class_names
        return {
            "image": self.index,
            "true": names[self.true],
            "predicted": names[self.predicted],
            "explained": names[self.explained],
            "probabilities": dict(zip(names, self.probabilities.tolist(), strict=True)),
            "score": {
                "kind": self.kind,
                "value": self.score,
                "baseline": self.baseline_score,
                "baseline_image": self.baseline,
            },
            "methods": [
                {
                    "method": found.method,
                    "sum": found.total,
                    "change": found.change,
                    "residue": found.residue,
                    "complete": found.complete,
                    "steps": found.steps,
                    "patch": found.patch,
                    "layer": found.layer,
                }
                for found in self.attributions
            ],
            "notes": list(self.notes),
        }


class Explainer:
    """Explains a trained network on the test images of a dataset.

    Parameters
    ----------
    model
        A built Keras model that classifies images.
    data
        The dataset, or the name or path to load; its test images are looked at.
    kind
        Which score to explain; the logit, where the network has one, when None.

    Raises
    ------
    StriateError
        If the network does not fit the data.
    """

    def __init__(
        self, model: Any, data: Dataset | str | PathLike[str], kind: Kind | None = None
    ) -> None:
        data = as_dataset(data)
        refuse_other_images(model, data.image_shape, f"the network {model.name!r}", repr(data.name))
        self._model = model
        self._data = data
        probes = data.test.take(np.arange(min(_PROBES, len(data.test)))).images
        self._scores = Scores(model, probes, kind)
        self._views: Mapping[str, View] = views(model)

    @property
    def convolutions(self) -> tuple[str, ...]:
        """The names of the network's convolution layers."""
        return self._scores.convolutions

    def explain(
        self,
        index: int,
        *,
        class_name: str | None = None,
        methods: Sequence[Method] | None = None,
        baseline: str | float = 0.0,
        patch: int | None = None,
        steps: int = FEWEST_STEPS,
        layer: str | None = None,
    ) -> Explanation:
        """Say which pixels of a test image mattered.

        Parameters
        ----------
        index
            The number of the image in the test split, from 0.
        class_name
            The class whose score is explained, by name or number; the likeliest when None.
        methods
            Which of `striate.explain.attribution.METHODS`; all that apply when None.
        baseline, patch, steps
            See `striate.explain.attribution`.
        layer
            The convolution layer for Grad-CAM; the last when None.

        Raises
        ------
        StriateError
            If there is no such image, class or layer, or a method does not apply.
        """
        test = self._data.test
        if not 0 <= index < len(test):
            raise StriateError(
                f"image {index} is not among the {len(test)} test images of {self._data.name!r}: "
                f"give a number from 0 to {len(test) - 1}"
            )
        one = test.take(np.array([index]))
        image = np.array(one.images[0])
        rows, _ = predict_probabilities(self._model, one, self._data.classes)
        if not np.isfinite(rows).all():
            raise StriateError(f"the network's answer to test image {index} is not finite")
        predicted = int(rows[0].argmax())
        explained = predicted if class_name is None else self._class(class_name)
        nothing = attribution.baseline_image(image, baseline)
        chosen, notes = self._methods(methods, layer)
        if image.shape[2] > 1:
            notes.append(f"The shares of a pixel are summed over its {image.shape[2]} channels.")
        found = []
        for method in chosen:
            if method == "gradient-input":
                made = attribution.gradient_times_input(self._scores, image, explained, nothing)
            elif method == "integrated-gradients":
                made = attribution.integrated_gradients(
                    self._scores, image, explained, nothing, steps
                )
            elif method == "occlusion":
                made = attribution.occlusion(self._scores, image, explained, nothing, patch)
            else:
                made = self._grad_cam(image, explained, layer or self.convolutions[-1])
            found.append(made)
        at, before = self._scores.of(np.stack([image, nothing]), explained)
        return Explanation(
            index,
            image,
            int(one.labels[0]),
            predicted,
            explained,
            self._data.class_names,
            rows[0],
            self._scores.kind,
            float(at),
            float(before),
            baseline if baseline in ("mean", "blur") else f"{float(baseline):g}",
            tuple(found),
            tuple(notes),
        )

    def figures(
        self, explanation: Explanation, progress: Callable[[int, int], None] | None = None
    ) -> dict[str, plots.Figure]:
        """Draw an explanation, feature maps, kernels and the patches that excite them most.

        Parameters
        ----------
        explanation
            Of an image.
        progress
            Is told how many test images have been searched for patches, and of how many.

        Returns
        -------
        dict[str, plots.Figure]
            By a name that is fit for a file.
        """
        drawn = {"pixels": _pixels(explanation, self._data.name)}
        maps = activations(self._model, explanation.image)
        if maps:
            drawn["feature_maps"] = plots.feature_maps(maps, image=explanation.image)
        for name in self.convolutions:
            weights = self._scores.kernels(name)
            if weights is not None:
                drawn[f"kernels_{_plain(name)}"] = plots.kernels(weights)
        return drawn | self._patches(progress)

    def _patches(self, progress: Callable[[int, int], None] | None) -> dict[str, plots.Figure]:
        if not any(name in self._views for name in self.convolutions):
            return {}
        test = self._data.test
        count = min(len(test), SEARCHED)
        images = test.take(np.arange(count) * len(test) // count).images
        which = f"{count:,} test images" + (f" of {len(test):,}" if count < len(test) else "")
        strongest = self._scores.strongest(images, progress)
        return {
            f"patches_{_plain(name)}": patches_figure(
                name,
                strongest[name],
                images,
                self._views[name],
                kernels=self._scores.kernels(name),
                searched=which,
            )
            for name in self.convolutions
            if name in self._views and len(self._views[name].axes) == 2
        }

    def _class(self, word: str) -> int:
        names = self._data.class_names
        if word in names:
            return names.index(word)
        if word.isdecimal() and int(word) < len(names):
            return int(word)
        raise StriateError(f"no class {word!r} in {self._data.name!r}: {nearest(word, names)}")

    def _methods(
        self, asked: Sequence[Method] | None, layer: str | None
    ) -> tuple[list[Method], list[str]]:
        for method in asked or ():
            if method not in METHODS:
                raise StriateError(f"unknown method {method!r}: {nearest(method, METHODS)}")
        chosen = list(dict.fromkeys(asked or METHODS))
        if self.convolutions or "grad-cam" not in chosen:
            return chosen, []
        why = "the network has no convolution layer"
        if asked or layer:
            raise StriateError(f"Grad-CAM does not apply: {why}; use another method")
        chosen.remove("grad-cam")
        return chosen, [f"Grad-CAM does not apply: {why}."]

    def _grad_cam(self, image: np.ndarray, number: int, layer: str) -> Attribution:
        view = self._views.get(layer)
        centres = None
        if view is not None and view.grid and len(view.axes) == 2:
            centres = [np.array(axis.centres) for axis in view.axes]
        return attribution.grad_cam(self._scores, image, number, layer, centres)


def _pixels(explanation: Explanation, data: str) -> plots.Figure:
    names = explanation.class_names
    true, predicted, explained = (
        clipped(names[n], 20)
        for n in (explanation.true, explanation.predicted, explanation.explained)
    )
    chance = percent(float(explanation.probabilities[explanation.predicted]))
    heading = [
        f"{clipped(data, 16)}, test image {explanation.index}: {true}",
        f"predicted {predicted} ({chance})",
        f"explained: the {explanation.kind} of {explained}",
        f"it is {explanation.score:.4g}; for the baseline ({explanation.baseline}) "
        f"{explanation.baseline_score:.4g}; light raises it, dark lowers it".replace("-", "−"),
        *explanation.notes,
    ]
    return attributions(
        explanation.image,
        explanation.attributions,
        heading=heading,
        unit=explanation.kind,
        class_names=names,
        probabilities=explanation.probabilities,
    )


def save_figures(figures: Mapping[str, plots.Figure], directory: Path) -> list[Path]:
    """Write each figure as PNG and PDF into a folder, and return the paths of the PNG files."""
    return [plots.save(figure, directory / name)[0] for name, figure in figures.items()]


def _plain(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name)
