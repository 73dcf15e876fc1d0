"""Pictures as files: which formats, under which names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from striate.errors import StriateError
from striate.explain.scenes.gif import MOST_FRAMES, write_gif
from striate.explain.scenes.page import stepping_page
from striate.explain.scenes.shapes import Scene
from striate.files import write_text
from striate.plots import Figure, save

STILL = (".png", ".pdf")
MOVING = (".gif", ".html")


@dataclass(frozen=True, eq=False)
class Picture:
    """What a command shows.

    Attributes
    ----------
    name
        For files.
    title
        Heading of the page.
    figure
        The still picture.
    scenes
        The steps, if it moves; all of the same shapes.
    """

    name: str
    title: str
    figure: Figure
    scenes: Sequence[Scene] = ()


@dataclass(frozen=True)
class Written:
    """The files that were written, and what had to be left out.

    Attributes
    ----------
    paths
        Of the files.
    notes
        Sentences.
    """

    paths: tuple[Path, ...]
    notes: tuple[str, ...]


def write(pictures: Sequence[Picture], out: Path | None, stem: str) -> Written:
    """Write pictures in the format that a file name asks for, or in each that they have.

    Parameters
    ----------
    pictures
        The first takes the name of the file, further ones add their own name to it.
    out
        A file, ``.png``, ``.pdf``, ``.gif`` or ``.html``, or one without suffix for all of them.
        A still picture is always written as both PNG and PDF.
    stem
        The file when `out` is None.

    Raises
    ------
    StriateError
        If the format is another, or pictures that do not move are asked to.
    """
    base = Path(stem) if out is None else out
    suffix = base.suffix.lower()
    if suffix and suffix not in (*STILL, *MOVING):
        raise StriateError(f"{base}: {suffix} is not written; give .png, .pdf, .gif or .html")
    if suffix in MOVING and not any(picture.scenes for picture in pictures):
        raise StriateError(f"{base}: this picture does not move; give .png or .pdf")
    paths: list[Path] = []
    notes: list[str] = []
    bare = base.with_name(base.name[: -len(suffix)]) if suffix else base
    for number, picture in enumerate(pictures):
        place = bare if number == 0 else bare.with_name(f"{bare.name}-{picture.name}")
        if suffix not in MOVING:
            paths += save(picture.figure, place)
        if picture.scenes and suffix not in STILL:
            moving, left_out = _write_moving(picture, place, suffix)
            paths += moving
            notes += left_out
    return Written(tuple(paths), tuple(dict.fromkeys(notes)))


def _write_moving(picture: Picture, place: Path, suffix: str) -> tuple[list[Path], list[str]]:
    paths, notes = [], []
    count = len(picture.scenes)
    if suffix in ("", ".gif"):
        path = place.with_name(place.name + ".gif")
        if write_gif(picture.scenes, path) < count:
            notes.append(f"{path.name} shows {MOST_FRAMES} of the {count:,} steps, evenly spread")
        paths.append(path)
    if suffix in ("", ".html"):
        path = place.with_name(place.name + ".html")
        write_text(path, stepping_page(picture.scenes, picture.title))
        paths.append(path)
    return paths, notes
