"""What a trained network says of a class, as a function of the pixels that can be differentiated.

Keras's own operations are traced here, in inference mode: dropout is off, batch normalisation uses
its moving averages. For the time of a trace the layer that turns logits into probabilities is
made to pass them on, and the layers that are looked into carry a ``call`` of ours; afterwards both
are as they were.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
import keras
import numpy as np

from striate.errors import StriateError, nearest

Kind = Literal["logit", "log-probability"]
Link = Literal["softmax", "sigmoid"]

BATCH = 64
"""Images that are computed together; fewer are filled up, so that each function compiles once."""

_CONVOLUTIONS = (
    *(keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D),
    keras.layers.Conv2DTranspose,
)
# What may stand between a convolution and the map that a reader calls its feature map.
_AFTER_A_CONVOLUTION = (
    *(keras.layers.Activation, keras.layers.ReLU, keras.layers.LeakyReLU, keras.layers.ELU),
    *(keras.layers.PReLU, keras.layers.BatchNormalization),
)


@dataclass(frozen=True)
class Strongest:
    """The strongest response of each kernel of a layer to each image.

    Attributes
    ----------
    values
        Shape (n, kernel).
    rows, columns
        Where in the layer's output it is, shape (n, kernel).
    """

    values: np.ndarray
    rows: np.ndarray
    columns: np.ndarray


@dataclass(frozen=True, eq=False)
class _Call:
    """One use of a layer in a network: the how manieth, what it took and what it gave."""

    layer: Any
    use: int
    input: Any
    output: Any


class Scores:
    """The scores that a network gives to the classes of images.

    The score of a class is its logit, the value before softmax (before the logistic function, in a
    network with one output: minus that value is the logit of the first class). Where the network
    does not show it, it is the logarithm of the class probability.

    Parameters
    ----------
    model
        A built Keras model with one input, images (row, col, channel), and one output.
    images
        Some images, shape (n, row, col, channel), by which outputs of an unknown kind are judged.
    kind
        Ask for the logit or for the logarithm of the probability; the logit, where there is one,
        when None.

    Attributes
    ----------
    kind
        Which of the two the scores are.
    classes
        How many classes there are.

    Raises
    ------
    StriateError
        If the network has several outputs, or a logit is asked for and not to be had.
    """

    def __init__(self, model: Any, images: np.ndarray, kind: Kind | None = None) -> None:
        self._model = model
        # A subclassed model's own call need not take the argument.
        takes = inspect.signature(model.call).parameters
        self._inference = {"training": False} if "training" in takes else {}
        self._final = _final_operation(model)
        pixels = jnp.asarray(images[:BATCH], dtype=jnp.float32)
        outputs = model(pixels, training=False)
        if isinstance(outputs, list | tuple | dict) or outputs.ndim != 2:
            raise StriateError(
                f"the network {model.name!r} does not give one row of class scores for an image: "
                "make a model of the input and that output"
            )
        units = outputs.shape[1]
        self.classes: int = max(units, 2)
        self._link = _link(self._final, np.asarray(outputs))
        self._strip = _passes_on(self._final) if self._link else None
        if kind == "logit" and self._link is None:
            raise StriateError(
                f"the network {model.name!r} does not show the values before its probabilities: "
                "ask for log-probability"
            )
        self.kind: Kind = kind or ("logit" if self._link else "log-probability")
        self._calls = self._record(images.shape[1:])
        self._value = jax.jit(self._score)
        self._slope = jax.jit(jax.grad(lambda *given: self._score(*given).sum(), argnums=1))
        self._responses = jax.jit(self._strongest)

    @property
    def convolutions(self) -> tuple[str, ...]:
        """The names of the convolution layers that give rows and columns, in order of use."""
        return tuple(
            dict.fromkeys(c.layer.name for c in self._calls if isinstance(c.layer, _CONVOLUTIONS))
        )

    def kernels(self, name: str) -> np.ndarray | None:
        """Return the kernels of a convolution layer, shape (row, col, input channel, kernel).

        None of a separable or transposed convolution, whose weights are no such images.
        """
        layer = self._last_use(name).layer
        if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D):
            return np.asarray(layer.kernel)
        return None

    def of(self, images: np.ndarray, number: int) -> np.ndarray:
        """Return the scores (n,) of the class `number` for images (n, row, col, channel)."""
        return self._in_batches(lambda x: self._value(self._weights(), x, number), images)

    def gradient(self, images: np.ndarray, number: int) -> np.ndarray:
        """Return the derivative of each image's score by its pixels, shaped as the images."""
        return self._in_batches(lambda x: self._slope(self._weights(), x, number), images)

    def at_convolution(
        self, name: str, image: np.ndarray, number: int
    ) -> tuple[str, np.ndarray, np.ndarray]:
        """Return a convolution layer's feature maps for one image, and the score's derivative.

        The feature maps are those after the batch normalisation and the activation that follow the
        layer, so that it does not matter whether these are layers of their own.

        Parameters
        ----------
        name
            Of the layer.
        image
            Shape (row, col, channel).
        number
            Of the class.

        Returns
        -------
        tuple[str, numpy.ndarray, numpy.ndarray]
            The layer that gives the maps; the maps; the derivative of the score by them, both of
            shape (row, col, channel).

        Raises
        ------
        StriateError
            If the network has no convolution layer of that name.
        """
        call = self._feature_map(self._last_use(name))
        nothing = jnp.zeros(call.output.shape, call.output.dtype)

        def score(weights: Any, added: jax.Array, pixels: jax.Array) -> tuple[jax.Array, jax.Array]:
            seen: dict[int, jax.Array] = {}
            with _intercepted(self._layers([call]), _adding(call, added, seen)):
                value = self._score(weights, pixels, number)
            return value.sum(), seen[call.use]

        pixels = jnp.asarray(image[None], dtype=jnp.float32)
        slope, maps = jax.jit(jax.grad(score, argnums=1, has_aux=True))(
            self._weights(), nothing, pixels
        )
        first = getattr(self._last_use(name).layer, "data_format", None) == "channels_first"
        both = [np.moveaxis(np.asarray(a[0]), 0, -1) if first else a[0] for a in (maps, slope)]
        return call.layer.name, np.asarray(both[0]), np.asarray(both[1])

    def strongest(
        self, images: np.ndarray, progress: Callable[[int, int], None] | None = None
    ) -> dict[str, Strongest]:
        """Return the strongest response of each kernel of each convolution layer to each image.

        Parameters
        ----------
        images
            Shape (n, row, col, channel).
        progress
            Is told how many images are done, and of how many.
        """
        names = self.convolutions
        if not names:
            return {}
        found: dict[str, list[tuple[np.ndarray, ...]]] = {name: [] for name in names}
        for start in range(0, len(images), BATCH):
            batch = images[start : start + BATCH]
            responses = self._responses(self._weights(), _filled(batch))
            for name in names:
                found[name].append(tuple(np.asarray(a)[: len(batch)] for a in responses[name]))
            if progress is not None:
                progress(start + len(batch), len(images))
        return {
            name: Strongest(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))
            for name, blocks in found.items()
        }

    def _weights(self) -> tuple[list[Any], list[Any]]:
        model = self._model
        return (
            [variable.value for variable in model.trainable_variables],
            [variable.value for variable in model.non_trainable_variables],
        )

    def _score(self, weights: Any, pixels: jax.Array, number: int | jax.Array) -> jax.Array:
        with self._strip() if self._strip is not None else ExitStack():
            outputs, _ = self._model.stateless_call(*weights, pixels, **self._inference)
        values = outputs.astype(jnp.float32)
        if values.shape[1] == 1:
            # Of two classes: the output speaks for the second.
            other = 1 - values if self._link is None else -values
            values = jnp.concatenate([other, values], axis=1)
        if self._link is None:
            # Where float32 has lost the probability there is nothing to take a logarithm of.
            values = jnp.log(jnp.maximum(values, np.finfo(np.float32).tiny))
        elif self.kind == "log-probability":
            one = self._link == "sigmoid"
            values = jax.nn.log_sigmoid(values) if one else jax.nn.log_softmax(values)
        return jnp.take(values, number, axis=1)

    def _record(self, shape: Sequence[int]) -> list[_Call]:
        """Return the uses of the model's layers that give rows, columns and channels, in order."""
        calls: list[_Call] = []
        uses: dict[int, int] = {}

        def note(layer: Any, given: Any, output: Any) -> Any:
            uses[id(layer)] = use = uses.get(id(layer), -1) + 1
            if len(getattr(output, "shape", ())) == 4:
                calls.append(_Call(layer, use, given, output))
            return output

        layers = [
            layer
            for layer in self._model._flatten_layers(include_self=False)
            if isinstance(layer, (*_CONVOLUTIONS, *_AFTER_A_CONVOLUTION))
        ]
        with _intercepted(layers, note):
            example = jax.ShapeDtypeStruct((1, *shape), jnp.float32)
            jax.eval_shape(lambda w, x: self._score(w, x, 0), self._weights(), example)
        return calls

    def _last_use(self, name: str) -> _Call:
        for call in reversed(self._calls):
            if call.layer.name == name and isinstance(call.layer, _CONVOLUTIONS):
                return call
        known = self.convolutions
        hint = nearest(name, known) if known else "it has no convolution layer"
        raise StriateError(f"no convolution layer {name!r} in {self._model.name!r}: {hint}")

    def _feature_map(self, call: _Call) -> _Call:
        """Return the last of the layers that only normalise or rectify what `call` gave."""
        for after in self._calls:
            if after.input is call.output and isinstance(after.layer, _AFTER_A_CONVOLUTION):
                return self._feature_map(after)
        return call

    def _layers(self, calls: Sequence[_Call]) -> list[Any]:
        return list({id(call.layer): call.layer for call in calls}.values())

    def _strongest(self, weights: Any, pixels: jax.Array) -> Mapping[str, tuple[jax.Array, ...]]:
        responses: dict[str, tuple[jax.Array, ...]] = {}

        def note(layer: Any, _given: Any, output: jax.Array) -> jax.Array:
            if output.ndim == 4:
                first = layer.data_format == "channels_first"
                maps = jnp.moveaxis(output, 1, -1) if first else output
                flat = maps.reshape(len(maps), -1, maps.shape[-1])
                best = flat.argmax(axis=1)
                responses[layer.name] = (flat.max(axis=1), *jnp.divmod(best, maps.shape[2]))
            return output

        layers = self._layers([c for c in self._calls if isinstance(c.layer, _CONVOLUTIONS)])
        with _intercepted(layers, note):
            self._model.stateless_call(*weights, pixels, **self._inference)
        return responses

    def _in_batches(
        self, function: Callable[[np.ndarray], jax.Array], images: np.ndarray
    ) -> np.ndarray:
        blocks = []
        for start in range(0, len(images), BATCH):
            batch = images[start : start + BATCH]
            blocks.append(np.asarray(function(_filled(batch)))[: len(batch)])
        return np.concatenate(blocks)


