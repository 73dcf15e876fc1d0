"""Scenes as a web page to step through, which needs nothing but itself."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from importlib.resources import files
from string import Template
from typing import Any

from striate.explain.scenes.shapes import Scene


def stepping_page(scenes: Sequence[Scene], title: str) -> str:
    """Return a page with next, back, play, a slider, and the keys that go with them.

    It loads nothing. The first scene is written whole, of each other one only the shapes that
    differ from the scene before.

    Parameters
    ----------
    scenes
        One for each step, all of the same shapes.
    title
        Heading of the page.
    """
    first = before = scenes[0]
    steps = []
    for scene in scenes:
        steps.append({"caption": scene.caption, "changes": _changes(before, scene)})
        before = scene
    content = {
        "width": round(72 * first.width, 2),
        "height": round(72 * first.height, 2),
        "shapes": [shape.as_list() for shape in first.shapes],
        "steps": steps,
    }
    package = files("striate.explain.scenes")
    return Template((package / "page.html").read_text(encoding="utf-8")).substitute(
        title=html.escape(title),
        style=(package / "page.css").read_text(encoding="utf-8"),
        script=(package / "page.js").read_text(encoding="utf-8"),
        # Within a script no text may look like its end.
        content=json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace(
            "<", "\\u003c"
        ),
    )


def _changes(before: Scene, after: Scene) -> list[list[Any]]:
    return [
        [number, new.as_list()]
        for number, (old, new) in enumerate(zip(before.shapes, after.shapes, strict=True))
        if old is not new and old != new
    ]
