import subprocess
import sys

import pytest

from striate.data import load
from striate.errors import StriateError
from striate.models import REGISTRY, build, default_model_for, lookup


def test_the_table_is_read_without_keras_or_jax():
    script = (
        "import sys; from striate.models import REGISTRY, default_model_for;"
        "default_model_for('digits'); [m.summary for m in REGISTRY.values()];"
        "print(sorted({'keras', 'jax', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize(
    ("dataset", "model"),
    [
        ("digits", "oslo_digits"),
        ("mnist", "heidelberg"),
        ("fashion_mnist", "fashion_cnn"),
        ("cifar10", "oslo_cifar10"),
        ("ox", "nthu_ox"),
        ("jets", "jet_cnn"),
        ("/some/folder", "heidelberg"),
    ],
)
def test_default_model(dataset, model):
    assert default_model_for(dataset) == model


def test_a_file_of_jets_gets_the_network_for_jets():
    jets = load("jets")
    assert default_model_for("/some/jets.h5", jets) == "jet_cnn"
    assert default_model_for("/some/digits.npz", load("digits")) == "heidelberg"


def test_the_default_of_a_lecture_dataset_was_made_for_it():
    for dataset in ("digits", "mnist", "fashion_mnist", "cifar10", "ox", "jets"):
        assert REGISTRY[default_model_for(dataset)].dataset == dataset


def test_lecture_settings():
    assert (REGISTRY["heidelberg"].epochs, REGISTRY["heidelberg"].batch_size) == (3, 64)
    assert (REGISTRY["oslo_digits"].epochs, REGISTRY["oslo_digits"].batch_size) == (100, 100)
    assert REGISTRY["oslo_cifar10"].epochs == 10
    assert {m.row for m in REGISTRY.values()} == {
        *("N1", "N4", "N5", "N6", "N7", "N9", "N10", "N12", "N14", "W3", "best")
    }


def test_unknown_name_gets_the_nearest():
    with pytest.raises(StriateError, match=r"^unknown model 'heidelburg': did you mean 'heidel"):
        lookup("heidelburg")


def test_unknown_argument_gets_the_nearest():
    with pytest.raises(StriateError, match=r"no argument 'filter': did you mean 'filters'\?$"):
        build("oslo_digits", filter=3)


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_smallest_image_is_exact(name):
    entry = REGISTRY[name]
    side = entry.smallest
    assert entry.build((side, side, 1), 3).output_shape == (None, 3)
    if side > 1:
        with pytest.raises(ValueError, match=r"(?i)negative|zero|out of bounds|greater than 0"):
            model = entry.function((side - 1, side - 1, 1), 3)
            # Pooling by zero pixels is not refused by Keras: a layer is left without input.
            if 0 in model.get_layer("flatten").output.shape:
                raise ValueError("greater than 0")


def test_images_too_small_name_the_models_that_fit():
    with pytest.raises(StriateError) as caught:
        build("oslo_cifar10", (8, 8, 1))
    message = str(caught.value)
    assert "at least 18 x 18 pixels, but these are 8 x 8" in message
    assert "oslo_digits" in message
    assert "\n" not in message


@pytest.mark.parametrize("wrong", [(8, 1, 8), (1, 8, 8)])
def test_channel_axis_in_the_wrong_place_is_named(wrong):
    with pytest.raises(StriateError, match=r"channel axis comes last, did you mean \(8, 8, 1\)\?"):
        build("heidelberg_improved", wrong)


@pytest.mark.parametrize("shape", [(28, 28), (0, 28, 1), (1, 28, 28, 1)])
def test_a_shape_that_is_no_image(shape):
    with pytest.raises(StriateError, match=r"shape \(row, column, channel\)"):
        build("heidelberg", shape)
