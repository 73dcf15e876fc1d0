"""The whole training of one model as compiled functions of (state, epoch, step).

The data lie on the device as they came (bytes stay bytes), an epoch is a loop over Keras's own
``train_step`` that gathers each batch itself, and what an epoch does depends only on the state,
the seed and the number of the epoch. Cutting it anywhere and going on gives the same bits.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax import lax
from keras.src.models.functional import Functional

from striate.data import Dataset, Split
from striate.engine import loops
from striate.engine.accelerated import why_not_compiled
from striate.engine.compiling import xla_options
from striate.engine.labels import encode
from striate.engine.lowering import Lowering
from striate.errors import StriateError

Tree = Any
# Trainable, non-trainable, optimizer and metrics variables, as Keras's steps take them.
State = tuple[list[jax.Array], list[jax.Array], list[jax.Array], list[jax.Array]]

# Between two looks at the clock and at signals a loop runs about this long.
CHUNK_SECONDS = 0.25
# Most images in a batch of validation; more than in training, as nothing is kept for gradients.
VALIDATION_BATCH = 256


@dataclass(frozen=True)
class Position:
    """How far a training has come: whole epochs, and steps in the present one."""

    epoch: int = 0
    step: int = 0


@dataclass(frozen=True)
class Progress:
    """Where an epoch stands, after each chunk of it.

    Attributes
    ----------
    epoch, step, steps
        Number of the epoch from 0, steps done in it, steps that it has.
    logs
        Running means of loss and metrics.
    images_per_second
        Rate of the latest chunk.
    """

    epoch: int
    step: int
    steps: int
    logs: dict[str, float]
    images_per_second: float


@dataclass(frozen=True, eq=False)
class EpochLoop:
    """The compiled steps of an epoch, run in chunks of about `CHUNK_SECONDS`.

    Attributes
    ----------
    images, batch_size
        Of the training.
    """

    images: int
    batch_size: int
    _advance: Callable[..., tuple[Tree, Tree]]
    _finish: Callable[..., tuple[Tree, Tree]]

    @classmethod
    def of(
        cls,
        step: loops.Step,
        lowering: Lowering,
        images: int,
        batch_size: int,
        options: dict[str, Any] | None = None,
    ) -> EpochLoop:
        """Make the loop over a step; `options` are XLA's, for its compilation.

        An order with an axis of models in front, (models, images), gives batches with one.
        """

        def gather(source: Tree, i: jax.Array) -> Tree:
            arrays, order = source
            places = lax.dynamic_slice_in_dim(order, i * batch_size, batch_size, axis=-1)
            return as_batch(_gather(arrays, places))

        def gather_rest(source: Tree, _: jax.Array) -> Tree:
            return as_batch(_gather(*source))

        advance, finish = (
            jax.jit(loops.repeat(step, lowering, pick), donate_argnums=0, compiler_options=options)
            for pick in (gather, gather_rest)
        )
        return cls(images, batch_size, advance, finish)

    @property
    def steps(self) -> int:
        """Steps in an epoch; the partial last batch is one."""
        return math.ceil(self.images / self.batch_size)

    def run(
        self,
        state: Tree,
        position: Position,
        arrays: Tree,
        order: jax.Array,
        on_chunk: Callable[[Progress], bool],
    ) -> tuple[Tree, Position, dict[str, jax.Array]]:
        """Train to the end of the epoch, or until `on_chunk` answers True.

        Returns
        -------
        tuple
            State, position, and the logs of the last step; `Progress` has the means of these
            where there are several models.
        """
        whole = self.images // self.batch_size
        step, chunk = position.step, 1
        results: dict[str, jax.Array] = {}
        while step < self.steps:
            began = time.perf_counter()
            if step < whole:
                count = min(chunk, whole - step)
                results, state = self._advance(state, (arrays, order), step, step + count)
            else:
                count = 1
                tail = order[..., whole * self.batch_size :]
                results, state = self._finish(state, (arrays, tail), 0, 1)
            step += count
            logs = {name: float(np.mean(value)) for name, value in results.items()}
            seconds = time.perf_counter() - began
            chunk = max(1, int(count * CHUNK_SECONDS / max(seconds, 1e-6)))
            images = min(step * self.batch_size, self.images) - (step - count) * self.batch_size
            progress = Progress(position.epoch, step, self.steps, logs, images / seconds)
            if on_chunk(progress) and step < self.steps:
                return state, Position(position.epoch, step), results
        return state, Position(position.epoch + 1), results


@dataclass(frozen=True, eq=False)
class Program:
    """A model, its data and a batch size, compiled.

    Made by `compile_program`. The model's variables are read by `start` and written by `attach`
    only; in between the state is the caller's.

    Attributes
    ----------
    model
        The Keras model.
    batch_size
        Images in a batch, at most as many as there are.
    seed, shuffle
        Decide the order of the images in an epoch.
    images
        Training images.
    """

    model: Any
    batch_size: int
    seed: int
    shuffle: bool
    images: int
    _train: Any
    _validation: Any
    _loop: EpochLoop
    _validate: Callable[..., Tree]
    _fresh_metrics: list[np.ndarray]

    @property
    def steps(self) -> int:
        """Steps in an epoch; the partial last batch is one."""
        return math.ceil(self.images / self.batch_size)

    def start(self) -> State:
        """Return the state that the model's variables hold now, as copies."""
        trainable, other, optimizer, _ = (
            [jnp.array(v.value) for v in group] for group in variables(self.model)
        )
        return trainable, other, optimizer, self._metrics()

    def attach(self, state: State) -> None:
        """Write copies of the state into the model's variables."""
        for group, values in zip(variables(self.model), state, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(jnp.array(value))

    def order(self, epoch: int) -> np.ndarray:
        """Return the order of the training images in an epoch, by (seed, epoch) alone."""
        if not self.shuffle:
            return np.arange(self.images, dtype=np.int32)
        return shuffled(self.images, self.seed, epoch)

    def run_epoch(
        self,
        state: State,
        position: Position,
        on_chunk: Callable[[Progress], bool] | None = None,
    ) -> tuple[State, Position, dict[str, float]]:
        """Train to the end of the epoch, or until `on_chunk` answers True.

        Parameters
        ----------
        state
            The state; its arrays are given up.
        position
            Where to go on.
        on_chunk
            Called about four times a second; a true answer stops the training after that chunk.

        Returns
        -------
        tuple
            State, the position after the last step (the start of the next epoch when this one is
            done), and the running means of loss and metrics.
        """
        if position.step == 0:
            state = (*state[:3], self._metrics())
        order = jnp.asarray(self.order(position.epoch))

        def told(progress: Progress) -> bool:
            return on_chunk is not None and on_chunk(progress)

        state, position, results = self._loop.run(state, position, self._train, order, told)
        return state, position, {name: float(value) for name, value in results.items()}

    def validate(self, state: State) -> dict[str, float]:
        """Return loss and metrics on the validation images; the state is left alone."""
        logs = self._validate((state[0], state[1], self._metrics()), self._validation)
        return {name: float(value) for name, value in logs.items()}

    def _metrics(self) -> list[jax.Array]:
        return [jnp.array(value) for value in self._fresh_metrics]


def compile_program(
    model: Any,
    data: Dataset,
    *,
    batch_size: int,
    seed: int = 0,
    shuffle: bool = True,
) -> Program:
    """Make the program that trains `model` on `data`.

    Parameters
    ----------
    model
        A compiled Keras model with one image input and one output of class scores.
    data
        Training images, and validation images; where there are none the test images are followed
        instead, which is safe as long as nothing is chosen by them.
    batch_size
        Images in a batch.
    seed
        Fixes, with the number of the epoch, the order of the images.
    shuffle
        Whether that order is random.

    Returns
    -------
    Program
        Compilation itself happens at the first step.

    Raises
    ------
    StriateError
        If the model does not fit the data, or cannot be compiled.
    """
    refuse_unfit(model, data)
    batch_size = min(batch_size, len(data.train))
    training = split_arrays(data.train, model, data)
    validation = split_arrays(data.validation or data.test, model, data)
    build(model, training, batch_size)
    lowering = Lowering(model)

    def train_step(state: Tree, batch: Tree) -> Tree:
        return model.train_step(state, batch)

    def test_step(state: Tree, batch: Tree) -> Tree:
        return model.test_step(state, batch)

    return Program(
        model=model,
        batch_size=batch_size,
        seed=seed,
        shuffle=shuffle,
        images=len(data.train),
        _train=jax.tree.map(jnp.asarray, training),
        _validation=jax.tree.map(jnp.asarray, validation),
        _loop=EpochLoop.of(train_step, lowering, len(data.train), batch_size, xla_options()),
        _validate=over_all_images(test_step, lowering, len(validation[0]), xla_options()),
        _fresh_metrics=[np.array(v.value) for v in model.metrics_variables],
    )


def shuffled(images: int, seed: int, epoch: int) -> np.ndarray:
    """Return the order of the training images in an epoch, (images,) int32."""
    random = np.random.default_rng([seed, epoch])
    return random.permutation(images).astype(np.int32)


def build(model: Any, training: Tree, batch_size: int) -> None:
    """Make all variables of a model, those of its optimizer and metrics included."""
    model._symbolic_build(data_batch=as_batch(jax.tree.map(lambda a: a[:batch_size], training)))
    model.reset_metrics()


def over_all_images(
    step: loops.Step, lowering: Lowering, images: int, options: Mapping[str, Any] | None = None
) -> Callable[[Tree, Tree], Tree]:
    """Make the function that runs the test step over all images and gives the logs.

    `options` are XLA's, for its compilation.
    """
    # Equal batches where that is possible: a partial one would be compiled apart.
    size = math.ceil(images / math.ceil(images / VALIDATION_BATCH))

    def slices(arrays: Tree, i: jax.Array) -> Tree:
        return as_batch(jax.tree.map(lambda a: lax.dynamic_slice_in_dim(a, i * size, size), arrays))

    whole = loops.repeat(step, lowering, slices)
    rest = loops.repeat(step, lowering, lambda arrays, _: as_batch(arrays))

    def validate(state: Tree, arrays: Tree) -> Tree:
        logs, state = whole(state, arrays, jnp.int32(0), jnp.int32(images // size))
        if images % size:
            tail = jax.tree.map(lambda a: a[images - images % size :], arrays)
            logs, state = rest(state, tail, jnp.int32(0), jnp.int32(1))
        return logs

    return jax.jit(validate, compiler_options=None if options is None else dict(options))


def split_arrays(split: Split, model: Any, data: Dataset) -> tuple[np.ndarray, ...]:
    """Return pixels, encoded labels and, if there are any, weights."""
    arrays = [split.pixels, encode(split.labels, model, len(data.class_names))]
    if split.weights is not None:
        arrays.append(split.weights)
    return tuple(arrays)


def on_device(split: Split, model: Any, data: Dataset) -> Tree:
    """Return `split_arrays` as arrays of JAX."""
    return jax.tree.map(jnp.asarray, split_arrays(split, model, data))


def initial_state(model: Any) -> list[list[np.ndarray]]:
    """Return the values of a new model's trainable, other and optimizer variables."""
    model.optimizer.build(model.trainable_variables)
    return [[np.array(v.value) for v in group] for group in variables(model)[:3]]


def encoding(model: Any, data: Dataset) -> Hashable:
    """Return how a model's loss takes labels: equal for models that can share `split_arrays`."""
    sample = encode(data.train.labels[:1], model, len(data.class_names))
    return sample.dtype.str, sample.shape


def as_batch(arrays: Tree) -> Tree:
    """Turn pixels to images in [0, 1] as `Split.images` does, here a batch at a time."""
    pixels, *others = arrays
    if pixels.dtype == np.uint8:
        pixels = pixels.astype(np.float32) / np.float32(255)
    return (pixels, *others)


def _gather(arrays: Tree, places: jax.Array) -> Tree:
    """Return the images at `places`, behind a barrier.

    Without it XLA fuses the gather into what reads the batch, and gathers once for each reader.
    """
    return lax.optimization_barrier(jax.tree.map(lambda a: a[places], arrays))


def variables(model: Any) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Return the model's trainable, other, optimizer and metrics variables."""
    return (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )


def refuse_unfit(model: Any, data: Dataset) -> None:
    """Raise if the model cannot be compiled, or cannot take the images of the data."""
    reason = why_not_compiled(model)
    if reason is not None:
        raise StriateError(
            f"model {model.name!r} cannot be compiled ({reason}): "
            "compile it without that, or train it with its own fit"
        )
    if not isinstance(model, keras.Sequential | Functional):
        raise StriateError(
            f"model {model.name!r} is a subclass of keras.Model, whose shapes are not known: make "
            "it with keras.Model(inputs, outputs), or train it with its own fit"
        )
    if not model.built:
        model.build((None, *data.image_shape))
    shape = model.input_shape
    one = isinstance(shape, tuple) and len(shape) == 4
    if one and all(w in (None, g) for w, g in zip(shape[1:], data.image_shape, strict=True)):
        return
    wanted = shape[1:] if isinstance(shape, tuple) else shape
    raise StriateError(
        f"model {model.name!r} takes images of shape {wanted}, but those of {data.name!r} are "
        f"{data.image_shape}: build it with Input({data.image_shape})"
    )
