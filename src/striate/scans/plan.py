"""How a scan is cut: which cells are one program, and how many at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from striate.data import Dataset
from striate.engine import accuracy_name, bytes_per_model, dividing, program
from striate.engine.memory import free_bytes
from striate.errors import StriateError
from striate.runs import network
from striate.runs.network import Network
from striate.scans.space import TRAINING, Cell, words

# Without a limit given, so much of the memory that is free is used.
SHARE_OF_FREE = 0.5


@dataclass(frozen=True, eq=False)
class Recipe:
    """What every cell of a scan has in common, and how one is made.

    Attributes
    ----------
    build
        A function that builds the network, or the name of a lecture network.
    data
        The dataset.
    fixed
        Arguments of the function, settings of the optimizer, and of the training, for all cells.
    """

    build: Any
    data: Dataset
    fixed: Mapping[str, Any]

    def setting(self, cell: Mapping[str, Any], name: str) -> Any:
        """Return a setting of the training: the cell's, or else that for all."""
        return cell.get(name, self.fixed.get(name))

    def shuffle_seed(self, cell: Mapping[str, Any]) -> int:
        """Return what decides the order of images; the seed itself unless given apart."""
        own = self.setting(cell, "shuffle_seed")
        return int(self.setting(cell, "seed") if own is None else own)

    def network(self, cell: Mapping[str, Any]) -> Network:
        """Build the network of a cell, with its initial weights, as `striate.train` does."""
        arguments = {
            name: value for name, value in {**self.fixed, **cell}.items() if name not in TRAINING
        }
        try:
            return network.prepare(
                self.build,
                self.data,
                self.setting(cell, "seed"),
                arguments,
                self.setting(cell, "epochs"),
                self.setting(cell, "batch_size"),
            )
        except StriateError:
            raise
        except (TypeError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            which = f"cell with {words(cell)}" if cell else "network"
            raise StriateError(f"the {which} cannot be built: {reason}") from error


def blocks(
    recipe: Recipe,
    cells: Sequence[Cell],
    memory: int,
    at_once: int,
    on_built: Callable[[int, int], None] = lambda *_: None,
) -> tuple[list[dict[str, Any]], int]:
    """Divide the cells into blocks, as ``scan.json`` keeps them.

    Each cell's network is built once. Cells whose configurations differ only in numbers that a
    compiled step can take from outside are one program; it is cut into blocks of nearly equal
    size, so many that they keep all cores busy and those that run side by side need no more
    memory than given.

    Returns
    -------
    blocks : list of dict
        Of each block its ``cells``; the ``numbers`` that differ, as pairs of a place in Keras's
        configuration and one value for each cell; ``starts``, for each cell the one that is
        built for the initial weights; ``group``, equal for blocks whose cells differ in numbers
        only; and ``models``, how many its program trains: all of a group as many, so that they are
        one program, the last with copies of its last cell.
    side_by_side : int
        How many of them run at once, at most `at_once`.

    Raises
    ------
    StriateError
        If a cell cannot be built or does not fit the data, or one alone needs too much memory.
    """
    arrays: dict[Hashable, Any] = {}
    needed: dict[int, int] = {}

    def training(model: Any) -> Any:
        key = program.encoding(model, recipe.data)
        if key not in arrays:
            arrays[key] = program.split_arrays(recipe.data.train, model, recipe.data)
        return arrays[key]

    division = dividing.Division(training)
    for number, cell in enumerate(cells):
        on_built(number, len(cells))
        model = recipe.network(cell).model
        program.refuse_unfit(model, recipe.data)
        if accuracy_name(model) is None:
            raise StriateError(
                f"a scan compares accuracies, but {model.name!r} measures none: compile it with "
                'metrics=["accuracy"]'
            )
        batch_size = recipe.setting(cell, "batch_size")
        needed[number] = bytes_per_model(model, min(batch_size, len(recipe.data.train)))
        division.add(number, model, (batch_size, recipe.setting(cell, "epochs")))
    groups = division.groups()
    largest = max(needed[group.members[0]] for group in groups)
    if largest > memory:
        raise StriateError(
            f"one network needs about {largest / 1e6:.0f} MB while it is trained, but "
            f"memory={memory / 1e6:.0f} MB was given: allow more, or use smaller batches"
        )
    at_once = min(at_once, memory // largest)
    made = []
    for kind, group in enumerate(groups):
        members = len(group.members)
        most = memory // needed[group.members[0]] // at_once * at_once
        # At least one block for each core, in multiples of the cores.
        size = math.ceil(members / (at_once * math.ceil(members / most)))
        made += [
            {
                **_block(recipe, cells, group, slice(first, first + size)),
                "group": kind,
                "models": size,
            }
            for first in range(0, members, size)
        ]
    # One block alone is given all cores.
    return made, min(at_once, len(made))


def _block(
    recipe: Recipe, cells: Sequence[Cell], group: dividing.Group, some: slice
) -> dict[str, Any]:
    members = group.members[some]
    numbers = {place: values[some] for place, values in group.numbers.items()}
    initial = [values for place, values in numbers.items() if place in group.initial]
    builds: dict[Hashable, int] = {}
    starts = [
        builds.setdefault(
            (recipe.setting(cells[member], "seed"), *(values[i] for values in initial)), member
        )
        for i, member in enumerate(members)
    ]
    return {
        "cells": list(members),
        "numbers": [[list(place), values.tolist()] for place, values in numbers.items()],
        "starts": starts,
    }


def memory_limit(memory: int | str | None) -> int:
    """Return how many bytes a block may need: those asked for, or half of what is free now.

    Raises
    ------
    StriateError
        If it is no size, such as ``"4 GB"``.
    """
    if memory is None:
        return int(SHARE_OF_FREE * free_bytes())
    if isinstance(memory, int) and not isinstance(memory, bool) and memory > 0:
        return memory
    text = str(memory).replace(" ", "").upper().removesuffix("B").removesuffix("I")
    factor = {"K": 10**3, "M": 10**6, "G": 10**9}.get(text[-1:], 0)
    try:
        size = int(float(text[:-1]) * factor)
    except ValueError:
        size = 0
    if size <= 0:
        raise StriateError(f"memory={memory!r} is no size: give bytes, or words such as '4 GB'")
    return size
