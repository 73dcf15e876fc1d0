"""Options that several commands share, and how their values are written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from striate.errors import StriateError

Json = Annotated[
    bool, typer.Option("--json", help="Print the result as one JSON object on standard output.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="An argument of the network's function, such as l2=0.001, or, in training, of its "
        "optimizer; may be given again.",
    ),
]
Loading = Annotated[
    list[str] | None,
    typer.Option(
        "--load",
        metavar="NAME=VALUE",
        help="How the data are read, such as layout=mine.toml, image.grid=33 or arrays.x=images; "
        "may be given again.",
    ),
]
RunName = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="A run directory, the name of one in runs/, or 'last' for the newest there.",
    ),
]

Against = Annotated[
    list[str] | None,
    typer.Option(
        metavar="RUN",
        help="Of jets: another run to compare with on the same test jets; may be given again.",
    ),
]


def examples(*lines: str) -> str:
    """Return the end of a help text: commands that work as they stand."""
    # The control character keeps the lines as they are.
    return "Examples:\n\n\b\n" + "\n".join(f"  {line}" for line in lines)


def image_shape(text: str | None) -> tuple[int, ...] | None:
    """Return the sides of an image from words such as ``28x28x1``, ``28,28,1`` or ``28x28``."""
    if text is None:
        return None
    parts = re.split(r"[x,\s]+", text.strip(" ()[]").lower())
    if not 2 <= len(parts) <= 3 or not all(part.isdecimal() for part in parts):
        raise StriateError(f"--input-shape {text!r}: write rows x columns x channels, as 28x28x1")
    sides = tuple(int(part) for part in parts)
    return sides if len(sides) == 3 else (*sides, 1)


def settings(pairs: Sequence[str]) -> dict[str, Any]:
    """Return the arguments in words such as ``l2=0.001``: numbers, true, false, null, or text."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise StriateError(f"--set {pair}: write NAME=VALUE, as --set l2=0.001")
        if name in found:
            raise StriateError(f"--set {pair}: {name} is set twice")
        found[name] = read_value(value)
    return found


def loading(pairs: Sequence[str]) -> dict[str, Any]:
    """Return options of `striate.load` in words such as ``tree=Events`` or ``arrays.x=images``."""
    found: dict[str, Any] = {}
    for pair in pairs:
        path, equals, value = pair.partition("=")
        *outer, name = path.split(".")
        place = found
        for key in outer:
            place = place.setdefault(key, {}) if isinstance(place, dict) else {}
        if not equals or not name or not isinstance(place, dict):
            raise StriateError(
                f"--load {pair}: write NAME=VALUE, as --load layout=mine.toml or "
                "--load arrays.x=images"
            )
        if name in place:
            raise StriateError(f"--load {pair}: {path} is given twice")
        place[name] = read_value(value)
    return found


def loading_words(options: Mapping[str, Any], within: str = "") -> list[str]:
    """Return the words that `loading` reads, each after its ``--load``."""
    words: list[str] = []
    for name, value in options.items():
        if isinstance(value, Mapping):
            words += loading_words(value, f"{within}{name}.")
        else:
            words += ["--load", f"{within}{name}={written(value)}"]
    return words


def written(value: Any) -> str:
    """Return a value as `settings` reads it."""
    return value if isinstance(value, str) and read_value(value) == value else json.dumps(value)


def read_value(text: str) -> Any:
    """Return a word as a number, true, false or null, or else as it is."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
