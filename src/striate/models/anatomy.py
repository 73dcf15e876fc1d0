"""The anatomy of a network: what each layer gives, costs and sees (rows C8, C9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from striate.errors import StriateError
from striate.models.layer_rules import Shape, flops, view_through
from striate.models.receptive import View


@dataclass(frozen=True)
class LayerAnatomy:
    """One layer of a network, where it is used.

    Attributes
    ----------
    name
        Its name; ``outer/inner`` within a nested model, with ``#2`` where it is used again.
    kind
        Its Keras class.
    output_shape
        Without the batch axis; None for a side, or a whole shape, that is not known.
    parameters
        Weights, trainable or not; 0 where a layer is used again.
    flops
        Forward, for one image, a multiplication with its addition counted as 2 (see
        `striate.models.layer_rules.flops`); 0 for the layers in `Anatomy.uncounted`.
    receptive_field
        How many input pixels one neuron far from the border sees along each axis, never more than
        the image has; None if not known.
    stride
        How many input pixels lie between neighbouring neurons (the "jump"); None if not known, or
        if the outputs do not lie on a grid.
    """

    name: str
    kind: str
    output_shape: Shape | None
    parameters: int
    flops: int
    receptive_field: tuple[int, ...] | None
    stride: tuple[float, ...] | None


@dataclass(frozen=True)
class Anatomy:
    """A network layer by layer, in the order in which they compute.

    Attributes
    ----------
    name
        The model's name.
    input_shapes
        The shape of each input, without the batch axis.
    layers
        The layers, inputs left out.
    uncounted
        Names of the layers whose FLOPs are not known; they are in no total.
    """

    name: str
    input_shapes: tuple[Shape, ...]
    layers: tuple[LayerAnatomy, ...]
    uncounted: tuple[str, ...]

    @property
    def parameters(self) -> int:
        """All weights, each counted once."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def flops(self) -> int:
        """Floating-point operations for one image, forward, without the `uncounted` layers."""
        return sum(layer.flops for layer in self.layers)

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it."""
        return {
            "name": self.name,
            "input_shapes": [list(shape) for shape in self.input_shapes],
            "layers": [vars(layer).copy() for layer in self.layers],
            "parameters": self.parameters,
            "flops": self.flops,
            "uncounted": list(self.uncounted),
        }

    def as_table(self) -> str:
        """Return the layers as a plain table for a terminal, with the totals."""
        heads = ("layer", "kind", "output", "parameters", "FLOPs", "sees", "step")
        rows = [
            (
                layer.name,
                layer.kind,
                _by(layer.output_shape),
                f"{layer.parameters:,}",
                "?" if layer.name in self.uncounted else f"{layer.flops:,}",
                _by(layer.receptive_field),
                "" if layer.receptive_field and not layer.stride else _by(layer.stride),
            )
            for layer in self.layers
        ]
        total = ("total", "", "", f"{self.parameters:,}", f"{self.flops:,}", "", "")
        widths = [max(map(len, column)) for column in zip(heads, *rows, total, strict=True)]
        rule = "  ".join("-" * width for width in widths)
        lines = [
            f"{self.name}: input {', '.join(_by(shape) for shape in self.input_shapes) or '?'}",
            _aligned(heads, widths),
            rule,
            *(_aligned(row, widths) for row in rows),
            rule,
            _aligned(total, widths),
            "FLOPs: forward, one image. sees: input pixels that one neuron sees. "
            "step: input pixels between neighbours.",
        ]
        if self.uncounted:
            lines.append("?: not counted, and not in the total.")
        return "\n".join(lines)


def anatomy(model: keras.Model) -> Anatomy:
    """Return the anatomy of any Keras model: shapes, parameters, FLOPs and receptive fields.

    Sequential and functional models are followed along their graph, with branches (a neuron that
    sees the image through several sees all that they see), shared layers and nested models. Of a
    subclassed model the graph is not known: its layers are listed with their parameters alone.

    Parameters
    ----------
    model
        A built Keras model.

    Returns
    -------
    Anatomy
        See `Anatomy`; print its ``as_table()``.

    Raises
    ------
    StriateError
        If the model is not built, so that its shapes are not known.

    Examples
    --------
    >>> print(anatomy(st.models.oslo_digits()).as_table())    # doctest: +SKIP
    """
    if not isinstance(model, keras.Model):
        raise StriateError(f"anatomy takes a Keras model, not a {type(model).__name__}")
    if not _has_graph(model):
        if isinstance(model, keras.Sequential) or not model.built:
            raise StriateError(
                f"model {model.name!r} is not built, so its shapes are not known: "
                "begin it with keras.Input(shape), or call it on images once"
            )
        return _of_layers_alone(model)
    walk = _Walk()
    walk.follow(model, [_view_of_input(model, tensor) for tensor in model.inputs], "")
    inputs = tuple(tuple(tensor.shape[1:]) for tensor in model.inputs)
    return Anatomy(model.name, inputs, tuple(walk.rows), tuple(walk.uncounted))


def views(model: keras.Model) -> dict[str, View]:
    """Return which pixels the neurons of each layer see, by the layer's name, where it is known.

    Of a layer that is used again it is the last use.

    Parameters
    ----------
    model
        A built Keras model; of a subclassed one nothing is known.
    """
    if not _has_graph(model):
        return {}
    walk = _Walk()
    walk.follow(model, [_view_of_input(model, tensor) for tensor in model.inputs], "")
    return walk.views


class _Walk:
    """Follows the graph of a model, and of those nested in it, and notes each layer."""

    def __init__(self) -> None:
        self.rows: list[LayerAnatomy] = []
        self.uncounted: list[str] = []
        self.views: dict[str, View] = {}
        self._uses: dict[int, int] = {}

    def follow(
        self, model: keras.Model, views: Sequence[View | None], prefix: str
    ) -> list[View | None]:
        """Note the layers of `model`, whose inputs have these views; return its outputs' views."""
        seen = {id(tensor): view for tensor, view in zip(model.inputs, views, strict=True)}
        for node in _nodes_in_order(model):
            entering = [seen[id(tensor)] for tensor in node.input_tensors]
            leaving = self._use(node, entering, prefix)
            for tensor, view in zip(node.output_tensors, leaving, strict=True):
                seen[id(tensor)] = view
        return [seen[id(tensor)] for tensor in model.outputs]

    def _use(self, node: Any, views: list[View | None], prefix: str) -> list[View | None]:
        layer = node.operation
        use = self._uses[id(layer)] = self._uses.get(id(layer), 0) + 1
        name = f"{prefix}{layer.name}" + (f"#{use}" if use > 1 else "")
        if isinstance(layer, keras.Model) and _has_graph(layer):
            return self.follow(layer, views, f"{name}/")
        inputs = [tuple(tensor.shape[1:]) for tensor in node.input_tensors]
        output = tuple(node.output_tensors[0].shape[1:])
        known = [view for view in views if view is not None]
        view = view_through(layer, known, inputs, output) if len(known) == len(views) else None
        if view is not None:
            self.views[layer.name] = view
        cost = flops(layer, inputs, output)
        if cost is None:
            self.uncounted.append(name)
        parameters = layer.count_params() if use == 1 and isinstance(layer, keras.Layer) else 0
        self.rows.append(
            LayerAnatomy(
                name,
                type(layer).__name__,
                output,
                parameters,
                cost or 0,
                None if view is None else view.receptive_field,
                None if view is None else view.jump,
            )
        )
        return [view] * len(node.output_tensors)


