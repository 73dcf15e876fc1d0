"""Zero padding keeps the size of an image: the lecture's example, with what its slide misprints."""

from __future__ import annotations

from striate.convolution import output_size, padding_example
from striate.explain.layout import Layout, headed, whole_slide
from striate.explain.scenes.cells import number
from striate.explain.scenes.drawing import figure
from striate.explain.scenes.shapes import Scene, Steps
from striate.explain.scenes.writing import Picture
from striate.explain.window import Motion, Values, Window
from striate.plots.style import INK


def padding() -> Picture:
    """Show the example of zero padding, step by step (row W4; PHYS591000, NTHU, CNN, 2022)."""
    example = padding_example()
    window = Window(example.image, example.kernel, Motion(padding=example.padding))
    layout = Layout(window, whole_slide(window))
    side, taps = len(example.image), len(example.kernel)
    kept = output_size(side, taps, padding=example.padding)
    about = (
        f"without padding o = {side} − {taps} + 1 = {output_size(side, taps)}; with p = "
        f"{example.padding} it is o = {side} + 2·{example.padding} − {taps} + 1 = {kept}"
    )
    marks = [layout.outputs.outline(*place, colour=INK, dashed=True) for place in example.misprints]
    foot = f"Dashed, misprinted on the slide: {misprints()} {layout.foot.partition('. ')[2]}"

    def scene(step: int, outputs: Values | None = None) -> Scene:
        at = window.steps[step]
        row, column = (place + 1 for place in at.index)
        where = f"step {step + 1} of {at.count}: row {row}, column {column}"
        shapes = [*layout.shapes(at, outputs), *marks]
        shapes += headed("Zero padding keeps the size", about, where, foot)
        return Scene(tuple(shapes), f"{where[0].upper()}{where[1:]}: {layout.result(at)}.")

    return Picture(
        "padding",
        "Zero padding keeps the size",
        figure(scene(0, window.feature_map)),
        Steps(scene, len(window.steps)),
    )


def misprints() -> str:
    """Return in a sentence what the slide prints wrongly."""
    example = padding_example()
    told = [
        f"row {row + 1}, column {column + 1} is {number(example.feature_map[row, column])}, "
        f"not {number(printed)}"
        for (row, column), printed in example.misprints.items()
    ]
    return f"{'; '.join(told)}."
