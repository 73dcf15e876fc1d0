"""What the functions of this folder accept: arrays of numbers, and a value for each axis."""

from __future__ import annotations

import operator
from collections.abc import Sequence, Sized
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt

from striate.errors import StriateError, nearest

Array = npt.NDArray[Any]
PerAxis = int | Sequence[int]
Pairs = tuple[tuple[int, int], ...]
Padding = str | int | Sequence[int | Sequence[int]]

PADDINGS = ("valid", "same", "full")
_LARGEST = 2**63 - 1


def numbers(values: npt.ArrayLike, name: str) -> Array:
    """Return `values` as an array of int64 where they are whole numbers, of float64 otherwise.

    Raises
    ------
    StriateError
        If there are none, or they are no real numbers, or whole numbers beyond int64.
    """
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise StriateError(f"the {name} is ragged: give rows of equal length") from error
    if array.size == 0:
        raise StriateError(f"the {name} is empty, of shape {array.shape}: give at least one number")
    if array.dtype.kind == "u" and int(array.max()) > _LARGEST:
        raise StriateError(f"the {name} has whole numbers beyond 2^63 - 1: give float64")
    if array.dtype.kind in "biu":
        return array.astype(np.int64)
    if array.dtype.kind == "f":
        return array.astype(np.float64)
    raise StriateError(f"the {name} is of type {array.dtype}: give real numbers, int64 or float64")


def require_exact(image: Array, kernel: Array) -> None:
    """Raise a StriateError if sums of products of these whole numbers could leave int64."""
    if image.dtype.kind != "i" or kernel.dtype.kind != "i":
        return
    # Python's integers, since the bound itself may be beyond int64.
    most = max(map(abs, (int(image.min()), int(image.max()))))
    weights = sum(abs(int(weight)) for weight in kernel.flat)
    if most * weights > _LARGEST:
        raise StriateError(
            f"whole numbers up to {most}, weighted with {weights} in all, can exceed 2^63 - 1: "
            "give float64"
        )


def whole(value: SupportsIndex, name: str, least: int) -> int:
    """Return a whole number that is at least `least`."""
    try:
        number = operator.index(value)
    except TypeError:
        raise StriateError(f"{name} must be a whole number, not {value!r}") from None
    if number < least:
        raise StriateError(f"{name} must be {least} or more, not {number}")
    return number


def per_axis(value: PerAxis, axes: int, name: str, least: int = 1) -> tuple[int, ...]:
    """Return one whole number for each of `axes` axes; a single one counts for all."""
    if not isinstance(value, Sized):
        return (whole(value, name, least),) * axes
    if len(value) != axes:
        raise StriateError(
            f"{name} {tuple(value)} has {len(value)} numbers for {axes} {_axes(axes)}: "
            "give one for each, or one for all"
        )
    return tuple(whole(number, name, least) for number in value)


def per_side(padding: int | Sequence[int | Sequence[int]], axes: int) -> Pairs:
    """Return the numbers of pixels before and after, for each of `axes` axes.

    `padding` is one number for all sides, one for each axis, or a pair for each axis. For one axis
    alone the pair may stand without brackets around it.
    """
    if not isinstance(padding, Sized):
        return (_ends(padding),) * axes
    entries: Sequence[Any] = [padding] if axes == 1 and len(padding) == 2 else padding
    if len(entries) != axes:
        raise StriateError(
            f"padding {tuple(padding)} has {len(entries)} entries for {axes} {_axes(axes)}: "
            "give one for each, or one for all"
        )
    return tuple(_ends(sides) for sides in entries)


def require_known(name: str, known: Sequence[str], what: str) -> None:
    """Raise a StriateError that hints at the right name, unless `name` is one of `known`."""
    if name not in known:
        raise StriateError(f"{what} {name!r} is unknown: {nearest(name, known)}")


def require_kernel(image: tuple[int, ...], kernel: tuple[int, ...], *, channels: bool) -> int:
    """Return along how many axes a kernel slides, having checked that its shape fits the image.

    Without `channels` these are all axes. With them the last axis of the image is its channels,
    of which the kernel has as many; it may have a last axis more, of filters.
    """
    if not channels:
        if len(image) == 0 or len(kernel) != len(image):
            raise StriateError(
                f"a kernel of shape {kernel} does not fit an image of shape {image}: "
                "both need the same number of axes, 1 or more"
            )
        return len(image)
    axes = len(image) - 1
    if axes < 1 or len(kernel) not in (axes + 1, axes + 2):
        raise StriateError(
            f"a kernel of shape {kernel} does not fit an image of shape {image}: with "
            "channels the image is (..., channel), the kernel (..., channel) or "
            "(..., channel, filter)"
        )
    if kernel[axes] != image[axes]:
        raise StriateError(
            f"the image has {image[axes]} channels, the kernel {kernel[axes]}: "
            "give one layer of the kernel for each channel"
        )
    return axes


def _ends(padding: int | Sequence[Any]) -> tuple[int, int]:
    """Return the padding before and after one axis."""
    if not isinstance(padding, Sized):
        return (whole(padding, "padding", 0),) * 2
    if len(padding) != 2:
        raise StriateError(
            f"padding {tuple(padding)} of one axis has {len(padding)} numbers: give (before, after)"
        )
    return whole(padding[0], "padding", 0), whole(padding[1], "padding", 0)


def _axes(count: int) -> str:
    return "axis" if count == 1 else "axes"
