"""A whole training as functions of state, epoch and step."""

from __future__ import annotations

import jax
import keras
import numpy as np
import pytest
from keras import layers

import striate as st
from striate.engine import Position, compile_program


def dataset(count=67, weights=None, as_bytes=True):
    random = np.random.default_rng(1)
    pixels = random.integers(0, 256, (count, 8, 7, 1)).astype(np.uint8)
    labels = np.arange(count).astype(np.int32) % 3
    pixels[labels == 1] //= 3
    if not as_bytes:
        pixels = pixels.astype(np.float32) / np.float32(255)
    split = st.Split(pixels, labels, weights)
    return st.Dataset(split, None, st.Split(pixels[:20], labels[:20]), ("a", "b", "c"), "made", {})


def network(seed=0, loss="categorical_crossentropy", units=3, optimizer="adam", **compiling):
    keras.utils.set_random_seed(seed)
    model = st.Sequential(
        [
            layers.Input((8, 7, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(units, activation="softmax"),
        ]
    )
    model.compile(optimizer, loss, metrics=["accuracy"], **compiling)
    return model


def trained(program, epochs=3, stops=()):
    """Train, interrupting after each chunk whose number is in `stops`."""
    state, position, chunk = program.start(), Position(), 0

    def stop(_):
        nonlocal chunk
        chunk += 1
        return chunk in stops

    while position.epoch < epochs:
        state, position, _ = program.run_epoch(state, position, stop)
        # As if it had been written to a file and read again.
        state = jax.tree.map(lambda a: jax.numpy.asarray(np.array(a)), state)
    return [np.array(a) for a in jax.tree.leaves(state)]


def assert_same_bits(first, second):
    for a, b in zip(first, second, strict=True):
        assert a.tobytes() == b.tobytes()


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    data = dataset()
    runs = [
        trained(compile_program(network(), data, batch_size=10, seed=seed)) for seed in (4, 4, 5)
    ]
    assert_same_bits(runs[0], runs[1])
    assert any(a.tobytes() != b.tobytes() for a, b in zip(runs[0], runs[2], strict=True))


def test_stopping_and_going_on_gives_the_same_bits(monkeypatch):
    """With dropout and batch normalisation, in the middle of epochs, at chunks of any length."""
    data = dataset()
    whole = trained(compile_program(network(), data, batch_size=10))
    monkeypatch.setattr("striate.engine.program.CHUNK_SECONDS", 0.0)  # chunks of one step
    cut = trained(compile_program(network(), data, batch_size=10), stops=(2, 3, 9, 15))
    assert_same_bits(whole, cut)


@pytest.mark.parametrize("as_bytes", [True, False])
def test_it_trains_as_fit_does(as_bytes):
    """In the same order of batches, with the partial last one, and validation."""
    data = dataset(as_bytes=as_bytes)
    model, program = network(), compile_program(network(), data, batch_size=10, shuffle=False)
    history = model.fit(
        data.train.images,
        np.eye(3)[data.train.labels],
        batch_size=10,
        epochs=2,
        shuffle=False,
        validation_data=(data.test.images, np.eye(3)[data.test.labels]),
        verbose=0,
    ).history
    state, position = program.start(), Position()
    for epoch in range(2):
        state, position, logs = program.run_epoch(state, position)
        assert position == Position(epoch + 1, 0)
        logs |= {f"val_{name}": value for name, value in program.validate(state).items()}
        for name, values in history.items():
            assert logs[name] == pytest.approx(values[epoch], rel=1e-5)
    program.attach(state)
    for a, b in zip(program.model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_weights_of_events_are_honoured():
    weights = np.linspace(0, 2, 67).astype(np.float32)
    data = dataset(weights=weights)
    model, program = network(), compile_program(network(), data, batch_size=67, shuffle=False)
    y = np.eye(3)[data.train.labels]
    history = model.fit(
        data.train.images, y, sample_weight=weights, batch_size=67, shuffle=False, verbose=0
    )
    _, _, logs = program.run_epoch(program.start(), Position())
    assert logs["loss"] == pytest.approx(history.history["loss"][0], rel=1e-5)


def test_the_order_depends_on_seed_and_epoch_alone():
    program = compile_program(network(), dataset(), batch_size=10, seed=3)
    np.random.seed(0)  # noqa: NPY002 - that the global state has no say is the point
    first = program.order(5)
    np.random.seed(1)  # noqa: NPY002
    np.testing.assert_array_equal(program.order(5), first)
    assert sorted(first) == list(range(67))
    assert list(program.order(6)) != list(first)


def test_the_model_keeps_its_variables_until_attached():
    model = network()
    before = model.get_weights()
    program = compile_program(model, dataset(), batch_size=10)
    state, _, _ = program.run_epoch(program.start(), Position())
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    program.attach(state)
    assert any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
    # The state is still the caller's.
    program.run_epoch(state, Position(1))
    assert np.isfinite(model.get_weights()[0]).all()


def test_progress_counts_steps_and_images():
    seen = []
    program = compile_program(network(), dataset(), batch_size=10)
    program.run_epoch(program.start(), Position(), lambda progress: seen.append(progress))
    assert [p.step for p in seen] == sorted({p.step for p in seen})
    assert seen[-1].step == seen[-1].steps == 7
    assert all(p.images_per_second > 0 for p in seen)


@pytest.mark.parametrize(
    ("loss", "units"),
    [
        ("sparse_categorical_crossentropy", 3),
        (keras.losses.SparseCategoricalCrossentropy(), 3),
        (keras.losses.CategoricalCrossentropy(), 3),
        ("mse", 3),
    ],
)
def test_labels_are_encoded_as_the_loss_needs(loss, units):
    program = compile_program(network(loss=loss, units=units), dataset(), batch_size=10)
    _, _, logs = program.run_epoch(program.start(), Position())
    assert np.isfinite(logs["loss"])
    assert 0 <= logs["accuracy"] <= 1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: network(units=4), "4 outputs, but the data have 3 classes"),
        (lambda: network(units=1, loss="binary_crossentropy"), "1 output, but the data have 3"),
        (lambda: network(run_eagerly=True), "run_eagerly"),
    ],
)
def test_a_model_that_does_not_fit_is_refused_in_one_line(make, words):
    with pytest.raises(st.StriateError, match=words) as error:
        compile_program(make(), dataset(), batch_size=10)
    assert "\n" not in str(error.value)


def test_a_model_for_other_images_is_refused():
    model = st.Sequential([layers.Input((8, 8, 1)), layers.Flatten(), layers.Dense(3)])
    model.compile("sgd", "mse")
    with pytest.raises(st.StriateError, match=r"\(8, 8, 1\).*\(8, 7, 1\)"):
        compile_program(model, dataset(), batch_size=10)
