"""Train one block of a scan: cells of one structure, as one program.

A block is computed from what ``scan.json`` says of the scan and of it, and depends on nothing
else; so it may be computed in another process or on another machine, and again after a kill.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import jax.numpy as jnp
import numpy as np

from striate.backend import without_tensorflow
from striate.data import Dataset, load_again
from striate.engine import Position, accuracy_name, program
from striate.errors import StriateError
from striate.files import written_beside
from striate.runs.checkpoint import Checkpoint
from striate.scans.plan import Recipe
from striate.scans.programs import BUILDING, Programs, numbers_of
from striate.scans.space import Cell

Tree = Any
History = dict[str, list[float]]


@dataclass(frozen=True, eq=False)
class Result:
    """What a block gave.

    Attributes
    ----------
    rows
        For each cell what the table says of it.
    histories
        For each cell one value an epoch for each of Keras's keys.
    weights
        For each cell the values of its network's variables, as `Recipe.network` makes it; empty
        unless asked for.
    """

    rows: list[dict[str, Any]]
    histories: list[History]
    weights: list[list[np.ndarray]]


class Progress(Protocol):
    """How far a block is: the block itself, or what another process tells of it.

    The attributes are those of `BlockTraining`.
    """

    cells: list[int]
    epochs: int
    epoch: int
    histories: list[History]
    diverged: list[int | None]


def compute_block(
    scan: Mapping[str, Any],
    number: int,
    build: Any = None,
    data: Dataset | None = None,
    *,
    keep_weights: bool = False,
    on_epoch: Callable[[BlockTraining], bool] | None = None,
) -> Result | None:
    """Train one block from beginning to end.

    Parameters
    ----------
    scan
        The contents of ``scan.json``.
    number
        Which block.
    build, data
        The function and the dataset, where the configuration cannot name them.
    keep_weights
        Whether to return the trained weights.
    on_epoch
        Called after each epoch, and about four times a second in long ones; a true answer
        abandons the block.

    Returns
    -------
    Result
        None when the block was abandoned.
    """
    training = BlockTraining(recipe_of(scan, build, data), scan, number)
    if not training.train(training.epochs, on_epoch):
        return None
    return training.result(keep_weights=keep_weights)


def recipe_of(scan: Mapping[str, Any], build: Any = None, data: Dataset | None = None) -> Recipe:
    """Return the recipe of a scan; its function and data are taken from it if not given.

    Raises
    ------
    StriateError
        If the configuration cannot name them, or the data are others.
    """
    described = scan["dataset"]
    if data is None:
        data = load_again(described)
    if data is None:
        raise StriateError(f"the scan is of {described['name']!r} in memory: give the dataset")
    if data.fingerprint != described["fingerprint"]:
        raise StriateError(
            f"the scan is of other data: {described['name']!r} with fingerprint "
            f"{described['fingerprint'][:12]}, not {data.name!r} with {data.fingerprint[:12]}"
        )
    if build is None:
        build = scan["model"]["name"]
        if build == "custom":
            raise StriateError(
                f"the scan is of a function {scan['model']['title']}(): give the function"
            )
    return Recipe(build, data, scan["fixed"])


class Saver(Protocol):
    """Keeps a block from time to time."""

    def due(self) -> bool:
        """Return whether it is time to."""

    def save(self, training: BlockTraining) -> None:
        """Keep it."""


class BlockTraining:
    """A block while it is trained; may be stopped and looked at after any epoch.

    A block of which all cells have diverged is over. Single ones stay in the program, since taking
    them out would move the last bits of the others.

    Attributes
    ----------
    cells
        Numbers of its cells.
    epochs, epoch
        Epochs to train for, and those done.
    histories
        For each cell one value an epoch; those of a diverged cell end with that epoch.
    diverged
        For each cell the epoch, from 1, at whose end its loss was not finite; else None.
    """

    def __init__(
        self,
        recipe: Recipe,
        scan: Mapping[str, Any],
        number: int,
        programs: Programs | None = None,
    ) -> None:
        if programs is None:
            programs = Programs(recipe, scan)
        cells: Sequence[Cell] = scan["cells"]
        block: Mapping[str, Any] = scan["blocks"][number]
        self.cells: list[int] = list(block["cells"])
        self._recipe = recipe
        self._settings = [cells[number] for number in self.cells]
        self.epochs = int(recipe.setting(self._settings[0], "epochs"))
        self.epoch = 0
        self._position = Position()
        self.histories: list[History] = [{} for _ in self.cells]
        self.diverged: list[int | None] = [None for _ in self.cells]
        self._watched = "test" if recipe.data.validation is None else "validation"
        self._models = list(range(len(self.cells)))
        self._program, self._rows = programs.of(number)
        self._accuracy = str(accuracy_name(self._program.model))
        with BUILDING:
            self._state = self._start(block, cells)

    def _start(self, block: Mapping[str, Any], cells: Sequence[Cell]) -> Tree:
        """Return the state of all cells before the first epoch."""
        starts: Sequence[int] = block["starts"]
        built = {number: self._built(cells[number]) for number in dict.fromkeys(starts)}
        last = self.cells[-1]
        if last not in built and not _same(self._built(cells[last]), built[starts[-1]]):
            # The function gives its networks weights of their own: each is built.
            starts = self.cells
            built |= {n: self._built(cells[n]) for n in self.cells if n not in built}
        states = [built[number] for number in starts]
        copies = len(self._rows) - len(states)
        numbers = {
            place: np.concatenate([values, np.repeat(values[-1:], copies)])
            for place, values in numbers_of(block).items()
        }
        return self._program.start(states + states[-1:] * copies, numbers)

    def _built(self, cell: Cell) -> Tree:
        return program.initial_state(self._recipe.network(cell).model)

    def train(
        self,
        until: int,
        on_epoch: Callable[[BlockTraining], bool] | None = None,
        saver: Saver | None = None,
    ) -> bool:
        """Train to the end of epoch number `until`; see `compute_block` for `on_epoch`.

        Parameters
        ----------
        saver
            Is given the training to keep from time to time, within long epochs, too, and when it
            is abandoned.

        Returns
        -------
        bool
            False when it was abandoned.
        """
        stopped = False

        def on_chunk(_: Any) -> bool:
            nonlocal stopped
            stopped = on_epoch is not None and on_epoch(self)
            return stopped or (saver is not None and saver.due())

        while self.epoch < until and None in self.diverged and not stopped:
            self._state, self._position, logs = self._program.run_epoch(
                self._state, self._position, on_chunk, self._rows
            )
            if self._position.epoch > self.epoch:
                watched = self._program.evaluate(self._state, self._watched, self._rows)
                logs |= {f"val_{name}": values for name, values in watched.items()}
                self.epoch += 1
                for place, model in enumerate(self._models):
                    self._note(model, {name: float(values[place]) for name, values in logs.items()})
                stopped = stopped or (on_epoch is not None and on_epoch(self))
            if saver is not None and (stopped or saver.due()):
                saver.save(self)
        return self.epoch >= until or None not in self.diverged

    def checkpoint(self) -> Checkpoint:
        """Return all that is needed to go on to the same bits."""
        history = {
            f"{model}/{name}": values
            for model, own in enumerate(self.histories)
            for name, values in own.items()
        }
        state = [[np.asarray(values) for values in group] for group in self._state]
        return Checkpoint(self._position.epoch, self._position.step, state, history)

    def restore(self, kept: Checkpoint) -> None:
        """Go on from a checkpoint of the same block.

        Raises
        ------
        StriateError
            If it is of another one.
        """
        shapes = [[(v.shape, v.dtype) for v in group] for group in self._state]
        if shapes != [[(v.shape, v.dtype) for v in group] for group in kept.state]:
            raise StriateError(f"{kept.file_name} is of another block: remove it")
        # Copies: the training gives its arrays up, and NumPy's memory is not JAX's to reuse.
        self._state = tuple([jnp.array(values) for values in group] for group in kept.state)
        self._position = Position(kept.epoch, kept.step)
        self.epoch = kept.epoch
        for key, values in kept.history.items():
            number, _, name = key.partition("/")
            self.histories[int(number)][name] = list(values)
        for model, history in enumerate(self.histories):
            losses = history.get("loss", [])
            self.diverged[model] = len(losses) if losses and not math.isfinite(losses[-1]) else None

    def _note(self, model: int, logs: Mapping[str, float]) -> None:
        if self.diverged[model] is not None:
            return
        for name, value in logs.items():
            self.histories[model].setdefault(name, []).append(value)
        if not math.isfinite(logs["loss"]):
            self.diverged[model] = self.epoch

    def keep(self, cells: Collection[int]) -> None:
        """Go on with these cells only; what the others gave is to be taken before, by `result`."""
        places = [p for p, model in enumerate(self._models) if self.cells[model] in cells]
        self._state = self._program.take(self._state, places)
        self._models = [self._models[place] for place in places]
        self._rows = [self._rows[place] for place in places]

    def result(self, *, keep_weights: bool = False) -> Result:
        """Evaluate all cells on the training and test images."""
        measured = {
            split: self._program.evaluate(self._state, split, self._rows)
            for split in self._recipe.data.splits
        }
        rows = []
        for place, model in enumerate(self._models):
            row: dict[str, Any] = {"cell": self.cells[model], **self._settings[model]}
            row |= {"epochs_done": self.epoch, "diverged": self.diverged[model]}
            for split, logs in measured.items():
                row[f"{split}_accuracy"] = float(logs[self._accuracy][place])
                row[f"{split}_loss"] = float(logs["loss"][place])
            rows.append(row)
        weights = self._program.weights(self._state)[: len(rows)] if keep_weights else []
        return Result(rows, self.histories, weights)


def _same(left: Tree, right: Tree) -> bool:
    """Whether two states have equal weights and random states."""
    return all(
        np.array_equal(a, b)
        for one, other in zip(left[:2], right[:2], strict=True)
        for a, b in zip(one, other, strict=True)
    )


def save_model(recipe: Recipe, cell: Cell, weights: Sequence[np.ndarray], path: Path) -> None:
    """Write the trained network of a cell as a ``.keras`` file."""
    model = recipe.network(cell).model
    model.optimizer.build(model.trainable_variables)
    variables = [v for group in program.variables(model)[:3] for v in group]
    for variable, value in zip(variables, weights, strict=True):
        variable.assign(value)
    # What Keras does at the end of fit: averaged weights take the place of the last ones.
    model.optimizer.finalize_variable_values(model.trainable_variables)
    with written_beside(path) as beside, without_tensorflow():
        model.save(beside)
