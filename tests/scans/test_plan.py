"""Which cells are one program, and how many at a time."""

from __future__ import annotations

import keras
import pytest
from keras import layers

import striate as st
from striate.errors import StriateError
from striate.scans import plan
from striate.scans.plan import Recipe
from striate.scans.space import product

PROGRAMS = {
    "learning rate and L2": ({"learning_rate": [0.1, 0.2], "l2": [0.0, 1e-3]}, 1),
    "label smoothing, none and some": ({"smoothing": [0.0, 0.1, 0.2]}, 2),
    "momentum, none and some": ({"momentum": [0.0, 0.5, 0.9]}, 2),
    "dropout, none and some": ({"dropout": [0.0, 0.3, 0.5]}, 2),
    "clipping, none and some": ({"clipnorm": [None, 0.5, 1.0]}, 2),
    "filters": ({"filters": [2, 3], "l2": [0.0, 0.1]}, 2),
    "batch size": ({"batch_size": [30, 60]}, 2),
    "epochs": ({"epochs": [2, 3]}, 2),
    "class of the optimizer": ({"optimizer": ["sgd", "adam"], "seed": [0, 1]}, 2),
}


def planned(build, data, axes, memory=10**9, at_once=1):
    recipe = Recipe(build, data, {"epochs": 2, "batch_size": 60, "seed": 0})
    return plan.blocks(recipe, product(axes), memory, at_once)


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_changes_the_structure_is_a_program_of_its_own(name, network, digits):
    axes, programs = PROGRAMS[name]
    blocks, _ = planned(network, digits, axes)
    assert len(blocks) == programs
    cells = [cell for block in blocks for cell in block["cells"]]
    assert sorted(cells) == list(range(len(product(axes))))


def small(activation="relu", loss="categorical_crossentropy", regulariser=None, schedule=None):
    model = keras.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Flatten(),
            layers.Dense(10, activation=activation, kernel_regularizer=regulariser),
        ]
    )
    model.compile(keras.optimizers.SGD(schedule or 0.1), loss, metrics=["accuracy"])
    return model


def with_an_activation_made_within(slope):
    return small(activation=lambda x: keras.ops.maximum(x, slope * x))


def with_a_loss_made_within(weight):
    def loss(y, p):
        return weight * keras.losses.categorical_crossentropy(y, p)

    return small(loss=loss)


class Own(keras.regularizers.Regularizer):
    """Keeps another number than its configuration says."""

    def __init__(self, strength=0.1):
        self.strength = strength
        self.half = strength / 2

    def __call__(self, x):
        return self.half * keras.ops.sum(x * x)

    def get_config(self):
        return {"strength": self.strength}


def with_a_regulariser_of_its_own(strength):
    return small(regulariser=Own(strength))


def with_a_schedule(rate):
    return small(schedule=keras.optimizers.schedules.ExponentialDecay(rate, 10, 0.9))


@pytest.mark.filterwarnings("ignore:The object being serialized includes a `lambda`")
@pytest.mark.parametrize(
    ("build", "axes", "programs"),
    [
        (with_an_activation_made_within, {"slope": [0.1, 0.2]}, 2),
        (with_a_loss_made_within, {"weight": [0.5, 1.0]}, 2),
        (with_a_regulariser_of_its_own, {"strength": [0.1, 0.2]}, 2),
        (with_a_schedule, {"rate": [0.1, 0.2]}, 1),
    ],
)
def test_what_a_configuration_does_not_tell_is_never_taken_for_equal(build, axes, programs, digits):
    blocks, _ = planned(build, digits, axes)
    assert len(blocks) == programs


def test_blocks_are_equal_fit_into_memory_and_keep_the_cores_busy(network, digits):
    axes = {"l2": [10.0**-n for n in range(11)]}
    (one,), at_once = planned(network, digits, axes)
    assert (len(one["cells"]), at_once) == (11, 1)
    two, at_once = planned(network, digits, axes, at_once=2)
    assert ([len(block["cells"]) for block in two], at_once) == ([6, 5], 2)
    assert [(block["group"], block["models"]) for block in two] == [(0, 6), (0, 6)]
    needed = st.engine.bytes_per_model(network(), 60)
    few, at_once = planned(network, digits, axes, memory=4 * needed + 1, at_once=2)
    assert ([len(block["cells"]) for block in few], at_once) == ([2, 2, 2, 2, 2, 1], 2)
    single, at_once = planned(network, digits, axes, memory=needed, at_once=2)
    assert (len(single), at_once) == (11, 1)
    with pytest.raises(StriateError, match="allow more, or use smaller batches"):
        planned(network, digits, axes, memory=needed - 1)


def test_only_cells_that_begin_alike_share_a_beginning(network, digits):
    (block,), _ = planned(network, digits, {"seed": [0, 1], "scale": [0.1, 0.2], "l2": [0.0, 0.1]})
    assert block["starts"] == [0, 0, 2, 2, 4, 4, 6, 6]


@pytest.mark.parametrize(
    ("words", "size"), [("4 GB", 4e9), ("512MB", 512e6), ("2.5G", 2.5e9), (1000, 1000)]
)
def test_sizes_of_memory(words, size):
    assert plan.memory_limit(words) == size


@pytest.mark.parametrize("words", ["much", "-1 GB", 0, "GB", True])
def test_what_is_no_size_is_refused(words):
    with pytest.raises(StriateError, match="is no size"):
        plan.memory_limit(words)
