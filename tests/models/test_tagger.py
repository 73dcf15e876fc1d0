"""Taggers of jets: their size, and their augmentation, which is of training only."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import striate as st

IMAGES = np.random.default_rng(2).random((64, 25, 25, 1)).astype(np.float32)


def test_both_taggers_are_alike_in_size_and_below_the_limit() -> None:
    cnn, dense = st.models.jet_cnn(), st.models.jet_dense()
    assert cnn.count_params() == 93_314
    assert dense.count_params() == pytest.approx(cnn.count_params(), rel=0.06)
    assert cnn.layers[0].name == "conv_1"


def test_augmentation_is_of_training_only_and_saves_as_plain_keras(tmp_path) -> None:
    model = st.models.jet_cnn(mirror=True, smear=0.2, lose=0.1)
    plain = st.models.jet_cnn()
    plain.set_weights(model.get_weights()[-len(plain.get_weights()) :])
    answers = model.predict(IMAGES, verbose=0)
    np.testing.assert_allclose(answers, plain.predict(IMAGES, verbose=0), atol=1e-6)
    history = model.fit(IMAGES, np.eye(2)[np.arange(64) % 2], batch_size=32, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    model.save(tmp_path / "tagger.keras")
    answers = model.predict(IMAGES, verbose=0)
    loaded = keras.saving.load_model(tmp_path / "tagger.keras")
    np.testing.assert_allclose(loaded.predict(IMAGES, verbose=0), answers, atol=1e-5)


def test_each_augmentation_does_what_it_says() -> None:
    keras.utils.set_random_seed(4)
    model = st.models.jet_cnn(mirror=True, smear=0.2, lose=0.25)
    mirror, smear, lose = (model.get_layer(name) for name in ("mirror", "smear", "lose"))
    mirrored = np.asarray(mirror(IMAGES, training=True))
    flipped = np.array(
        [np.array_equal(a, b[:, ::-1]) for a, b in zip(mirrored, IMAGES, strict=True)]
    )
    kept = np.array([np.array_equal(a, b) for a, b in zip(mirrored, IMAGES, strict=True)])
    assert (flipped ^ kept).all()
    assert 0.25 < flipped.mean() < 0.75
    factors = np.asarray(smear(IMAGES, training=True)) / IMAGES
    assert factors.mean() == pytest.approx(1, abs=0.01)
    assert factors.std() == pytest.approx(0.2, rel=0.02)
    assert (np.asarray(lose(IMAGES, training=True)) == 0).mean() == pytest.approx(0.25, abs=0.01)
