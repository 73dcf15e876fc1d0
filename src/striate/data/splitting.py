"""Stratified, seeded choice of images: test and validation splits, and limits.

scikit-learn has such a split, but importing it takes several times as long as reading the digits.
"""

from __future__ import annotations

import math

import numpy as np

from striate.errors import StriateError


def require_seed(seed: int) -> None:
    """Raise a StriateError if `seed` is not a whole number from 0."""
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise StriateError(f"seed must be a whole number, 0 or more, not {seed!r}")


def permutation(n: int, seed: int) -> np.ndarray:
    """Return a permutation of ``range(n)`` that depends on `seed` alone.

    NumPy promises the raw stream of a bit generator for every version, but not what its
    ``Generator.permutation`` makes of it; so a dataset's split survives an update of NumPy.
    """
    return np.argsort(np.random.PCG64(seed).random_raw(n), kind="stable")


def held_out(
    labels: np.ndarray, share: float, seed: int, where: str, what: str
) -> tuple[np.ndarray, np.ndarray]:
    """Divide indices into those kept and those held out, each class in the same proportion.

    Parameters
    ----------
    labels
        ``(n,)`` class numbers.
    share
        A fraction below 1, or a number of images; a fraction is rounded up to whole images, as
        scikit-learn does.
    seed
        Decides the images, and their order.
    where, what
        What an error calls the source and the split, e.g. ``"test"``.

    Returns
    -------
    tuple
        Indices kept and indices held out, in an order drawn from the seed. Every class has at
        least one image in both.

    Raises
    ------
    StriateError
        If a class has a single image, or `share` leaves nothing on one side.
    """
    n = len(labels)
    total = math.ceil(n * share) if share < 1 else int(share)
    classes, counts = np.unique(labels, return_counts=True)
    if not 0 < total < n or (share >= 1 and share != total):
        raise StriateError(
            f"{what} must be a fraction between 0 and 1 or a number of images below {n}, "
            f"not {share!r}"
        )
    if counts.min() < 2:
        rare = classes[counts.argmin()]
        raise StriateError(
            f"{where}: class {rare} has one image only, which cannot be both kept and held out "
            f"for {what}: add images of it"
        )
    quota = np.clip(_shares(counts, total), 1, counts - 1)
    order = permutation(n, seed)
    held = np.zeros(n, dtype=bool)
    for number, most in zip(classes, quota, strict=True):
        members = order[labels[order] == number]
        held[members[:most]] = True
    return order[~held[order]], order[held[order]]


def limited(labels: np.ndarray, limit: int, seed: int) -> np.ndarray:
    """Return the indices, in rising order, of `limit` images with every class in proportion.

    Raises
    ------
    StriateError
        If `limit` is below the number of classes.
    """
    classes, counts = np.unique(labels, return_counts=True)
    if limit < len(classes):
        raise StriateError(
            f"limit must be at least the number of classes, {len(classes)}, not {limit}"
        )
    if limit >= len(labels):
        return np.arange(len(labels))
    quota = _shares(counts, limit)
    # A rare class gets its one image at the expense of the commonest.
    quota[quota == 0] = 1
    while quota.sum() > limit:
        quota[quota.argmax()] -= 1
    order = permutation(len(labels), seed)
    chosen = [
        order[labels[order] == number][:most] for number, most in zip(classes, quota, strict=True)
    ]
    return np.sort(np.concatenate(chosen))


def _shares(counts: np.ndarray, total: int) -> np.ndarray:
    """Divide `total` in proportion to `counts`, by largest remainder."""
    exact = counts * (total / counts.sum())
    whole = np.floor(exact).astype(np.int64)
    left = total - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:left]] += 1
    return whole
