"""Checks and conversions of images and labels: the one place that says what a dataset may hold."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.errors import StriateError, nearest

_MOST_CHANNELS = 4
_FULL_SCALES = (1, 16, 255, 65535)
_BLOCK_BYTES = 1 << 24


def image_array(images: Any, where: str, channel_axis: int | None = None) -> np.ndarray:
    """Return `images` as an array ``(n, row, col, channel)`` of numbers, values untouched.

    Parameters
    ----------
    images
        ``(n, row, col)``, which gets a channel axis, or ``(n, row, col, channel)``.
    where
        What an error calls them.
    channel_axis
        The axis that holds the channels, to be moved to the end; None if it is the last. When it
        is given, it is believed.

    Raises
    ------
    StriateError
        If these are not numbers, are flat, are empty, or have the channel axis elsewhere.
    """
    try:
        array = np.asarray(images)
    except ValueError:
        raise StriateError(f"{where}: the images have different shapes") from None
    if array.dtype.kind not in "buif":
        raise StriateError(
            f"{where}: images must be an array of real numbers, but its type is {array.dtype}"
        )
    if array.ndim == 2:
        side = math.isqrt(array.shape[1])
        target = (
            f"{side}, {side}, 1" if side * side == array.shape[1] else "rows, columns, channels"
        )
        raise StriateError(
            f"{where}: images are flat, shape {array.shape}: "
            f"give each its rows and columns, x.reshape(-1, {target})"
        )
    if array.ndim == 3:
        array = array[..., np.newaxis]
    if array.ndim != 4:
        raise StriateError(
            f"{where}: images must have shape (n, row, col) or (n, row, col, channel), "
            f"not {np.shape(images)}"
        )
    if 0 in array.shape:
        raise StriateError(f"{where}: there are no images, shape {array.shape}")
    if channel_axis is None:
        _refuse_misplaced_channels(array.shape, where)
        return array
    if channel_axis not in (1, 2, 3, -1, -2, -3):
        raise StriateError(f"{where}: channel_axis must be 1, 2 or 3, not {channel_axis}")
    return np.moveaxis(array, channel_axis, -1)


def _refuse_misplaced_channels(shape: tuple[int, ...], where: str) -> None:
    *_, rows, columns, channels = shape
    if channels <= _MOST_CHANNELS or min(rows, columns) > _MOST_CHANNELS:
        return
    axis = 1 if rows <= columns else 2
    raise StriateError(
        f"{where}: the channel axis must be the last, (n, row, col, channel), "
        f"but shape {shape} has it as axis {axis}: "
        f"use np.moveaxis(x, {axis}, -1), or channel_axis={axis} "
        f"(channel_axis=3 if these really are {channels} channels)"
    )


def refuse_not_finite(array: np.ndarray, where: str, what: str = "pixel") -> None:
    """Raise a StriateError that names the first NaN or infinite value of `array`."""
    if array.dtype.kind != "f" or (np.isfinite(array.min()) and np.isfinite(array.max())):
        return
    bad = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
    kind = "NaN" if np.isnan(array[bad]) else "infinite"
    count = int((~np.isfinite(array)).sum())
    raise StriateError(
        f"{where}: {what} at index {bad} is {kind} ({count} not finite in all): "
        "remove these, or replace them with np.nan_to_num"
    )


@dataclass(frozen=True)
class Scale:
    """How pixel values are brought to [0, 1]: the divisor, and the sentence that says so."""

    divisor: float
    sentence: str
    usual: bool

    def pixels(self, array: np.ndarray, where: str) -> np.ndarray:
        """Return `array` as pixels of a Split: uint8 if 255 is the full scale, else float32.

        Raises
        ------
        StriateError
            If a value is beyond the full scale.
        """
        largest = float(array.max())
        if largest > self.divisor:
            raise StriateError(
                f"{where}: the largest value, {largest:g}, is beyond the scale {self.divisor:g}"
            )
        if self.divisor == 255 and _all_whole(array):
            return np.ascontiguousarray(array, dtype=np.uint8)
        if self.divisor == 1:
            return np.ascontiguousarray(array, dtype=np.float32)
        scaled = np.ascontiguousarray(array, dtype=np.float32) / np.float32(self.divisor)
        return np.minimum(scaled, np.float32(1), out=scaled)


def find_scale(arrays: Sequence[tuple[str, np.ndarray]], asked: float | None = None) -> Scale:
    """Find what to divide pixel values by so that they lie in [0, 1].

    Whole numbers are divided by the smallest usual full scale that holds them (1, 16, 255,
    65535), other numbers by the largest value if that is above 1.

    Parameters
    ----------
    arrays
        What an error calls the images of a split, and these; one scale serves all splits.
    asked
        The full scale that the user gives; found from the values when None.

    Raises
    ------
    StriateError
        If a value is NaN, infinite or negative, or `asked` is not positive.
    """
    for where, array in arrays:
        refuse_not_finite(array, where)
        smallest = float(array.min())
        if smallest < 0:
            shifted = (
                "(x + 1) / 2" if smallest >= -1 and array.max() <= 1 else "x - x.min(), or clip"
            )
            raise StriateError(
                f"{where}: pixel values run from {smallest:g} to {float(array.max()):g}, but "
                f"must not be negative: bring them to [0, 1] yourself, e.g. {shifted}"
            )
    if asked is not None:
        if not (math.isfinite(asked) and asked > 0):
            raise StriateError(f"scale must be a positive number, not {asked!r}")
        return Scale(float(asked), f"values divided by {asked:g}, as asked", usual=False)
    largest = max(float(array.max()) for _, array in arrays)
    if largest <= 1:
        return Scale(1.0, "values kept, they lie in [0, 1]", usual=True)
    if all(_all_whole(array) for _, array in arrays):
        for full in _FULL_SCALES:
            if largest <= full:
                bytes_only = all(array.dtype == np.uint8 for _, array in arrays)
                return Scale(
                    float(full),
                    f"whole numbers up to {largest:g} divided by {full}",
                    usual=full == 255 and bytes_only,
                )
    return Scale(largest, f"values divided by the largest, {largest:g}", usual=False)


def _all_whole(array: np.ndarray) -> bool:
    if array.dtype.kind != "f":
        return True
    return all(bool((block == np.rint(block)).all()) for block in _blocks(array))


def _blocks(array: np.ndarray) -> Iterator[np.ndarray]:
    rows = max(1, _BLOCK_BYTES // max(1, array[:1].nbytes))
    for start in range(0, len(array), rows):
        yield array[start : start + rows]


def class_numbers(
    labels: Mapping[str, Any], called: Mapping[str, str], class_names: Sequence[str] | None
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Return the labels of each split as class numbers, int32 ``(n,)``, and the class names.

    Parameters
    ----------
    labels
        Of each split, ``"train"`` among them: whole numbers ``(n,)`` or ``(n, 1)``, one-hot rows
        ``(n, classes)``, or names ``(n,)``.
    called
        What an error calls each split.
    class_names
        The names in the order of their numbers; when None, names found in the labels are sorted,
        and numbers are their own names.

    Raises
    ------
    StriateError
        If labels are not whole, not one-hot, unknown or out of range.
    """
    columns = {split: _label_column(values, called[split]) for split, values in labels.items()}
    if class_names is None and columns["train"].dtype.kind == "U":
        class_names = [str(name) for name in np.unique(columns["train"])]
    if class_names is None:
        count = _class_count(columns["train"], called["train"])
        class_names = [str(number) for number in range(count)]
    numbers = {}
    for split, column in columns.items():
        if column.dtype.kind == "U":
            column = _numbers_of_names(column, called[split], class_names)
        _refuse_out_of_range(column, called[split], len(class_names))
        numbers[split] = column.astype(np.int32)
    return numbers, tuple(str(name) for name in class_names)


