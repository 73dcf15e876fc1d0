"""The prediction of one small batch, without Keras's iterators, callbacks and progress bar.

For one image these cost ten times what the network does. Only a call that shows no progress, calls
nobody back and fits into one batch takes this path; what it returns is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import keras
import numpy as np

from striate.engine import loops
from striate.engine.lowering import Lowering
from striate.engine.resident import is_array

Tree = Any

# Keras's own, where the caller gives none.
BATCH_SIZE = 32


def fits(x: Any, batch_size: int | None) -> bool:
    """Whether `x` is one array of numbers, with the rows of one batch at most."""
    return (
        is_array(x)
        and np.dtype(x.dtype).kind in "fiub"
        and 0 < x.shape[0] <= (batch_size or BATCH_SIZE)
    )


def compile_once(step: loops.Step, lowering: Lowering) -> Callable[[Any, Any], Tree]:
    """Make the function (model, x) -> outputs that runs the predict step on one batch.

    Parameters
    ----------
    step
        ((trainable, non-trainable), batch) -> (outputs, the same), as `Accelerated` makes it.
    lowering
        The model's swaps, applied while tracing.
    """

    @jax.jit
    def run(trainable: Tree, other: Tree, batch: Tree) -> tuple[Tree, dict[int, jax.Array]]:
        with lowering.applied():
            outputs, (_, new) = step((trainable, other), batch)
        pairs = enumerate(zip(new, other, strict=True))
        return outputs, {i: now for i, (now, before) in pairs if now is not before}

    def predict(model: Any, x: Any) -> Tree:
        if np.dtype(x.dtype).kind == "f":
            x = x.astype(keras.config.floatx(), copy=False)
        others = model.non_trainable_variables
        trainable = [v.value for v in model.trainable_variables]
        outputs, changed = run(trainable, [v.value for v in others], x)
        # A layer may count its calls.
        for i, value in changed.items():
            others[i].assign(value)
        # A copy, which the caller may write into.
        return jax.tree.map(np.array, outputs)

    return predict
