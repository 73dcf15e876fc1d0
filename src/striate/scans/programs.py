"""The compiled programs of a scan: blocks of equal structure and size share one in a process."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from striate.engine import GridProgram, compile_grid, program
from striate.engine.hyperparameters import Place
from striate.scans.plan import Recipe

# Building networks changes what Keras keeps for the whole process.
BUILDING = threading.RLock()


class Programs:
    """Those of a scan's blocks, each made when a block first needs it.

    What a program computes depends on the block alone, not on the others that use it.

    Parameters
    ----------
    recipe, scan
        As in `striate.scans.block.compute_block`; blocks that are not in the scan's description
        have no part in its programs.
    """

    def __init__(self, recipe: Recipe, scan: Mapping[str, Any]) -> None:
        self._recipe, self._scan = recipe, scan
        blocks = scan["blocks"]
        self._blocks: Mapping[int, Any] = (
            blocks if isinstance(blocks, Mapping) else dict(enumerate(blocks))
        )
        self._made: dict[Any, GridProgram] = {}

    def of(self, number: int) -> tuple[GridProgram, list[int]]:
        """Return the program of a block, and which models of it are the block's."""
        own = self._blocks[number]
        group = self._group(number)
        alike = [n for n in self._blocks if self._group(n) == group]
        sizes = [len(self._blocks[n]["cells"]) for n in alike]
        first = sum(sizes[: alike.index(number)])
        rows = list(range(first, first + len(own["cells"])))
        models = own.get("models", len(rows))
        rows += rows[-1:] * (models - len(rows))
        orders = self._shuffle_seeds(own["cells"])
        # One order for all is another program; blocks of one scan may differ in this.
        shared = orders is None or len(set(orders)) == 1
        key = group, models, shared
        with BUILDING:
            if key not in self._made:
                self._made[key] = self._compile([self._blocks[n] for n in alike], shared)
            return self._made[key], rows

    def _group(self, number: int) -> Any:
        """Return what blocks of one program have in common; scans begun long ago do not say."""
        return self._blocks[number].get("group", f"block {number}")

    def _compile(self, blocks: Sequence[Mapping[str, Any]], shared: bool) -> GridProgram:
        recipe = self._recipe
        cells = [cell for block in blocks for cell in block["cells"]]
        first = self._scan["cells"][cells[0]]
        pattern = recipe.network(first).model
        return compile_grid(
            pattern,
            {
                name: program.on_device(split, pattern, recipe.data)
                for name, split in recipe.data.splits.items()
            },
            together([numbers_of(block) for block in blocks]),
            models=len(cells),
            batch_size=recipe.setting(first, "batch_size"),
            shuffle_seeds=self._shuffle_seeds(cells),
            shared_order=shared,
            one_thread=self._scan["one_thread"],
        )

    def _shuffle_seeds(self, cells: Sequence[int]) -> list[int] | None:
        if not self._recipe.fixed.get("shuffle", True):
            return None
        return [self._recipe.shuffle_seed(self._scan["cells"][cell]) for cell in cells]


def numbers_of(block: Mapping[str, Any]) -> dict[Place, np.ndarray]:
    """Return where the cells of a block differ, and one number for each of them there."""
    return {tuple(place): np.array(values, np.float64) for place, values in block["numbers"]}


def together(parts: Sequence[Mapping[Place, np.ndarray]]) -> dict[Place, np.ndarray]:
    """Join the numbers of blocks of one group, which are at the same places."""
    return {place: np.concatenate([part[place] for part in parts]) for place in parts[0]}
