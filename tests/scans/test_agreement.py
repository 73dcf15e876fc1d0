"""A cell of a scan is the training that `striate.train` makes with the same settings."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import striate as st
from striate.engine import Position, compile_program
from striate.runs.network import prepare

EPOCHS, BATCH = 10, 60

# Each scan is one program; its first and its last cell differ in all axes.
AXES = {
    "regularisation": {
        "l1": [0.0, 1e-3],
        "l2": [0.0, 1e-1],
        "dropout": [0.2, 0.7],
        "noise": [0.05, 0.5],
        "smoothing": [0.05, 0.3],
    },
    "gradient descent": {
        "learning_rate": [0.01, 0.1],
        "momentum": [0.5, 0.9],
        "clipvalue": [0.01, 0.1],
    },
    "Adam": {
        "optimizer": ["adam"],
        "learning_rate": [1e-3, 1e-2],
        "beta_1": [0.8, 0.95],
        "beta_2": [0.99, 0.9999],
        "epsilon": [1e-7, 1e-3],
        "weight_decay": [1e-3, 0.1],
        "clipnorm": [0.1, 1.0],
    },
    "beginnings": {"seed": [0, 7], "scale": [0.01, 0.1], "shuffle_seed": [3, 4]},
    "seeds that shuffle": {"seed": [0, 7]},
    "two blocks of one program": {"l2": [0.0, 1e-1], "learning_rate": [0.01, 0.03, 0.1]},
    "a block with a copy": {"seed": [0, 3, 7], "l1": [1e-3], "dropout": [0.2, 0.4, 0.7]},
}
# Where it is not one program alone: blocks side by side, and cells in each.
BLOCKS = {"two blocks of one program": (2, [3, 3]), "a block with a copy": (2, [5, 4])}


@pytest.mark.parametrize("name", AXES)
def test_a_cell_agrees_with_training_it_alone(name, network, digits, tmp_path):
    """The bound is what moving its first weights by one unit in the last place does to a training.

    Now and then rounding turns a maximum or a ReLU over, so several perturbations are tried. Losses
    are sums over images, which rounding alone moves by a few units in the last place.
    """
    side_by_side, sizes = BLOCKS.get(name, (1, None))
    grid = st.grid(
        network,
        digits,
        epochs=EPOCHS,
        batch_size=BATCH,
        directory=tmp_path,
        name="scan",
        side_by_side=side_by_side,
        keep_models=True,
        **AXES[name],
    )
    assert [len(block["cells"]) for block in grid.config["blocks"]] == (sizes or [len(grid.cells)])
    for number in (0, len(grid.cells) - 1):
        alone = Alone(network, digits, {"seed": 0} | grid.cells[number])
        expected, history = alone.train()
        found = grid.histories[number]
        assert found.keys() == history.keys()
        for name in ("loss", "val_loss"):
            np.testing.assert_allclose(found[name], history[name], rtol=1e-5)
        kept = keras.saving.load_model(grid.directory / "models" / f"cell-{number:03d}.keras")
        weights = [np.array(v.value) for v in kept.trainable_variables]
        ours, drift, perturbation = difference(weights, expected), 0.0, 0
        while ours > 3 * drift and perturbation < 12:
            drift = max(drift, difference(alone.train(perturbation)[0], expected))
            perturbation += 1
        assert ours <= 3 * drift


def difference(one, other):
    """Return the largest difference of weights."""
    return max(float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True))


class Alone:
    """What `striate.train` does with the settings of a cell."""

    def __init__(self, network, digits, settings):
        seed = settings.pop("seed")
        order = settings.pop("shuffle_seed", seed)
        self.model = prepare(network, digits, seed, settings, EPOCHS, BATCH).model
        self.program = compile_program(self.model, digits, batch_size=BATCH, seed=order)
        self.first = [np.array(v.value) for v in self.model.trainable_variables]

    def train(self, perturbation=None):
        """Train from the first weights, moved by one unit in the last place if that is asked."""
        random = np.random.default_rng(perturbation)
        for variable, values in zip(self.model.trainable_variables, self.first, strict=True):
            away = random.choice([-np.inf, np.inf], values.shape).astype(values.dtype)
            moved = values if perturbation is None else np.nextafter(values, away)
            variable.assign(moved)
        state, position, history = self.program.start(), Position(), {}
        for _ in range(EPOCHS):
            state, position, logs = self.program.run_epoch(state, position)
            logs |= {f"val_{k}": value for k, value in self.program.validate(state).items()}
            for key, value in logs.items():
                history.setdefault(key, []).append(value)
        return [np.array(values) for values in state[0]], history
