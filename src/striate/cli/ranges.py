"""Ranges of values on the command line: ``1e-5:1e1:7``, ``lin:0:0.5:6``, ``8,16,32``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from striate.cli import options
from striate.errors import StriateError

HELP = "LOW:HIGH:N is logarithmic, lin:LOW:HIGH:N linear, a,b,c a list"


def values(option: str, text: str) -> list[Any] | Any:
    """Return the values of a range or a list, or a single value as it is.

    Parameters
    ----------
    option
        What to call it in a complaint.
    text
        Such as ``1e-5:1e1:7``, seven values of equal ratio; ``lin:0:1:5``; ``16,32``; or ``0.1``.

    Raises
    ------
    StriateError
        If it is none of these.
    """
    if "," in text:
        listed = text.split(",")
        if not all(listed):
            raise StriateError(f"{option} {text!r} has nothing between two commas, or after one")
        return [options.read_value(word) for word in listed]
    words = text.split(":")
    if len(words) == 1:
        return options.read_value(text)
    linear = words[0] == "lin"
    try:
        low, high, count = words[linear:]
        return spaced(float(low), float(high), int(count), linear=linear)
    except ValueError as error:
        reason = f": {error}" if isinstance(error, StriateError) else ""
        raise StriateError(f"{option} {text!r} is no range{reason}; {HELP}") from None


def spaced(low: float, high: float, count: int, *, linear: bool) -> list[float]:
    """Return `count` values from `low` to `high`, of equal distance or of equal ratio.

    Numbers that a decimal of 15 digits tells are exactly those: 0.1, not 0.09999999999999999.
    """
    if count < 2 or not (math.isfinite(low) and math.isfinite(high)):
        raise StriateError("give two numbers and how many values there are, from 2")
    if not linear and (low <= 0 or high <= 0):
        raise StriateError("a logarithmic range begins above 0")
    parts = [number / (count - 1) for number in range(count)]
    if linear:
        found = [(1 - part) * low + part * high for part in parts]
    else:
        found = [low * (high / low) ** part for part in parts]
    return [float(f"{value:.14g}") for value in found]


def axes(pairs: Sequence[str]) -> dict[str, Any]:
    """Return what ``--set name=RANGE`` options say."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.isidentifier():
            raise StriateError(f"--set {pair}: write NAME=RANGE, as --set neurons=20,50,100")
        if name in found:
            raise StriateError(f"--set {pair}: {name} is set twice")
        found[name] = values(f"--set {name}", text)
    return found
