"""The cells of a scan: every combination of the values of its axes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from striate.errors import StriateError

Cell = dict[str, Any]

# What belongs to the training, not to the network or its optimizer.
TRAINING = ("seed", "shuffle_seed", "epochs", "batch_size", "shuffle")


def axes_and_fixed(arguments: Mapping[str, Any]) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """Divide arguments into axes (lists, tuples, ranges, one-dimensional arrays) and the rest.

    Raises
    ------
    StriateError
        If an axis has no values, one twice, or values that JSON does not hold.
    """
    axes, fixed = {}, {}
    for name, value in arguments.items():
        if isinstance(value, np.ndarray | list | tuple | range):
            axes[name] = axis(name, value)
        else:
            fixed[name] = plain(name, value)
    return axes, fixed


def axis(name: str, values: Sequence[Any] | np.ndarray) -> list[Any]:
    """Return the values of an axis as plain numbers and words; see `axes_and_fixed`."""
    if np.ndim(np.asarray(values, dtype=object)) != 1:
        raise StriateError(
            f"{name}: give a list of numbers or words, not one of lists; let the function that "
            "builds the network make lists of them"
        )
    numbers = [plain(name, value) for value in values]
    if not numbers:
        raise StriateError(f"{name}=[] has no values: give one at least, or leave it out")
    if len(set(map(repr, numbers))) < len(numbers):
        raise StriateError(f"{name}={numbers} has a value twice: a scan has each cell once")
    return numbers


def plain(name: str, value: Any) -> Any:
    """Return a value as JSON keeps it, number for number."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        raise StriateError(f"{name}={value} is no number to train with")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise StriateError(
        f"{name}={value!r} cannot be written down: a scan varies and keeps numbers and words; "
        "let the function that builds the network make the rest of them"
    )


def product(axes: Mapping[str, Sequence[Any]]) -> list[Cell]:
    """Return all combinations, the last axis fastest."""
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def words(cell: Mapping[str, Any]) -> str:
    """Return a cell in a few words: ``learning_rate=0.1, l2=1e-05``."""
    return ", ".join(f"{name}={short(value)}" for name, value in cell.items())


def short(value: Any) -> str:
    """Return a value with as few digits as tell it."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)