def _label_column(values: Any, where: str) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8")
    if array.dtype.kind not in "buifU":
        raise StriateError(f"{where}: labels must be whole numbers or names, not {array.dtype}")
    if array.size == 0:
        raise StriateError(f"{where}: there are no labels")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 2 and array.dtype.kind != "U":
        refuse_not_finite(array, where, "label")
        one_hot = ((array == 0) | (array == 1)).all(axis=1) & (array.sum(axis=1) == 1)
        if not one_hot.all():
            row = int(np.argmin(one_hot))
            raise StriateError(
                f"{where}: labels of shape {array.shape} should be one-hot, "
                f"but row {row} is not a single 1 among zeros"
            )
        return array.argmax(axis=1)
    if array.ndim != 1:
        raise StriateError(
            f"{where}: labels must have shape (n,) or one-hot (n, classes), not {array.shape}"
        )
    if array.dtype.kind == "f":
        refuse_not_finite(array, where, "label")
        whole = array == np.rint(array)
        if not whole.all():
            index = int(np.argmin(whole))
            raise StriateError(
                f"{where}: label {array[index]:g} at index {index} is not a whole number"
            )
        array = array.astype(np.int64)
    return array


def _numbers_of_names(column: np.ndarray, where: str, class_names: Sequence[str]) -> np.ndarray:
    number = {name: i for i, name in enumerate(class_names)}
    unknown = [name for name in np.unique(column) if str(name) not in number]
    if unknown:
        name = str(unknown[0])
        index = int(np.argmax(column == name))
        raise StriateError(
            f"{where}: label {name!r} at index {index} is not a class; "
            f"{nearest(name, [str(n) for n in class_names])}"
        )
    found, inverse = np.unique(column, return_inverse=True)
    return np.array([number[str(name)] for name in found])[inverse]


def _class_count(column: np.ndarray, where: str) -> int:
    present = np.unique(column)
    count = int(present[-1]) + 1
    if present[0] < 0:
        raise StriateError(
            f"{where}: label {int(present[0])} at index {int(column.argmin())} is negative: "
            "number the classes 0, 1, 2, ..., e.g. np.unique(y, return_inverse=True)[1]"
        )
    if len(present) == 1:
        raise StriateError(
            f"{where}: every label is {int(present[0])}, but a network needs two classes or more"
        )
    if len(present) < count:
        missing = int(np.argmax(present != np.arange(len(present))))
        raise StriateError(
            f"{where}: class {missing} has no image, though labels go up to {count - 1}: "
            "number the classes 0, 1, 2, ... without gaps, "
            "e.g. np.unique(y, return_inverse=True)[1]"
        )
    return count


def _refuse_out_of_range(column: np.ndarray, where: str, count: int) -> None:
    wrong = (column < 0) | (column >= count)
    if wrong.any():
        index = int(np.argmax(wrong))
        raise StriateError(
            f"{where}: label {int(column[index])} at index {index} is out of range: "
            f"with {count} classes labels are 0 to {count - 1}"
        )
