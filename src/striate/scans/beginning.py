"""What every scan and search begins with: its recipe, and what its directory says of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from striate.data import Dataset
from striate.errors import StriateError
from striate.runs import provenance
from striate.runs.network import Network, length_of
from striate.scans.plan import Recipe
from striate.scans.space import Cell


def recipe(
    build: Any, data: Dataset, fixed: Mapping[str, Any], cells: Iterable[Cell]
) -> tuple[Recipe, Network]:
    """Return the recipe of a scan, with the usual settings of its training, and one network.

    Raises
    ------
    StriateError
        If the network of the first cell cannot be built, or a setting of the training is no
        number to train with.
    """
    all_cells = list(cells)
    first = Recipe(build, data, {"seed": 0, "shuffle": True, **fixed})
    network = first.network(all_cells[0])
    usual = length_of(network.lecture, None, None)._asdict()
    complete = Recipe(build, data, {**usual, **first.fixed})
    _refuse_not_natural(complete, all_cells)
    return complete, network


def describe(
    kind: str, recipe: Recipe, network: Network, axes: Mapping[str, Any], command: str | None
) -> dict[str, Any]:
    """Return the sections of ``scan.json`` that tell what is trained, with what, and how."""
    data = recipe.data
    return {
        "kind": kind,
        "dataset": provenance.describe_data(data),
        "model": network.describe(),
        "training": network.describe_training()
        | {"validation_on": "test" if data.validation is None else "validation"},
        "axes": dict(axes),
        "fixed": dict(recipe.fixed),
        "versions": provenance.versions(),
        "machine": provenance.machine(),
        "command": command,
    }


def timing(started: datetime) -> dict[str, Any]:
    """Return the section of times, before there are others than the beginning."""
    return {"started": started.isoformat(timespec="seconds")}


def _refuse_not_natural(recipe: Recipe, cells: Iterable[Cell]) -> None:
    least = {"epochs": 1, "batch_size": 1, "seed": 0, "shuffle_seed": 0}
    for cell in cells:
        for name, smallest in least.items():
            value = recipe.setting(cell, name)
            if name == "shuffle_seed" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < smallest:
                raise StriateError(f"{name} must be a whole number from {smallest}, not {value!r}")
