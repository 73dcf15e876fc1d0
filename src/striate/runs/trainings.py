"""What a session trains: one network, or several side by side as one program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from striate.data import Dataset
from striate.engine import GridProgram, Position, Program, bytes_per_model, compile_grid
from striate.engine.dividing import Division
from striate.engine.memory import free_bytes
from striate.engine.program import initial_state, on_device, refuse_unfit, split_arrays
from striate.errors import StriateError
from striate.runs import storage
from striate.runs.checkpoint import Checkpoint

# Of the memory that is free, several networks side by side may need so much.
_SHARE_OF_FREE = 0.5


@dataclass(frozen=True, eq=False)
class Alone:
    """One network."""

    program: Program

    @property
    def images(self) -> int:
        """Training images."""
        return self.program.images

    @property
    def batch_size(self) -> int:
        """Images in a batch."""
        return self.program.batch_size

    @property
    def steps(self) -> int:
        """Steps in an epoch."""
        return self.program.steps

    def run_epoch(self, state: Any, position: Position, on_chunk: Any) -> tuple[Any, Position, Any]:
        """Train; see `striate.engine.Program`."""
        return self.program.run_epoch(state, position, on_chunk)

    def validate(self, state: Any) -> dict[str, float]:
        """Return loss and metrics on the images that are followed."""
        return self.program.validate(state)

    def logs_of_each(self, logs: dict[str, float]) -> list[dict[str, float]]:
        """Return the logs, as those of the first of one."""
        return [logs]

    def states_of_each(self, state: Any) -> list[list[list[np.ndarray]]]:
        """Return the state, as that of the first of one."""
        return [[[np.asarray(value) for value in group] for group in state]]

    def attach(self, state: Any) -> Sequence[Any]:
        """Write the state into the network's variables."""
        self.program.attach(state)
        return [self.program.model]

    def restored(self, kept: Sequence[Checkpoint]) -> Any:
        """Return the state of a checkpoint; see `Together.restored`."""
        (own,) = kept
        _refuse_other_shapes(own, self.program.start())
        # Copies: the training gives its arrays up, and NumPy's memory is not JAX's to reuse.
        return tuple([jnp.array(value) for value in group] for group in own.state)


@dataclass(frozen=True, eq=False)
class Together:
    """Several networks of one structure, as one program.

    Attributes
    ----------
    program
        What trains them.
    models
        Each network, which has its initial weights.
    watched
        The images that are followed, "validation" or "test".
    """

    program: GridProgram
    models: Sequence[Any]
    watched: str
    _numbers: Any

    @classmethod
    def of(
        cls,
        models: Sequence[Any],
        data: Dataset,
        *,
        batch_size: int,
        seeds: Sequence[int],
        shuffle: bool,
    ) -> Together | str:
        """Make one program of all models, or say why that cannot be.

        Raises
        ------
        StriateError
            If a model does not fit the data or cannot be compiled.
        """
        batch_size = min(batch_size, len(data.train))
        division = Division(lambda model: split_arrays(data.train, model, data))
        for number, model in enumerate(models):
            refuse_unfit(model, data)
            division.add(number, model, (batch_size,))
        groups = division.groups()
        if len(groups) > 1:
            return "their networks are not of one structure"
        needed, free = len(models) * bytes_per_model(models[0], batch_size), free_bytes()
        if needed > _SHARE_OF_FREE * free:
            return f"that would need about {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free"
        (group,) = groups
        program = compile_grid(
            models[0],
            {name: on_device(split, models[0], data) for name, split in data.splits.items()},
            group.numbers,
            models=len(models),
            batch_size=batch_size,
            shuffle_seeds=seeds if shuffle else None,
        )
        watched = "test" if data.validation is None else "validation"
        return cls(program, models, watched, group.numbers)

    @property
    def images(self) -> int:
        """Training images."""
        return self.program.images

    @property
    def batch_size(self) -> int:
        """Images in a batch."""
        return self.program.batch_size

    @property
    def steps(self) -> int:
        """Steps in an epoch."""
        return self.program.steps

    def start(self) -> Any:
        """Return the state that the models hold now."""
        return self.program.start([initial_state(model) for model in self.models], self._numbers)

    def run_epoch(self, state: Any, position: Position, on_chunk: Any) -> tuple[Any, Position, Any]:
        """Train; see `striate.engine.GridProgram`."""
        return self.program.run_epoch(state, position, on_chunk)

    def validate(self, state: Any) -> dict[str, np.ndarray]:
        """Return loss and metrics on the images that are followed, (models,) each."""
        return self.program.evaluate(state, self.watched)

    def logs_of_each(self, logs: dict[str, np.ndarray]) -> list[dict[str, float]]:
        """Return the logs of each model."""
        return [
            {name: float(values[number]) for name, values in logs.items()}
            for number in range(len(self.models))
        ]

    def states_of_each(self, state: Any) -> list[list[list[np.ndarray]]]:
        """Return the state of each model."""
        stacked = [[np.asarray(values) for values in group] for group in state]
        return [
            [[values[number] for values in group] for group in stacked]
            for number in range(len(self.models))
        ]

    def attach(self, state: Any) -> Sequence[Any]:
        """Write the state into the models' variables."""
        for model, own in zip(self.models, self.states_of_each(state), strict=True):
            storage.assign(model, own)
        return self.models

    def restored(self, kept: Sequence[Checkpoint]) -> Any:
        """Return the state of checkpoints, one for each model.

        Raises
        ------
        StriateError
            If one is the state of another network.
        """
        for checkpoint, fresh in zip(kept, self.states_of_each(self.start()), strict=True):
            _refuse_other_shapes(checkpoint, fresh)
        groups = zip(*(checkpoint.state for checkpoint in kept), strict=True)
        return tuple(
            [jnp.array(np.stack(values)) for values in zip(*group, strict=True)] for group in groups
        )


def _refuse_other_shapes(kept: Checkpoint, fresh: Any) -> None:
    shapes = [[(v.shape, v.dtype) for v in group] for group in fresh]
    if shapes != [[(v.shape, v.dtype) for v in group] for group in kept.state]:
        raise StriateError(
            f"{kept.file_name} is of another network than network.json: one of them was replaced"
        )
