"""The worked example of the NTHU lecture: an O or an X through a network, number by number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.convolution import Step, WorkedExample
from striate.convolution import worked_example as example_of
from striate.explain.dense import Dense
from striate.explain.layout import headed
from striate.explain.scenes.cells import Numbers, Table, number, title
from striate.explain.scenes.drawing import figure
from striate.explain.scenes.shapes import Arrow, Box, Scene, Shape, Steps, Words
from striate.explain.scenes.writing import Picture
from striate.explain.window import Motion, Window

Values = npt.NDArray[Any]

_IMAGE = Table(0.3, 1.3, 6, 6, 0.35)
_KERNEL = Table(2.85, 1.3, 3, 3, 0.3)
_PRODUCTS = Table(2.85, 2.5, 3, 3, 0.3)
_MAP = Table(4.2, 1.3, 4, 4, 0.36)
_RELU = Table(6.05, 1.3, 4, 4, 0.36)
_MAX = Table(8.0, 1.3, 2, 2, 0.4)
_AVERAGE = Table(8.0, 2.5, 2, 2, 0.4)
_FLAT = Table(0.3, 4.1, 1, 4, 0.36)
_WEIGHTS = Table(2.75, 3.9, 2, 4, 0.38)
_BIAS = Table(4.7, 3.9, 2, 1, 0.38)
_SCORES = Table(5.6, 3.9, 2, 1, 0.38)
_CHANCES = Table(6.6, 3.9, 2, 1, 0.38)

_NOTHING = Box(0, 0, 0, 0)


@dataclass(frozen=True)
class _State:
    """How far the example has come, and where one should look."""

    window: int
    outputs: int
    activated: bool = False
    pooled: int = 0
    flattened: bool = False
    classified: bool = False


def worked_example(letter: str, dense: Dense | None = None) -> Picture:
    """Show one image on its way through the network (rows W1 to W3; PHYS591000, NTHU, 2022).

    Parameters
    ----------
    letter
        ``"O"`` or ``"X"``.
    dense
        The layer that classifies; without it the example ends with the flattened outputs.

    Raises
    ------
    StriateError
        If it is another letter.
    """
    example = example_of(letter)
    window = Window(example.image, example.kernel, Motion(example.bias))
    count, pools = len(window.steps), example.max_pooled.size
    states = [_State(n, n + 1) for n in range(count)]
    done = count - 1
    states.append(_State(done, count, activated=True))
    states += [_State(done, count, True, n + 1) for n in range(pools)]
    states.append(_State(done, count, True, pools, True))
    if dense is not None:
        states.append(_State(done, count, True, pools, True, True))

    def scene(place: int) -> Scene:
        state = states[place]
        told = _told(example, window.steps[state.window], state, dense)
        shapes = _drawn(example, window, state, dense)
        shapes.append(Words(4.8, 4.95, told, 12.5, "middle", bold=True))
        shapes += headed(
            f"Is it an O or an X? The image of {letter}",
            "3 × 3 kernel, bias −2, ReLU, 2 × 2 pooling, flatten"
            + ("" if dense is None else ", dense, softmax"),
            f"step {place + 1} of {len(states)}",
            _foot(dense),
        )
        return Scene(tuple(shapes), f"{told[0].upper()}{told[1:]}.")

    return Picture(
        letter.lower(),
        f"The worked example, {letter}",
        figure(scene(len(states) - 1)),
        Steps(scene, len(states)),
    )


def classified(dense: Dense, example: WorkedExample) -> tuple[str, float]:
    """Return the likelier class of an image, and its probability."""
    chances = dense.probabilities(example.flattened)
    best = int(chances.argmax())
    return dense.class_names[best], float(chances[best])


def _told(example: WorkedExample, step: Step, state: _State, dense: Dense | None) -> str:
    """Return in a line what happens in a step."""
    if state.classified and dense is not None:
        name, chance = classified(dense, example)
        return f"weights · inputs + bias, then softmax: it is an {name}, {100 * chance:.2f} %"
    if state.flattened:
        return f"flattened, row by row: {', '.join(map(number, example.flattened))}"
    if state.pooled:
        row, column = divmod(state.pooled - 1, example.max_pooled.shape[1])
        largest, average = example.max_pooled[row, column], example.average_pooled[row, column]
        return f"largest of the window: {number(largest)}; its average: {number(average, 2)}"
    if state.activated:
        return "ReLU keeps what is above 0: max(x, 0)"
    terms = " + ".join(
        f"{pixel}·{weight}"
        for pixel, weight in zip(step.window.flat, example.kernel.flat, strict=True)
    )
    added = f"{number(step.sum)} + ({number(step.bias)}) = {number(step.output)}"
    return f"{terms} = {number(step.sum)};   {added}"


def _drawn(
    example: WorkedExample, window: Window, state: _State, dense: Dense | None
) -> list[Shape]:
    step = window.steps[state.window]
    outputs = example.feature_map.astype(float)
    outputs.flat[state.outputs :] = np.nan
    pooled = [values.astype(float) for values in (example.max_pooled, example.average_pooled)]
    for values in pooled:
        values.flat[state.pooled :] = np.nan
    shapes: list[Shape] = [
        title(_IMAGE, "image 6 × 6"),
        title(_KERNEL, "kernel"),
        title(_PRODUCTS, "products"),
        title(_MAP, "feature map"),
        title(_RELU, "after ReLU"),
        title(_MAX, "max pooled"),
        title(_AVERAGE, "average pooled"),
        title(_FLAT, "flattened"),
        *Numbers(_IMAGE, example.image).draw(example.image),
        *Numbers(_KERNEL, example.kernel).draw(example.kernel),
        *Numbers(_PRODUCTS, [0, 1]).draw(step.products),
        *Numbers(_MAP, example.feature_map).draw(outputs),
        *Numbers(_RELU, [0, 1]).draw(_shown(example.activated, state.activated)),
        *Numbers(_MAX, [0, 1]).draw(pooled[0]),
        *Numbers(_AVERAGE, [0, 1], shown=2).draw(pooled[1]),
        *Numbers(_FLAT, [0, 1]).draw(_shown(example.flattened[None], state.flattened)),
        Arrow(_MAP.right + 0.1, _MAP.centre, _RELU.left - 0.1, _RELU.centre),
        Arrow(_RELU.right + 0.1, _RELU.centre, _MAX.left - 0.1, _MAX.centre + 0.2),
        *_looked_at(example, window, state),
    ]
    return shapes + ([] if dense is None else _dense(example, state, dense))


def _looked_at(example: WorkedExample, window: Window, state: _State) -> list[Shape]:
    """Return the frames, the same number of them in each step."""
    step = window.steps[state.window]
    convolving, pooling = not state.activated, state.pooled > 0 and not state.flattened
    activating = state.activated and state.pooled == 0
    row, column = divmod(max(state.pooled, 1) - 1, example.max_pooled.shape[1])
    return [
        _IMAGE.outline(*step.position, *window.taps) if convolving else _NOTHING,
        _MAP.outline(*step.index) if convolving else _NOTHING,
        _RELU.outline(0, 0, 4, 4) if activating else _NOTHING,
        _RELU.outline(2 * row, 2 * column, 2, 2) if pooling else _NOTHING,
        _MAX.outline(row, column) if pooling else _NOTHING,
        _AVERAGE.outline(row, column) if pooling else _NOTHING,
        _FLAT.outline(0, 0, 1, 4) if state.flattened and not state.classified else _NOTHING,
        _CHANCES.outline(0, 0, 2) if state.classified else _NOTHING,
    ]


def _dense(example: WorkedExample, state: _State, dense: Dense) -> list[Shape]:
    scores = dense.scores(example.flattened)[:, None]
    chances = dense.probabilities(example.flattened)[:, None]
    bias = dense.bias[:, None]
    shapes: list[Shape] = [
        title(_WEIGHTS, "dense: weights"),
        title(_BIAS, "bias"),
        title(_SCORES, "scores"),
        title(_CHANCES, "softmax"),
        *Numbers(_WEIGHTS, dense.weights).draw(dense.weights.T),
        *Numbers(_BIAS, bias, shown=2).draw(bias),
        *Numbers(_SCORES, scores, shown=2).draw(_shown(scores, state.classified)),
        *Numbers(_CHANCES, [0, 1], shown=4).draw(_shown(chances, state.classified)),
        Arrow(_FLAT.right + 0.1, _FLAT.centre, _WEIGHTS.left - 0.3, _WEIGHTS.centre),
    ]
    for row, name in enumerate(dense.class_names):
        y = _WEIGHTS.top + (row + 0.5) * _WEIGHTS.side
        shapes.append(Words(_WEIGHTS.left - 0.15, y, name, 12.0, "middle", bold=True))
    name, chance = classified(dense, example)
    verdict = f"an {name}: {100 * chance:.2f} %" if state.classified else ""
    shapes.append(Words(7.2, _CHANCES.centre, verdict, 16.0, bold=True))
    return shapes


def _shown(values: Values, whether: bool) -> Values:
    return values.astype(float) if whether else np.full(values.shape, np.nan)


def _foot(dense: Dense | None) -> str:
    if dense is None:
        return "Darker cells hold larger numbers. Without the dense layer, which is learned."
    return (
        f"The kernel is the lecture's; the dense layer was learned from {dense.images:,} generated "
        f"images, and tells {100 * dense.accuracy:.1f} % of {dense.tested} others right. Rounded."
    )
