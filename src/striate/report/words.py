"""Numbers as a reader wants them: few digits, units, and no claim of certainty."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from striate.evaluation import Estimate
from striate.quantities import MISSING

_TIMES = "\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}"
_PER_CENT = "\N{NO-BREAK SPACE}%"


def decimal(value: float, digits: int = 4) -> str:
    """Return a number with so many decimals, or a dash for NaN and infinity."""
    return f"{value:.{digits}f}" if math.isfinite(value) else MISSING


def share(value: float, digits: int = 1) -> str:
    """Return a fraction in per cent."""
    return f"{100 * value:.{digits}f}{_PER_CENT}" if math.isfinite(value) else MISSING


def estimate_digits(estimate: Estimate) -> int:
    """Return how many decimals of a percentage the interval of `estimate` supports."""
    width = 100 * (estimate.high - estimate.low)
    return 2 if width < 0.5 else 1


def interval(estimate: Estimate) -> str:
    """Return the interval of a fraction in per cent, in words."""
    digits = estimate_digits(estimate)
    return f"{share(estimate.low, digits)} to {share(estimate.high, digits)}"


def moment(iso: str) -> str:
    """Return a point in time given in ISO 8601 to the second, with its zone if that is given."""
    try:
        return f"{datetime.fromisoformat(iso):%Y-%m-%d %H:%M:%S %Z}".strip()
    except ValueError:
        return iso


def sizes(shape: Sequence[float | None] | None) -> str:
    """Return a shape as ``"26 × 26 × 32"``; an unknown size is a question mark."""
    if shape is None:
        return MISSING
    return _TIMES.join("?" if size is None else f"{size:g}" for size in shape)


def sentence(text: str) -> str:
    """Return a sentence made for a terminal with the signs that a page has: −, ±, a space before %.

    Examples
    --------
    >>> print(sentence("it changed by -0.01 +- 0.02"))
    it changed by −0.01 ± 0.02
    """
    text = text.replace("+-", "±")
    text = re.sub(r"(?<![\w.])-(?=\d)", "−", text)
    return re.sub(r"(?<=\d) ?%", _PER_CENT, text)


def setting(value: Any) -> str:
    """Return the value of a setting, whatever it is, on one line."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {setting(entry)}" for key, entry in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(setting(entry) for entry in value) or "none"
    return str(value)
