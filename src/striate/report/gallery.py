"""Figures: each as files beside the report, and within the page."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

from striate.plots import Figure, save
from striate.report.markup import Content, Html, tag

_WIDE = 6.0
"""Above this width in inches a figure scrolls sideways instead of shrinking below legibility."""

_PIXELS = 100
"""Pixels of the page for an inch of the figure."""


class Gallery:
    """Writes figures into one directory and returns the markup that shows them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.names: list[str] = []

    def show(self, name: str, figure: Figure, title: str, caption: Content, *, alt: str) -> Html:
        """Save `figure` as PNG and PDF under `name` and return it with its caption.

        Parameters
        ----------
        name
            Of the files, without suffix.
        figure
            What to show.
        title, caption
            What stands below it.
        alt
            What it shows, for those who do not see it.
        """
        save(figure, self.directory / name)
        self.names.append(name)
        width, height = figure.get_size_inches()
        return framed(self.directory, Picture(name, title, caption, alt, width, height))


@dataclass(frozen=True)
class Picture:
    """A figure in its files.

    Attributes
    ----------
    name
        Of the files, without suffix.
    title, caption
        What stands below it.
    alt
        What it shows, for those who do not see it.
    width, height
        In inches.
    """

    name: str
    title: str
    caption: Content
    alt: str
    width: float
    height: float


def framed(directory: Path, picture: Picture) -> Html:
    """Return a figure that was saved in `directory`, within the page, with its caption."""
    png = directory / f"{picture.name}.png"
    image = tag(
        "img",
        src="data:image/png;base64," + base64.b64encode(png.read_bytes()).decode("ascii"),
        alt=picture.alt,
        width=round(_PIXELS * picture.width),
        height=round(_PIXELS * picture.height),
    )
    frame = tag("div", image, class_="picture wide" if picture.width > _WIDE else "picture")
    words = tag("figcaption", tag("strong", picture.title), " ", picture.caption)
    return tag("figure", frame, words, id=f"figure-{picture.name.replace('_', '-')}")


def beside(*blocks: Content) -> Html:
    """Return blocks such as figures and tables, side by side where the page is wide enough."""
    return tag("div", *blocks, class_="beside")
