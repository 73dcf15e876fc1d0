"""All pictures on one page, each with the command that makes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from striate.files import write_text
from striate.report.markup import Html, join, paragraph, tag

_LINKS = {".html": "step through it", ".gif": "animation", ".pdf": "PDF"}


@dataclass(frozen=True)
class Entry:
    """What one command, or several, show.

    Attributes
    ----------
    title
        What it shows.
    commands
        As one types them.
    figures
        The files that it wrote.
    output
        What it printed, if that is worth showing.
    """

    title: str
    commands: tuple[str, ...]
    figures: tuple[Path, ...]
    output: str = ""


def write_gallery(entries: Sequence[Entry], page: Path) -> None:
    """Write the page; its pictures stay in their files beside it.

    Parameters
    ----------
    entries
        In their order. Their figures lie in the folder of the page or below.
    page
        Where to.
    """
    package = files("striate.explain")
    contents = (
        tag("li", tag("a", entry.title, href=f"#{_identity(number)}"))
        for number, entry in enumerate(entries, 1)
    )
    text = Template((package / "gallery.html").read_text(encoding="utf-8")).substitute(
        style=(package / "gallery.css").read_text(encoding="utf-8"),
        contents=tag("ul", *contents),
        body=join(
            _section(entry, _identity(number), page.parent)
            for number, entry in enumerate(entries, 1)
        ),
    )
    write_text(page, text)


def _section(entry: Entry, identity: str, folder: Path) -> Html:
    pictures = [
        tag(
            "a",
            tag("img", src=_address(path, folder), alt=f"{entry.title}: {path.stem}"),
            href=_address(path, folder),
        )
        for path in entry.figures
        if path.suffix == ".png"
    ]
    links = [
        tag("a", f"{path.stem}: {_LINKS[path.suffix]}", href=_address(path, folder))
        for path in entry.figures
        if path.suffix in _LINKS
    ]
    shown = [tag("pre", entry.output.strip())] if entry.output else []
    return tag(
        "section",
        tag("h2", entry.title),
        tag("div", *pictures, class_="pictures"),
        *(tag("pre", command, class_="command") for command in entry.commands),
        *shown,
        paragraph(join([part for link in links for part in (link, " ")])),
        id=identity,
    )


def _identity(number: int) -> str:
    return f"picture-{number}"


def _address(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
