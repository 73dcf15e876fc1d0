"""Say, layer by layer, which op a model was lowered to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import keras

from striate.engine.lowering import Lowering
from striate.errors import StriateError


class EngineReport(dict[str, str]):
    """Layer name -> "native ...", "reference ...", "platform ...", "XLA ..." or "Keras: why".

    As text it is a table, followed by what could not be compiled and why.
    """

    def __init__(self, ops: Mapping[str, str], notes: list[str]) -> None:
        super().__init__(ops)
        self.notes = notes

    def __str__(self) -> str:
        width = max((len(name) for name in self), default=0)
        rows = [f"{name:{width}}  {op}" for name, op in self.items()]
        return "\n".join([*rows, *self.notes])


def engine_report(
    model: Any, why_not: str | None, reasons: Mapping[str, str], traced: Mapping[str, str]
) -> EngineReport:
    """Trace a forward pass of `model` and report what each layer became.

    Parameters
    ----------
    model
        A built Keras model.
    why_not
        Why nothing of it is compiled, None if it is.
    reasons
        For "train", "test" and "predict", why that step runs as in Keras, where it does.
    traced
        What a step that has run made of each layer, for a model that knows no input shape.

    Raises
    ------
    StriateError
        If the shape of the model's input is not known yet.
    """
    if why_not is not None:
        ops = {layer.name: f"Keras: {why_not}" for layer in model.layers}
        return EngineReport(ops, [f"nothing is compiled by striate: {why_not}"])
    notes = [f"the {step} step runs as in Keras: {reason}" for step, reason in reasons.items()]
    inputs = _inputs(model)
    if inputs is not None:
        return EngineReport(_trace(model, inputs), notes)
    if traced:
        return EngineReport(traced, notes)
    raise StriateError(
        f"engine_report: the input shape of {model.name!r} is not known yet: "
        "give it an Input layer, or fit, evaluate or predict first"
    )


def _trace(model: Any, inputs: Any) -> dict[str, str]:
    lowering = Lowering(model)
    state = (_values(model.trainable_variables), _values(model.non_trainable_variables))
    with lowering.applied():
        jax.eval_shape(lambda s, x: model.stateless_call(*s, x, **_inference(model)), state, inputs)
    return lowering.ops


def _inputs(model: Any) -> Any:
    """Return shapes of a small batch of the model's inputs, None if they are not known."""
    try:
        symbols = model.inputs if model.built else None
    except (AttributeError, ValueError):
        symbols = None
    if not symbols:
        return None
    structs = [jax.ShapeDtypeStruct([2, *(d or 8 for d in s.shape[1:])], s.dtype) for s in symbols]
    structure = getattr(model, "_inputs_struct", None)
    if structure is not None:
        return keras.tree.pack_sequence_as(structure, structs)
    return structs[0] if len(structs) == 1 else structs


def _inference(model: Any) -> dict[str, bool]:
    return {"training": False} if model._call_has_training_arg else {}


def _values(variables: Any) -> list[Any]:
    return [v.value for v in variables]
