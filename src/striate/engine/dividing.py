"""Which of many models can be trained as one program: equal but for numbers that can be traced."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from striate.engine import program
from striate.engine.grid import Tracing
from striate.engine.hyperparameters import Description, Place, describe
from striate.engine.numbers import Disagreement

Tree = Any


@dataclass(frozen=True, eq=False)
class Group:
    """Models of one program.

    Attributes
    ----------
    members
        The models, by the numbers that they were added with, in that order.
    key
        What they were added with.
    numbers
        Where their configurations differ, and one number for each member there.
    initial
        Those places that decide initial weights only.
    """

    members: tuple[int, ...]
    key: Hashable
    numbers: Mapping[Place, np.ndarray]
    initial: frozenset[Place]


@dataclass(eq=False)
class _Kind:
    """Models of one skeleton and key; the first stands for all."""

    key: Hashable
    model: Any
    description: Description
    members: list[int] = field(default_factory=list)
    numbers: list[Mapping[Place, float]] = field(default_factory=list)


class Division:
    """Collects models, and divides them into programs.

    Parameters
    ----------
    arrays
        Gives the training arrays for a model; one batch of them is what its step is traced with.
    """

    def __init__(self, arrays: Callable[[Any], Tree]) -> None:
        self._arrays = arrays
        self._kinds: list[_Kind] = []

    def add(self, member: int, model: Any, key: Hashable) -> None:
        """Add a compiled model; only the first of each kind is kept.

        `key` is what must be equal beside the model itself, with the batch size as its first.
        """
        model.optimizer.build(model.trainable_variables)
        description = describe(model)
        for kind in self._kinds:
            if kind.key == key and kind.description.skeleton == description.skeleton:
                break
        else:
            kind = _Kind(key, model, description)
            self._kinds.append(kind)
        kind.members.append(member)
        kind.numbers.append(description.numbers)

    def groups(self) -> list[Group]:
        """Return the programs, by their first members."""
        found = [
            group
            for kind in self._kinds
            for group in self._divided(kind, np.arange(len(kind.members)))
        ]
        return sorted(found, key=lambda group: group.members[0])

    def _divided(self, kind: _Kind, some: np.ndarray) -> Iterator[Group]:
        """Divide some of a kind until each part can be traced."""
        numbers = _differing([kind.numbers[i] for i in some])
        cut = self._cut(kind, some, numbers)
        if cut is None:
            members = tuple(kind.members[i] for i in some)
            initial = frozenset(filter(kind.description.is_initial, numbers))
            yield Group(members, kind.key, numbers, initial)
            return
        for value in np.unique(cut, axis=0):
            yield from self._divided(kind, some[(cut == value).all(axis=1)])

    def _cut(
        self, kind: _Kind, some: np.ndarray, numbers: Mapping[Place, np.ndarray]
    ) -> np.ndarray | None:
        """Return a row of values for each of `some`, by which to divide; None if it is not."""
        about = kind.description
        traced = {place: values for place, values in numbers.items() if about.can_be_set(place)}
        known = about.can_be_set, about.is_initial
        lost = [
            place
            for place in numbers
            if not any(is_so(place) for is_so in known) and about.variable(place) is None
        ]
        if not traced:
            return np.stack([numbers[place] for place in lost], 1) if lost else None
        # Numbers of the pattern that are not traced are those of this part.
        own = {
            place: kind.numbers[some[0]][place]
            for place in about.numbers
            if about.can_be_set(place) and place not in traced
        }
        with about.replaced(own):
            try:
                used = self._used(kind, traced, len(some))
            except Disagreement as asked:
                return asked.answers[:, None]
            except Exception:  # Keras may raise anything for a number it must know
                offenders = [p for p in traced if not self._can_be_traced(kind, p, traced[p])]
                return np.stack([traced[place] for place in offenders or traced], 1)
        lost += [place for place in traced if place not in used]
        return np.stack([numbers[place] for place in lost], 1) if lost else None

    def _used(self, kind: _Kind, numbers: Mapping[Place, np.ndarray], models: int) -> set[Any]:
        """Trace the steps; return the places whose numbers they looked at."""
        arrays = self._arrays(kind.model)
        batch_size = min(kind.key[0], len(arrays[0]))  # type: ignore[index]
        program.build(kind.model, arrays, batch_size)
        tracing = Tracing(kind.model, numbers, models)
        tracing.trace(arrays, batch_size)
        return tracing.feed.used

    def _can_be_traced(self, kind: _Kind, place: Place, values: np.ndarray) -> bool:
        try:
            self._used(kind, {place: values}, len(values))
        except Disagreement:
            return True
        except Exception:  # as above
            return False
        return True


def _differing(numbers: Sequence[Mapping[Place, float]]) -> dict[Place, np.ndarray]:
    """Return the places at which not all are equal, with the numbers there."""
    columns = {place: np.array([n[place] for n in numbers], np.float64) for place in numbers[0]}
    return {
        place: values
        for place, values in columns.items()
        if not np.array_equal(values, np.full_like(values, values[0]), equal_nan=True)
    }
