"""`striate.grid`: what it gives, what it keeps, and what it refuses."""

from __future__ import annotations

import csv
import io

import keras
import numpy as np
import pytest

import striate as st
from striate.errors import StriateError

RATES, STRENGTHS = [1e-3, 0.1, 1e38], [0.0, 1e-3]


@pytest.fixture(scope="module")
def grid(network, digits, tmp_path_factory):
    """Six cells; with the last rate the weights overflow."""
    return st.grid(
        network,
        digits,
        learning_rate=RATES,
        l2=STRENGTHS,
        epochs=3,
        batch_size=60,
        directory=tmp_path_factory.mktemp("runs"),
        keep_models=True,
        side_by_side=2,
    )


def test_arrays_have_the_shape_of_the_axes(grid):
    assert dict(grid.axes) == {"learning_rate": RATES, "l2": STRENGTHS}
    for name in ("train_accuracy", "test_accuracy", "train_loss", "test_loss"):
        values = getattr(grid, name)
        assert values.shape == (3, 2)
        for number, cell in enumerate(grid.cells):
            place = RATES.index(cell["learning_rate"]), STRENGTHS.index(cell["l2"])
            np.testing.assert_equal(values[place], grid.rows[number][name])
    assert grid.finished
    assert [len(block["cells"]) for block in grid.config["blocks"]] == [3, 3]


def test_accuracies_are_those_of_the_networks_that_are_kept(grid, digits):
    for number in (0, 2, 3):
        model = keras.saving.load_model(grid.directory / "models" / f"cell-{number:03d}.keras")
        for split in ("train", "test"):
            images = digits.splits[split]
            answers = model.predict(images.images, verbose=0).argmax(axis=1)
            found = grid.rows[number][f"{split}_accuracy"]
            assert found == pytest.approx((answers == images.labels).mean(), abs=1e-6)


def test_what_diverges_is_said_and_disturbs_no_other(grid, network, digits, tmp_path):
    np.testing.assert_array_equal(grid.diverged, [[False] * 2, [False] * 2, [True] * 2])
    assert grid.rows[4]["diverged"] in (1, 2, 3)
    assert len(grid.histories[4]["loss"]) == grid.rows[4]["diverged"]
    assert not np.isfinite(grid.test_loss[2]).any()
    assert grid.best()["learning_rate"] == 0.1
    # Cell 3 shares its block with cells 4 and 5, which are lost; here with two that are not.
    sound = st.grid(
        network,
        digits,
        learning_rate=[1e-3, 0.1, 0.2],
        l2=STRENGTHS,
        epochs=3,
        batch_size=60,
        directory=tmp_path,
        side_by_side=2,
    )
    assert not sound.diverged.any()
    assert sound.histories[3] == grid.histories[3]
    assert sound.rows[3] == grid.rows[3]


def test_the_table_is_read_to_the_same_bits(grid):
    again = st.GridResult.load(grid.directory)
    np.testing.assert_equal(again.table(), grid.table())
    text = (grid.directory / "table.csv").read_text()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [float(row["learning_rate"]) for row in rows] == [c["learning_rate"] for c in grid.cells]
    assert repr(grid).startswith("GridResult(")


def test_the_best_cell_by_another_measure(grid):
    loss = grid.best(by="train_loss")
    assert loss["train_loss"] == np.nanmin(grid.train_loss)
    with pytest.raises(StriateError, match="did you mean 'test_accuracy'"):
        grid.best(by="test_acuracy")


def test_a_plane_of_more_axes_is_averaged_over_seeds(network, digits, tmp_path):
    given = {"epochs": 1, "batch_size": 60, "directory": tmp_path}
    found = st.grid(network, digits, seed=[0, 1], learning_rate=[0.1, 0.2], l2=[0.0, 0.1], **given)
    assert list(found.axes) == ["learning_rate", "l2", "seed"]
    values, _, axes = found.plane("test_accuracy")
    assert list(axes) == ["learning_rate", "l2"]
    np.testing.assert_allclose(values, found.test_accuracy.mean(axis=2))
    values, _, axes = found.plane("test_accuracy", l2=0.1, seed=1)
    assert list(axes) == ["learning_rate"]
    np.testing.assert_array_equal(values, found.test_accuracy[:, 1, 1])
    with pytest.raises(StriateError, match="not among its values"):
        found.plane("test_accuracy", l2=0.5)
    with pytest.raises(StriateError, match="is no axis of this scan"):
        found.heatmap(rate=0.5)
    assert found.heatmap(l2=0.1).axes


def test_a_function_may_give_each_network_weights_of_its_own(network, digits, tmp_path):
    def build(l2):
        model = network(l2=l2)
        model.layers[-1].bias.assign(np.full(10, 50 * l2))
        return model

    given = {"epochs": 1, "batch_size": 60, "directory": tmp_path}
    found = st.grid(build, digits, l2=[0.0, 0.1], side_by_side=1, keep_models=True, **given)
    biases = [
        keras.saving.load_model(found.directory / "models" / f"cell-{cell:03d}.keras")
        .layers[-1]
        .bias.numpy()
        .mean()
        for cell in (0, 1)
    ]
    assert abs(biases[0]) < 1 < 4 < biases[1]


def test_a_scan_of_which_all_diverge_ends_at_once(network, digits, tmp_path):
    given = {"epochs": 1000, "batch_size": 60, "directory": tmp_path}
    found = st.grid(network, digits, learning_rate=[1e37, 1e38], **given)
    assert found.diverged.all()
    assert found.rows[0]["epochs_done"] == 1
    assert found.heatmap().axes
    with pytest.raises(StriateError, match="or all diverged"):
        found.best()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"l2": []}, "has no values"),
        ({"l2": [0.1, 0.1]}, "a value twice"),
        ({"l2": [[0.1], [0.2]]}, "a list of numbers or words, not one of lists"),
        ({"l2": [float("nan")]}, "is no number to train with"),
        ({"l2": [0.1, object()]}, "cannot be written down"),
        ({"momentun": [0.1, 0.2]}, "the cell with momentun=0.1 cannot be built"),
        ({"momentun": 0.1}, "the network cannot be built: .*momentun"),
        ({"seed": [0, -1]}, "seed must be a whole number from 0"),
        ({"epochs": [0]}, "epochs must be a whole number from 1"),
        ({"dropout": [0.1, 2.0]}, "cannot be built"),
        ({"memory": "little"}, "is no size"),
    ],
)
def test_a_mistake_is_one_line(given, message, network, digits, tmp_path):
    with pytest.raises(StriateError, match=message) as error:
        st.grid(network, digits, **{"epochs": 1, "directory": tmp_path} | given)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_a_network_without_accuracy_is_refused(digits, tmp_path):
    def build():
        model = keras.Sequential(
            [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
        )
        model.compile("sgd", "mse")
        return model

    with pytest.raises(StriateError, match=r'metrics=\["accuracy"\]'):
        st.grid(build, digits, learning_rate=[0.1], directory=tmp_path)
