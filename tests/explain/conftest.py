"""Reading numbers back from pictures."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from striate.explain.scenes.shapes import Box, Scene, Words


def _tables(scene: Scene) -> list[list[list[str]]]:
    """Return the texts of each table of cells in a scene, in the order in which it is drawn."""
    found: list[list[list[str]]] = []
    last: Box | None = None
    first: Box | None = None
    for box, words in zip(scene.shapes, scene.shapes[1:], strict=False):
        if not (isinstance(box, Box) and isinstance(words, Words) and box.width):
            continue
        if not box.left < words.x < box.left + box.width:
            continue
        beside = last is not None and _near(box, last.left + last.width, last.top)
        below = first is not None and _near(box, first.left, last.top + last.height)
        if last is not None and math.isclose(box.width, last.width) and (beside or below):
            if below:
                found[-1].append([])
        else:
            found.append([[]])
            first = box
        found[-1][-1].append(words.text)
        last = box
    return found


def _near(box: Box, left: float, top: float) -> bool:
    return math.isclose(box.left, left, abs_tol=1e-6) and math.isclose(box.top, top, abs_tol=1e-6)


@pytest.fixture
def tables() -> Callable[[Scene], list[list[list[str]]]]:
    """Return what reads the numbers in the cells of a scene, table by table."""
    return _tables


@pytest.fixture
def written() -> Callable[..., list[list[str]]]:
    """Return what writes numbers as they stand in cells."""

    def write(values, decimals: int = 0) -> list[list[str]]:
        return [[f"{value:.{decimals}f}".replace("-", "−") for value in row] for row in values]

    return write
