"""Counts, durations, memory and arithmetic as a reader wants them: few digits and a unit."""

from __future__ import annotations

import math

MISSING = "–"
"""What stands where there is no number."""


def count(value: float) -> str:
    """Return a count with thousands apart; a sum of weights with four digits."""
    value = float(value)
    if not math.isfinite(value):
        return MISSING
    return f"{value:,.0f}" if value.is_integer() else f"{value:,.4g}"


def plural(number: float, one: str, many: str | None = None) -> str:
    """Return ``"1 image"`` or ``"2 images"``."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def seconds(value: float) -> str:
    """Return a duration with three digits or, above two minutes, in minutes and hours."""
    if not math.isfinite(value):
        return MISSING
    if value < 1:
        return f"{1000 * value:.3g} ms"
    if value < 120:
        return f"{value:.3g} s"
    whole = round(value)
    if whole < 7200:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def memory(size: float) -> str:
    """Return a number of bytes in MiB or GiB."""
    return f"{size / 2**30:.2f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"


def operations(flops: float) -> str:
    """Return a number of floating-point operations with a prefix."""
    for prefix, scale in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if flops >= scale:
            return f"{flops / scale:.3g} {prefix}FLOP"
    return f"{flops:.0f} FLOP"