def _nodes_in_order(model: keras.Model) -> Iterator[Any]:
    """Yield the nodes between a model's inputs and outputs, each after those it needs.

    The graph is walked backwards along what made each tensor. Forwards would lead into other
    models that share a layer.
    """
    given = {id(tensor) for tensor in model.inputs}
    done: set[int] = set()
    pending: list[tuple[Any, bool]] = [
        (_maker(tensor), False) for tensor in reversed(model.outputs) if id(tensor) not in given
    ]
    while pending:
        node, needs_met = pending.pop()
        if id(node) in done:
            continue
        if needs_met:
            done.add(id(node))
            yield node
            continue
        pending.append((node, True))
        pending.extend(
            (_maker(tensor), False)
            for tensor in reversed(node.input_tensors)
            if id(tensor) not in given
        )


def _maker(tensor: Any) -> Any:
    # Keras promises no other way from a symbolic tensor to the layer call that made it.
    history = tensor._keras_history
    return history.operation._inbound_nodes[history.node_index]


def _has_graph(model: keras.Model) -> bool:
    try:
        return bool(model.inputs) and bool(model.outputs)
    except (AttributeError, ValueError):
        return False


def _view_of_input(model: keras.Model, tensor: Any) -> View | None:
    shape = tensor.shape[1:]
    if len(shape) < 2:
        return View.of_image(())
    formats = {getattr(layer, "data_format", None) for layer in model.layers} - {None}
    sides = shape[1:] if formats == {"channels_first"} else shape[:-1]
    return None if None in sides else View.of_image(sides)


def _of_layers_alone(model: keras.Model) -> Anatomy:
    rows = tuple(
        LayerAnatomy(layer.name, type(layer).__name__, None, layer.count_params(), 0, None, None)
        for layer in model.layers
    )
    return Anatomy(model.name, (), rows, tuple(row.name for row in rows))


def _by(sides: Sequence[float | None] | None) -> str:
    if sides is None:
        return "?"
    return " x ".join("?" if side is None else f"{side:g}" for side in sides)


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    # Numbers to the right, names and shapes to the left.
    numbers = (3, 4)
    padded = [
        cell.rjust(width) if i in numbers else cell.ljust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()
