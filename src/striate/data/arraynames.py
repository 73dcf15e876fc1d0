"""Find images, labels and the rest among the named arrays of a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from striate.errors import StriateError, nearest

_ROLES = {
    "x": "x",
    "image": "x",
    "images": "x",
    "pixels": "x",
    "data": "x",
    "y": "y",
    "label": "y",
    "labels": "y",
    "target": "y",
    "targets": "y",
    "w": "w",
    "weight": "w",
    "weights": "w",
    "sample_weight": "w",
    "sample_weights": "w",
}
_SPLITS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
}
_CLASS_NAMES = ("class_names", "label_names", "target_names")
GIVEN = tuple(
    f"{role}{split}" for split in ("", "_train", "_validation", "_test") for role in "xyw"
)


class Head(NamedTuple):
    """Shape and kind (NumPy's letter) of an array that is not yet read."""

    shape: tuple[int, ...]
    kind: str


@dataclass
class Columns:
    """The names of the arrays that make one split."""

    images: str
    labels: str
    weights: str | None = None
    observables: dict[str, str] = field(default_factory=dict)


def find_columns(
    heads: Mapping[str, Head], where: str, given: Mapping[str, str] | None = None
) -> dict[str, Columns]:
    """Find the arrays of each split by their names, or take those that are given.

    Names such as ``x_train``, ``test_labels``, ``train/images``, ``X`` or ``targets`` are
    understood. Every other array ``(n,)`` of numbers in a split, ``eta``, ``pt_gev_train`` or
    ``train/observables/mass``, is an observable of it.

    Parameters
    ----------
    heads
        Shape and kind of every array of the file, by name.
    where
        The file, for errors.
    given
        Names in the file by role, ``{"x": ..., "y": ...}`` or ``{"x_train": ..., ...}``; nothing
        else is then taken for images, labels or weights.

    Returns
    -------
    dict
        By split. Arrays without a split in their name are the split ``"train"``.

    Raises
    ------
    StriateError
        If images or labels are missing, or two arrays could be either.
    """
    roles: dict[tuple[str, str], str] = {}
    others: dict[tuple[str, str], str] = {}
    for name in heads:
        if name == find_class_names(heads):
            continue
        split, rest = _parse(name)
        role = _ROLES.get(rest)
        if role is None or given is not None:
            others[split, rest.removeprefix("observables/")] = name
        elif (split, role) in roles:
            raise StriateError(
                f"{where}: both {roles[split, role]!r} and {name!r} could be {role!r}: "
                f"say which with arrays={{'x': NAME, 'y': NAME}}"
            )
        else:
            roles[split, role] = name
    for key, name in (given or {}).items():
        if key not in GIVEN:
            raise StriateError(f"arrays: {key!r} is not a role: {nearest(key, GIVEN)}")
        if name not in heads:
            raise StriateError(f"{where}: no array {name!r}: {nearest(name, heads)}")
        role, _, split = key.partition("_")
        roles[split, role] = name
        others = {place: other for place, other in others.items() if other != name}
    return _columns(roles, others, heads, where)


def _columns(
    roles: Mapping[tuple[str, str], str],
    others: Mapping[tuple[str, str], str],
    heads: Mapping[str, Head],
    where: str,
) -> dict[str, Columns]:
    named = {split for split, role in roles if role in "xy"}
    if "train" in named and "" in named:
        raise StriateError(
            f"{where}: arrays with and without 'train' in their names ({_listed(heads)}): "
            "say which with arrays={'x_train': NAME, 'y_train': NAME}"
        )
    columns: dict[str, Columns] = {}
    for split in ("", "train", "validation", "test"):
        if split not in named:
            continue
        for role, kind in (("x", "images"), ("y", "labels")):
            if (split, role) not in roles:
                raise StriateError(
                    f"{where}: no {(split + ' ' + kind).strip()} among the arrays "
                    f"({_listed(heads)}): name them with arrays={{'x': NAME, 'y': NAME}}"
                )
        images, labels = roles[split, "x"], roles[split, "y"]
        columns[split or "train"] = Columns(
            images,
            labels,
            roles.get((split, "w")),
            {
                key: name
                for (its_split, key), name in others.items()
                if its_split == split
                and heads[name].shape == heads[images].shape[:1]
                and heads[name].kind in "buif"
            },
        )
    if "train" not in columns:
        raise StriateError(
            f"{where}: no training images among the arrays ({_listed(heads)}): "
            "name them with arrays={'x': NAME, 'y': NAME}"
        )
    return columns


def find_class_names(heads: Mapping[str, Head]) -> str | None:
    """Return the name of the array that holds the names of the classes, if one does."""
    return next((name for name in heads if name.lower() in _CLASS_NAMES), None)


def unused(heads: Mapping[str, Head], columns: Mapping[str, Columns]) -> list[str]:
    """Return a note that names the arrays of which nothing was made, or no note."""
    used = {find_class_names(heads)}
    for its in columns.values():
        used |= {its.images, its.labels, its.weights, *its.observables.values()}
    left = [name for name in heads if name not in used]
    return [f"Arrays not used: {', '.join(left)}."] if left else []


def _parse(name: str) -> tuple[str, str]:
    """Divide an array's name into its split, ``""`` if it has none, and the rest."""
    parts = name.split("/")
    for i, part in enumerate(parts[:-1]):
        if part.lower() in _SPLITS:
            return _SPLITS[part.lower()], _lower_role("/".join(parts[:i] + parts[i + 1 :]))
    head, _, tail = parts[-1].partition("_")
    if tail and head.lower() in _SPLITS:
        return _SPLITS[head.lower()], _lower_role("/".join([*parts[:-1], tail]))
    head, _, tail = parts[-1].rpartition("_")
    if head and tail.lower() in _SPLITS:
        return _SPLITS[tail.lower()], _lower_role("/".join([*parts[:-1], head]))
    return "", _lower_role(name)


def _lower_role(name: str) -> str:
    return name.lower() if name.lower() in _ROLES else name


def _listed(heads: Mapping[str, Head], most: int = 8) -> str:
    listed = [f"{name} {head.shape}" for name, head in list(heads.items())[:most]]
    if len(heads) > most:
        listed.append(f"and {len(heads) - most} more")
    return ", ".join(listed) or "none"
