"""Convolution step by step: the window, its products, their sum, and the feature map filling up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from striate.errors import StriateError
from striate.explain.images import Source
from striate.explain.layout import Layout, half_slide, headed, whole_slide
from striate.explain.scenes.drawing import figure
from striate.explain.scenes.shapes import Scene, Shape, Steps, Words
from striate.explain.scenes.writing import Picture
from striate.explain.window import Motion, Values, Window
from striate.plots.style import clipped

CORRELATION = "Cross-correlation, which networks call convolution"
CONVOLUTION = "Convolution, the kernel turned by half a turn"


def convolution(
    image: Source, kernel: Values, motion: Motion, *, kernel_name: str = "", step: int = 1
) -> Picture:
    """Show a kernel on its way over an image.

    Parameters
    ----------
    image
        In grey or in colour.
    kernel
        (row, column), or (row, column, channel).
    motion
        Bias, stride, padding, dilation, and whether the kernel is turned.
    kernel_name
        For the title.
    step
        The step of the still picture, from 1; its feature map is whole.

    Raises
    ------
    StriateError
        If shapes do not fit, there is no such step, or the image is too large for cells.
    """
    window = Window(image.pixels, kernel, motion)
    layout = Layout(window, whole_slide(window))
    chosen = _chosen(step, len(window.steps))
    heading = CONVOLUTION if motion.flip else CORRELATION
    about = _about(image, kernel_name, motion)

    def scene(number: int, outputs: Values | None = None) -> Scene:
        at = window.steps[number]
        row, column = (place + 1 for place in at.index)
        place = f"step {number + 1} of {at.count}: row {row}, column {column}"
        shapes = layout.shapes(at, outputs) + headed(heading, about, place, layout.foot)
        return Scene(tuple(shapes), f"{place[0].upper()}{place[1:]}: {layout.result(at)}.")

    return Picture(
        "convolution",
        f"{heading.split(',')[0]} of {image.name} with {kernel_name or 'a kernel'}",
        figure(scene(chosen, window.feature_map)),
        Steps(scene, len(window.steps)),
    )


def comparison(
    image: Source, kernel: Values, motion: Motion, *, kernel_name: str = "", step: int = 1
) -> Picture:
    """Show cross-correlation and convolution of a grey image side by side.

    Parameters
    ----------
    image, kernel, motion, kernel_name, step
        As in `convolution`; `motion.flip` is not looked at.

    Raises
    ------
    StriateError
        As in `convolution`, and if the image or the kernel has channels.
    """
    if image.pixels.ndim != 2 or kernel.ndim != 2:
        raise StriateError("side by side only images without channels are shown: give a grey one")
    windows = [Window(image.pixels, kernel, replace(motion, flip=flip)) for flip in (False, True)]
    layouts = [
        Layout(window, half_slide(window, left))
        for window, left in zip(windows, (0.15, 4.95), strict=True)
    ]
    chosen = _chosen(step, len(windows[0].steps))
    same = bool(np.array_equal(windows[0].laid, windows[1].laid))
    apart = float(np.abs(windows[0].feature_map - windows[1].feature_map).max())
    verdict = (
        "The kernel looks the same when turned: both give the same."
        if same
        else f"The results differ by up to {apart:.4g}."
    )
    about = f"{_about(image, kernel_name, motion)}. {verdict}"

    def scene(number: int, *, whole: bool = False) -> Scene:
        shapes: list[Shape] = []
        told = []
        for window, layout in zip(windows, layouts, strict=True):
            at = window.steps[number]
            shapes += layout.shapes(at, window.feature_map if whole else None)
            told.append(layout.result(at))
        place = f"step {number + 1} of {len(windows[0].steps)}"
        shapes += headed("Cross-correlation and convolution", about, place, layouts[0].foot)
        for left, text in (
            (0.15, "Cross-correlation: the kernel as given"),
            (4.95, "Convolution: the kernel turned"),
        ):
            shapes.append(Words(left + 2.25, 1.12, text, 13.0, "middle", bold=True))
        return Scene(
            tuple(shapes),
            f"Step {number + 1}: cross-correlation: {told[0]}; convolution: {told[1]}.",
        )

    return Picture(
        "comparison",
        f"Cross-correlation and convolution of {image.name}",
        figure(scene(chosen, whole=True)),
        Steps(scene, len(windows[0].steps)),
    )


def _about(image: Source, kernel_name: str, motion: Motion) -> str:
    kernel = clipped(kernel_name, 24) or "as given"
    return f"image {clipped(image.name, 28)}, kernel {kernel}, {motion}"


def _chosen(step: int, count: int) -> int:
    if not 1 <= step <= count:
        raise StriateError(f"there is no step {step}: the window makes {count}, give 1 to {count}")
    return step - 1
