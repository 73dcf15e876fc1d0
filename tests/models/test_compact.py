"""The network that learns most in a minute."""

from __future__ import annotations

import numpy as np
import pytest

import striate as st
from striate.errors import StriateError
from striate.models import compact_cnn


@pytest.mark.parametrize(
    ("shape", "filters"),
    [((32, 32, 3), [32, 64, 128, 256]), ((8, 9, 1), [32, 64, 128]), ((5, 25, 2), [32, 64])],
)
def test_as_many_blocks_as_the_image_can_be_halved(shape, filters):
    model = compact_cnn(shape, 4)
    found = [layer.filters for layer in model.layers if layer.name.startswith("conv")]
    assert found == filters
    assert model.output_shape == (None, 4)


@pytest.mark.parametrize("filters", [(), (4, 4, 4, 4)])
def test_filters_that_do_not_fit(filters):
    with pytest.raises(StriateError, match=r"from one to 3 numbers of filters$"):
        compact_cnn((8, 8, 1), filters=filters)


def test_the_learning_rate_rises_for_a_fifth_and_falls_to_zero():
    model = compact_cnn((8, 8, 1), filters=(4,), learning_rate=0.5, training_steps=100)
    rate = model.optimizer._learning_rate
    rates = np.array([float(rate(step)) for step in range(101)])
    assert np.argmax(rates) == 20
    assert rates[[0, 20, 60, 100]] == pytest.approx([0.05, 0.5, 0.25, 0.0], abs=1e-6)


def test_augmentation_changes_images_in_training_only():
    plain = compact_cnn((8, 8, 1), filters=(4,))
    moved = compact_cnn((8, 8, 1), filters=(4,), mirror=True, shift=2)
    for layer in plain.layers:
        moved.get_layer(layer.name).set_weights(layer.get_weights())
    images = st.load("digits", limit=20).train.images
    both = (np.asarray(plain(images)) + np.asarray(plain(images[:, :, ::-1]))) / 2
    np.testing.assert_allclose(moved(images, training=False), both, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(moved.predict(images, verbose=0), both, rtol=1e-5, atol=1e-6)
    assert moved(images, training=True).shape == both.shape
    shift = moved.get_layer("shift")
    assert not np.array_equal(shift(images, training=True), images)


def test_it_learns_digits_in_few_epochs_through_fused_kernels():
    data = st.load("digits")
    model = compact_cnn((8, 8, 1), 10, filters=(16, 32), shift=1, training_steps=6 * 12)
    images, labels = data.train.images, np.eye(10, dtype=np.float32)[data.train.labels]
    model.fit(images, labels, batch_size=128, epochs=6, verbose=0)
    test = model.predict(data.test.images, verbose=0).argmax(axis=1)
    assert np.mean(test == data.test.labels) > 0.93
    report = str(model.engine_report())
    assert "convolution + max pooling 2x2" in report
