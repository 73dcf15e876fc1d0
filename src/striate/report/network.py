"""The sections on the network: its layers, how they are computed, and what they have learned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from striate import plots
from striate.data import Dataset
from striate.errors import StriateError
from striate.evaluation import Evaluation
from striate.models.activations import activations
from striate.models.anatomy import Anatomy, anatomy
from striate.plots.style import percent
from striate.plots.weights import MOST_INPUTS
from striate.quantities import MISSING, count, operations, plural
from striate.report.gallery import Gallery, beside
from striate.report.markup import Html, join, paragraph, section, table
from striate.report.words import sentence, sizes


def network_section(model: Any) -> Html:
    """Return the section on the anatomy of `model` and on the op each layer was lowered to."""
    try:
        layers = _layers(anatomy(model))
    except StriateError as error:
        layers = paragraph(f"The layers cannot be listed: {error}")
    return section(
        "Network",
        layers,
        _lowering(model),
        identity="network",
    )


def _layers(network: Anatomy) -> Html:
    rows = [
        [
            layer.name,
            layer.kind,
            sizes(layer.output_shape),
            count(layer.parameters),
            MISSING if layer.name in network.uncounted else operations(layer.flops),
            sizes(layer.receptive_field),
            sizes(layer.stride),
        ]
        for layer in network.layers
    ]
    rows.append(["all", "", "", count(network.parameters), operations(network.flops), "", ""])
    return join(
        [
            paragraph(
                "The work is that of one image forward; a multiplication with its addition counts "
                "as two. A value sees a patch of the image, its receptive field, and looks one "
                "step beside its neighbour; both are in pixels."
            ),
            table(
                "Layer by layer",
                ["layer", "kind", "output", "parameters", "work", "sees", "step"],
                rows,
                words=3,
            ),
            paragraph(f"The work of {', '.join(network.uncounted)} is not known, and in no total.")
            if network.uncounted
            else None,
        ]
    )


def inside_section(model: Any, evaluation: Evaluation, data: Dataset, gallery: Gallery) -> Html:
    """Return the section on output weights, first-layer kernels and feature maps."""
    drawn: list[Html] = []
    left_out: list[str] = []
    for made in (
        _output_weights(model, data, gallery),
        _first_kernels(model, data, gallery),
        _feature_maps(model, evaluation, data, gallery),
    ):
        if isinstance(made, Html):
            drawn.append(made)
        else:
            left_out.append(made)
    return section(
        "Inside the network",
        beside(*drawn) if drawn else None,
        paragraph(" ".join(left_out)) if left_out else None,
        identity="inside",
    )


def _lowering(model: Any) -> Html | None:
    """Return the engine's report, of a model that has one."""
    report = getattr(model, "engine_report", None)
    if report is None:
        return None
    try:
        lowered = report()
    except StriateError as error:
        return paragraph(f"How the layers are computed is not known: {error}")
    notes = [str(note) for note in getattr(lowered, "notes", ())]
    return join(
        [
            table(
                "How striate computes each layer",
                ["layer", "computed by"],
                [[name, str(how)] for name, how in lowered.items()],
                words=2,
            ),
            *(paragraph(note) for note in notes),
        ]
    )


def _output_weights(model: Any, data: Dataset, gallery: Gallery) -> Html | str:
    classes = len(data.class_names)
    kernel = _last_kernel(model)
    outputs = 0 if kernel is None else kernel.shape[1]
    if kernel is None or outputs not in ({1, 2} if classes == 2 else {classes}):
        return "Output weights are left out: the last layer with weights is not a dense one."
    if classes > 100:
        return "Output weights are left out: there are more than 100 classes."
    size = float(np.abs(kernel).max())
    grouped = " Of neighbouring inputs the largest weight is drawn." * (len(kernel) > MOST_INPUTS)
    return gallery.show(
        "output_weights",
        plots.output_weights(kernel, data.class_names),
        "Weights of the output layer.",
        "How strongly each input of the last layer speaks for a class (light) or against it "
        f"(dark).{grouped}",
        alt=f"Heat map of the {len(kernel)} by {outputs} weights of the output layer; "
        f"the largest magnitude is {size:.2g}.",
    )


def _first_kernels(model: Any, data: Dataset, gallery: Gallery) -> Html | str:
    found = next(((layer, kernel) for layer, kernel in _kernels(model)), None)
    if found is None:
        return "First-layer kernels are left out: no layer has a kernel."
    layer, kernel = found
    pixels = int(np.prod(data.image_shape))
    if kernel.ndim == 2 and len(kernel) == pixels:
        kernel = kernel.reshape(*data.image_shape, -1)
        title, what = "Weights of the first layer.", "as images: what each unit looks for"
    elif kernel.ndim == 4 and kernel.shape[2] == data.image_shape[2]:
        title, what = "Kernels of the first layer.", "what each convolution looks for"
    else:
        return "First-layer kernels are left out: the first layer with weights is not on pixels."
    size = sizes(kernel.shape[:2])
    return gallery.show(
        "kernels",
        plots.kernels(kernel),
        title,
        f"{layer.name}: {what}, on one scale.",
        alt=f"{plural(kernel.shape[-1], 'kernel')} of {size} pixels of the layer {layer.name}; "
        f"the largest magnitude is {float(np.abs(kernel).max()):.2g}.",
    )


def _feature_maps(
    model: Any, evaluation: Evaluation, data: Dataset, gallery: Gallery
) -> Html | str:
    image = data.test.take(np.array([0])).images[0]
    maps = activations(model, image)
    if not maps:
        return "Feature maps are left out: no layer of the network keeps rows and columns."
    name = data.class_names[int(data.test.labels[0])]
    predicted = int(evaluation.predictions[0])
    answer = (
        "gives no answer"
        if predicted < 0
        else f"says {evaluation.class_names[predicted]} "
        f"({sentence(percent(float(evaluation.probabilities[0, predicted])))})"
    )
    return gallery.show(
        "feature_maps",
        plots.feature_maps(maps, image=image),
        "Feature maps.",
        f"What each layer makes of the first test image, class {name}; the network {answer}. "
        "Each layer has its own scale; where values are signed, grey is zero.",
        alt=f"The first test image, class {name}, and the outputs of "
        + ", ".join(f"{layer} ({sizes(values.shape)})" for layer, values in maps)
        + " for it.",
    )


def _kernels(model: Any) -> Iterator[tuple[Any, np.ndarray]]:
    """Yield the layers with a kernel and the kernel, in order, those of inner models included."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _kernels(layer)
        elif getattr(layer, "kernel", None) is not None:
            yield layer, np.asarray(layer.kernel)


def _last_kernel(model: Any) -> np.ndarray | None:
    kernels = [kernel for _, kernel in _kernels(model)]
    return kernels[-1] if kernels and kernels[-1].ndim == 2 else None
