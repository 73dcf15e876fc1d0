"""Convolution arithmetic: how many outputs there are, and which padding gives how many.

An axis of i pixels, a kernel of k taps, stride s, p zeros on each side and dilation d give

    o = floor((i + 2p - e) / s) + 1   outputs, where   e = d (k - 1) + 1

is what the kernel spans. The axes do not know each other: what holds for one holds for any number.
After the Oslo lecture (rows C6) and Dumoulin and Visin, arXiv:1603.07285.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import overload

from striate.convolution.arguments import (
    PADDINGS,
    Padding,
    Pairs,
    PerAxis,
    per_axis,
    per_side,
    require_known,
)
from striate.errors import StriateError


def extent(k: int, dilation: int = 1) -> int:
    """Return how many pixels a dilated kernel spans, e = d (k - 1) + 1."""
    return dilation * (k - 1) + 1


@overload
def output_size(
    i: int,
    k: int,
    stride: int = ...,
    padding: Padding = ...,
    dilation: int = ...,
) -> int: ...
@overload
def output_size(
    i: Sequence[int],
    k: PerAxis,
    stride: PerAxis = ...,
    padding: Padding = ...,
    dilation: PerAxis = ...,
) -> tuple[int, ...]: ...
def output_size(
    i: PerAxis,
    k: PerAxis,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
) -> int | tuple[int, ...]:
    """Return the number of outputs of a convolution, o = floor((i + 2p - e) / s) + 1.

    Parameters
    ----------
    i
        Size of the image: one number, or one for each axis.
    k
        Size of the kernel; here and below, one number counts for all axes.
    stride
        Step of the kernel.
    padding
        Zeros at each end: one number, one for each axis, a pair (before, after) for each axis, or
        a name; see `padding_for`.
    dilation
        Distance between the taps of the kernel.

    Returns
    -------
    int or tuple of int
        Like `i`.

    Raises
    ------
    StriateError
        If no output remains, or a number is out of range.

    Examples
    --------
    >>> output_size(28, 3), output_size(28, 3, padding="same"), output_size(28, 3, padding="full")
    (26, 28, 30)
    >>> output_size((32, 20), (3, 5), stride=2, padding=((1, 1), (2, 2)))
    (16, 10)
    """
    sizes = _sizes(i)
    axes = len(sizes)
    kernels, strides = per_axis(k, axes, "kernel size"), per_axis(stride, axes, "stride")
    dilations = per_axis(dilation, axes, "dilation")
    sides = _sides(sizes, kernels, strides, padding, dilations)
    outputs = tuple(
        _along_one_axis(axis, *values)
        for axis, values in enumerate(zip(sizes, kernels, strides, sides, dilations, strict=True))
    )
    return outputs if isinstance(i, Sized) else outputs[0]


@overload
def pooled_size(i: int, k: int, stride: int | None = ..., padding: Padding = ...) -> int: ...
@overload
def pooled_size(
    i: Sequence[int], k: PerAxis, stride: PerAxis | None = ..., padding: Padding = ...
) -> tuple[int, ...]: ...
def pooled_size(
    i: PerAxis, k: PerAxis, stride: PerAxis | None = None, padding: Padding = 0
) -> int | tuple[int, ...]:
    """Return the number of outputs of a pooling, o = floor((i - k) / s) + 1.

    Parameters
    ----------
    i, k, padding
        Size of the image, of the window, and padding, as in `output_size`. The padding belongs to
        no window: it takes no part in a maximum or an average.
    stride
        Step of the window; its own size when None, so that windows touch.

    Returns
    -------
    int or tuple of int
        Like `i`.

    Examples
    --------
    >>> pooled_size(28, 2), pooled_size((25, 13), 3, stride=2)
    (14, (12, 6))
    """
    if isinstance(i, Sized):
        return output_size(i, k, k if stride is None else stride, padding)
    step = k if stride is None else stride
    return output_size((i,), k, step, padding)[0]


@overload
def padding_for(
    i: int, k: int, stride: int = ..., padding: Padding = ..., dilation: int = ...
) -> tuple[int, int]: ...
@overload
def padding_for(
    i: Sequence[int],
    k: PerAxis,
    stride: PerAxis = ...,
    padding: Padding = ...,
    dilation: PerAxis = ...,
) -> Pairs: ...
def padding_for(
    i: PerAxis,
    k: PerAxis,
    stride: PerAxis = 1,
    padding: Padding = "same",
    dilation: PerAxis = 1,
) -> tuple[int, int] | Pairs:
    """Return the zeros before and after each axis that a name stands for.

    ``"valid"`` adds none: o = i - k + 1 at stride 1. ``"full"`` adds e - 1 on each side, so that
    every overlap counts: o = i + k - 1. ``"same"`` adds what keeps the size, o = ceil(i / s): half
    of the kernel, floor(k / 2), on each side of an odd kernel at stride 1. In general it is
    max((o - 1) s + e - i, 0) in all, the odd one at the end, as Keras, TensorFlow and XLA do.

    Parameters
    ----------
    i, k, stride, dilation
        As in `output_size`.
    padding
        One of the names; numbers are checked and returned as pairs.

    Returns
    -------
    tuple
        (before, after), or one such pair for each axis if `i` has several.

    Examples
    --------
    >>> padding_for(6, 3), padding_for(6, 3, stride=2), padding_for(6, 3, padding="full")
    ((1, 1), (0, 1), (2, 2))
    """
    sizes = _sizes(i)
    axes = len(sizes)
    sides = _sides(
        sizes,
        per_axis(k, axes, "kernel size"),
        per_axis(stride, axes, "stride"),
        padding,
        per_axis(dilation, axes, "dilation"),
    )
    return sides if isinstance(i, Sized) else sides[0]


def _sizes(i: PerAxis) -> tuple[int, ...]:
    axes = len(i) if isinstance(i, Sized) else 1
    if axes == 0:
        raise StriateError("the image has no axis: give a size for at least one")
    return per_axis(i, axes, "image size")


def _along_one_axis(
    axis: int, i: int, k: int, stride: int, sides: tuple[int, int], dilation: int
) -> int:
    room = i + sum(sides) - extent(k, dilation)
    if room < 0:
        raise StriateError(
            f"no output remains: axis {axis} has {i} pixels and {sum(sides)} of padding, the "
            f"kernel spans {extent(k, dilation)}; take a smaller kernel or more padding"
        )
    return room // stride + 1


def _sides(
    sizes: tuple[int, ...],
    kernels: tuple[int, ...],
    strides: tuple[int, ...],
    padding: Padding,
    dilations: tuple[int, ...],
) -> Pairs:
    """Return the padding before and after each axis; by its name, if it has one."""
    if not isinstance(padding, str):
        return per_side(padding, len(sizes))
    require_known(padding, PADDINGS, "padding")
    pairs = []
    for i, k, stride, dilation in zip(sizes, kernels, strides, dilations, strict=True):
        if padding == "same":
            outputs = -(-i // stride)
            total = max((outputs - 1) * stride + extent(k, dilation) - i, 0)
            pairs.append((total // 2, total - total // 2))
        else:
            beyond = extent(k, dilation) - 1 if padding == "full" else 0
            pairs.append((beyond, beyond))
    return tuple(pairs)
