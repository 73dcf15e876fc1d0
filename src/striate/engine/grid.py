"""Several models of one structure trained as one program.

Keras's own ``train_step`` is mapped over a leading axis of models: their weights, random states and
optimizer states, and the numbers of their configurations (`striate.engine.numbers`). The images lie
on the device once; where all models see them in one order, each batch is gathered once for all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from striate.engine import loops, program
from striate.engine.hyperparameters import Place, describe
from striate.engine.lowering import Lowering
from striate.engine.numbers import WIDTH, Feed
from striate.engine.program import Position, Progress

Tree = Any
Logs = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class GridProgram:
    """Models of one structure, their data and a batch size, compiled as one program.

    Made by `compile_grid`. A state is that of `striate.engine.Program` with an axis of models in
    front of each array, those of the metrics included. It may hold fewer models than the program
    was made for; which ones is said by `models` where it matters.

    Attributes
    ----------
    model
        The Keras model that is traced; its variables are never written.
    batch_size, images
        Of the training.
    shuffle_seeds
        For each model, what decides with the number of the epoch the order of its images; None
        where they come as they are.
    shared_order
        Whether the models of a state see the images in one order; then each batch is one for all.
    """

    model: Any
    batch_size: int
    images: int
    shuffle_seeds: tuple[int, ...] | None
    shared_order: bool
    _arrays: Mapping[str, Tree]
    _rows: np.ndarray
    _loop: program.EpochLoop
    _evaluate: Mapping[str, Callable[..., Tree]]
    _fresh_metrics: list[np.ndarray]
    _optimizer_variables: Mapping[Place, int]

    @property
    def steps(self) -> int:
        """Steps in an epoch; the partial last batch is one."""
        return self._loop.steps

    @property
    def models(self) -> int:
        """Number of models that the program was made for."""
        return len(self._rows)

    def start(self, states: Sequence[Tree], numbers: Mapping[Place, np.ndarray]) -> Tree:
        """Stack the states of single models (trainable, other, optimizer variables).

        Numbers that an optimizer keeps in a variable of its state are written there.
        """
        stacked = [
            [np.stack(values) for values in zip(*groups, strict=True)]
            for groups in zip(*states, strict=True)
        ]
        for place, values in numbers.items():
            variable = self._optimizer_variables.get(place)
            if variable is not None:
                stacked[2][variable] = values.astype(stacked[2][variable].dtype)
        groups = ([jnp.array(values) for values in group] for group in stacked)
        return (*groups, self._metrics(len(states)))

    def weights(self, state: Tree) -> list[list[np.ndarray]]:
        """Return for each model its trainable, other and optimizer variables, in a row."""
        arrays = [np.asarray(values) for group in state[:3] for values in group]
        return [[values[model] for values in arrays] for model in range(len(arrays[0]))]

    def take(self, state: Tree, places: Sequence[int]) -> Tree:
        """Return the state of some of its models."""
        chosen = np.asarray(places)
        return jax.tree.map(lambda values: values[chosen], state)

    def run_epoch(
        self,
        state: Tree,
        position: Position,
        on_chunk: Callable[[Progress], bool] | None = None,
        models: Sequence[int] | None = None,
    ) -> tuple[Tree, Position, Logs]:
        """Train to the end of the epoch, or until `on_chunk` answers True.

        Parameters
        ----------
        state
            The state; its arrays are given up.
        position
            Where to go on.
        on_chunk
            Called about four times a second; a true answer stops the training after that chunk.
        models
            Which models the state holds; all if not given.

        Returns
        -------
        tuple
            State, position, and the running means of loss and metrics, (models,) each.
        """
        models = range(self.models) if models is None else models
        rows = jnp.asarray(self._rows[np.asarray(models)])
        if position.step == 0:
            state = (*state[:3], self._metrics(len(models)))
        order = self._order(position.epoch, models)

        def told(progress: Progress) -> bool:
            return on_chunk is not None and on_chunk(progress)

        carried, position, results = self._loop.run(
            (state, rows), position, self._arrays["train"], order, told
        )
        return carried[0], position, {name: np.asarray(value) for name, value in results.items()}

    def evaluate(self, state: Tree, split: str, models: Sequence[int] | None = None) -> Logs:
        """Return loss and metrics, (models,) each, on the images of a split."""
        models = range(self.models) if models is None else models
        rows = jnp.asarray(self._rows[np.asarray(models)])
        carried = ((state[0], state[1], self._metrics(len(models))), rows)
        results = self._evaluate[split](carried, self._arrays[split])
        return {name: np.asarray(value) for name, value in results.items()}

    def _metrics(self, models: int) -> list[jax.Array]:
        return [
            jnp.array(np.broadcast_to(value, (models, *value.shape)))
            for value in self._fresh_metrics
        ]

    def _order(self, epoch: int, models: Sequence[int]) -> jax.Array:
        """Return the order of the images in an epoch: (images,) if shared, or (models, images)."""
        seeds = self.shuffle_seeds
        if seeds is None:
            return jnp.arange(self.images, dtype=np.int32)
        orders = {s: program.shuffled(self.images, s, epoch) for s in {seeds[m] for m in models}}
        if self.shared_order:
            (order,) = orders.values()
            return jnp.asarray(order)
        return jnp.asarray(np.stack([orders[seeds[m]] for m in models]))


def compile_grid(
    model: Any,
    arrays: Mapping[str, Tree],
    numbers: Mapping[Place, np.ndarray],
    *,
    models: int,
    batch_size: int,
    shuffle_seeds: Sequence[int] | None,
    shared_order: bool | None = None,
    one_thread: bool = False,
) -> GridProgram:
    """Make the program that trains several models of one structure.

    Parameters
    ----------
    model
        One of them, compiled and built, as a pattern for all.
    arrays
        Pixels, encoded labels and, if there are any, weights of each split, by name; ``train`` is
        trained on. `striate.engine.program.split_arrays` makes them.
    numbers
        Where the configurations differ: for each place, one number for each model.
    models
        How many.
    batch_size
        Images in a batch.
    shuffle_seeds
        See `GridProgram`.
    shared_order
        See `GridProgram`; if not given, whether all these seeds are equal. Where it is true they
        need to be so only among the models of one state.
    one_thread
        Whether the program keeps to the thread that runs it, so that several can run side by side;
        its bits do then not depend on the number of cores.

    Returns
    -------
    GridProgram
        Compilation itself happens at the first step.
    """
    images = len(arrays["train"][0])
    batch_size = min(batch_size, images)
    if shared_order is None:
        shared_order = shuffle_seeds is None or len(set(shuffle_seeds)) == 1
    program.build(model, arrays["train"], batch_size)
    tracing = Tracing(model, numbers, models)
    tracing.trace(arrays["train"], batch_size)
    lowering = Lowering(model)
    options: dict[str, Any] | None = {"xla_cpu_multi_thread_eigen": False} if one_thread else None
    train_step = tracing.mapped("train_step", batch_axis=None if shared_order else 0)
    test_step = tracing.mapped("test_step", batch_axis=None)
    return GridProgram(
        model=model,
        batch_size=batch_size,
        images=images,
        shuffle_seeds=None if shuffle_seeds is None else tuple(shuffle_seeds),
        shared_order=shared_order,
        _arrays=arrays,
        _rows=tracing.feed.matrix(),
        _loop=program.EpochLoop.of(train_step, lowering, images, batch_size, options),
        _evaluate={
            name: program.over_all_images(test_step, lowering, len(split[0]), options)
            for name, split in arrays.items()
        },
        _fresh_metrics=[np.array(v.value) for v in model.metrics_variables],
        # Asked for now: later another thread may be tracing the model, with its numbers replaced.
        _optimizer_variables=tracing.optimizer_variables,
    )


class Tracing:
    """Keras's steps of one model, with the numbers of many in its configuration.

    Attributes
    ----------
    feed
        What becomes of the numbers; complete after `trace`.
    optimizer_variables
        Which of the numbers the optimizer keeps in which of its variables.
    """

    def __init__(self, model: Any, numbers: Mapping[Place, np.ndarray], models: int) -> None:
        self._model = model
        self._description = describe(model)
        self.feed = Feed(models)
        kept = {place: self._description.variable(place) for place in numbers}
        self.optimizer_variables = {p: index for p, index in kept.items() if index is not None}
        self._numbers = {
            place: self.feed.number(place, values)
            for place, values in numbers.items()
            if self._description.can_be_set(place)
        }

    def mapped(self, name: str, batch_axis: int | None) -> loops.Step:
        """Return ``train_step`` or ``test_step``, mapped over models."""

        def one(state: Tree, row: jax.Array, batch: Tree) -> tuple[Tree, Tree]:
            with self.feed.reading(row), self._description.replaced(self._numbers):
                return getattr(self._model, name)(state, batch)

        def step(state: Tree, batch: Tree) -> tuple[Tree, Tree]:
            inner, rows = state
            results, new = jax.vmap(one, in_axes=(0, 0, batch_axis))(inner, rows, batch)
            return results, (new, rows)

        return step

    def trace(self, training: Tree, batch_size: int) -> None:
        """Trace both steps once, so that the feed knows all that becomes an array.

        Raises
        ------
        Disagreement
            If the models would take different branches.
        Exception
            Whatever Keras raises for a number that it needs to know.
        """
        batch = program.as_batch(jax.tree.map(lambda a: jnp.asarray(a[:batch_size]), training))
        groups = [[v.value for v in group] for group in program.variables(self._model)]
        row = jnp.zeros((1, WIDTH), np.float32)
        with Lowering(self._model).applied():
            for name, state in (("train_step", groups), ("test_step", [*groups[:2], groups[3]])):
                stacked = jax.tree.map(lambda a: a[None], (tuple(state), row[0]))
                jax.eval_shape(self.mapped(name, None), stacked, batch)


def accuracy_name(model: Any) -> str | None:
    """Return the name of the accuracy among a compiled model's metrics, as its logs have it."""
    given = model._compile_config.config.get("metrics")
    metrics = given if isinstance(given, list | tuple) else [given]
    for metric in metrics:
        name = getattr(metric, "name", metric)
        if isinstance(name, str) and name.endswith(("accuracy", "acc")):
            return name
    return None


def programs_at_once() -> int:
    """Return how many programs run well side by side: one for each core, one on an accelerator."""
    if jax.default_backend() != "cpu":
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