def _filled(batch: np.ndarray) -> np.ndarray:
    missing = BATCH - len(batch)
    return np.pad(batch, ((0, missing), *((0, 0),) * 3)).astype(np.float32)


@contextmanager
def _intercepted(layers: Sequence[Any], told: Callable[[Any, Any, Any], Any]) -> Iterator[None]:
    """Put what ``told(layer, input, output)`` returns in place of the layers' outputs."""

    def replacing(layer: Any, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def call(inputs: Any, *args: Any, **kwargs: Any) -> Any:
            return told(layer, inputs, original(inputs, *args, **kwargs))

        return call

    with ExitStack() as stack:
        for layer in layers:
            stack.enter_context(_set(layer, "call", replacing(layer, layer.call)))
        yield


def _adding(
    wanted: _Call, added: jax.Array, seen: dict[int, jax.Array]
) -> Callable[[Any, Any, Any], Any]:
    """Return what notes the output of one use of a layer and adds `added` to it."""
    uses = iter(range(wanted.use + 1))

    def told(_layer: Any, _given: Any, output: Any) -> Any:
        if next(uses, None) != wanted.use:
            return output
        seen[wanted.use] = output
        return output + added

    return told


@contextmanager
def _set(target: Any, name: str, value: Any) -> Iterator[None]:
    """Set an attribute of one object for the time of the block, unseen by Keras's tracking."""
    own = vars(target)
    had, before = name in own, own.get(name)
    own[name] = value
    try:
        yield
    finally:
        if had:
            own[name] = before
        else:
            del own[name]


def _final_operation(model: Any) -> Any:
    """Return the layer or operation that makes the model's output; None if it is not known."""
    try:
        outputs = model.outputs
    except (AttributeError, ValueError):
        return None
    if not outputs or len(outputs) != 1:
        return None
    operation = outputs[0]._keras_history.operation
    return _final_operation(operation) if isinstance(operation, keras.Model) else operation


def _link(final: Any, outputs: np.ndarray) -> Link | None:
    """Return how the logits of a network become probabilities; None where they are not shown."""
    usual: Link = "sigmoid" if outputs.shape[1] == 1 else "softmax"
    if type(final).__name__ == "Softmax":
        return "softmax"
    if type(final).__name__ == "Sigmoid":
        return "sigmoid"
    if not hasattr(final, "activation"):
        sums = outputs.sum(axis=1) if outputs.shape[1] > 1 else np.ones(len(outputs))
        within = bool(((outputs >= 0) & (outputs <= 1)).all())
        return None if within and np.allclose(sums, 1, atol=1e-2) else usual
    activation = final.activation
    if activation in (None, keras.activations.linear):
        return usual
    if activation is keras.activations.softmax:
        return "softmax"
    if activation is keras.activations.sigmoid:
        return "sigmoid"
    return None


def _passes_on(final: Any) -> Callable[[], Any] | None:
    """Return what makes the last layer give logits for the time of a block, if it does not."""
    activation = getattr(final, "activation", None)
    if activation in (keras.activations.softmax, keras.activations.sigmoid):
        return lambda: _set(final, "activation", keras.activations.linear)
    if type(final).__name__ in {"Softmax", "Sigmoid"}:
        return lambda: _intercepted([final], lambda _layer, given, _output: given)
    return None
