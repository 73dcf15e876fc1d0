import json
import math
import subprocess
import sys
from dataclasses import dataclass, field

import keras
import numpy as np
import pytest
from keras import layers

import striate as st
from striate.data import Dataset
from striate.errors import StriateError
from striate.evaluation import evaluate
from striate.explain.run import Explainer


def blobs(n_train=200, n_test=100, noise=0.3, classes=3, seed=0, **more):
    """Return images of one bright column each, which is the class, under noise."""
    random = np.random.default_rng(seed)

    def images_and_labels(n):
        labels = np.arange(n) % classes
        images = random.random((n, 4, 4)) * noise
        images[np.arange(n), :, labels] += 1 - noise
        return images, labels

    x_train, y_train = images_and_labels(n_train)
    x_test, y_test = images_and_labels(n_test)
    return Dataset.from_arrays(
        x_train,
        y_train,
        x_test,
        y_test,
        **({"class_names": ["left", "middle", "right"][:classes], "name": "blobs"} | more),
    )


@dataclass
class Reads:
    """A network that needs no training: it answers with the columns' brightness."""

    sharpness: float = 50.0
    name: str = "reader"
    asked: list = field(default_factory=list)

    def predict(self, images, batch_size, verbose):
        self.asked.append(len(images))
        columns = images[..., 0].mean(axis=1)[:, :3]
        return columns * self.sharpness


@dataclass
class TrainedRun:
    model: object
    history: dict
    config: dict


def dense(*stack, data, seed=0, **compile_arguments):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input(data.image_shape), layers.Flatten(), *stack])
    model.compile(
        **({"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]} | compile_arguments)
    )
    return model


def test_anything_with_predict_is_evaluated():
    data = blobs()
    result = evaluate(Reads(), data)
    assert result.name == "reader"
    assert result.class_names == ("left", "middle", "right")
    assert result.accuracy == 1
    assert result.labels.tolist() == data.test.labels.tolist()
    assert result.notes == ("The outputs are logits: softmax was applied.",)
    assert result.training.train_images == 200
    assert result.training.verdict == "good"
    assert st.evaluate(Reads(), data, name="mine").name == "mine"


def test_keras_agrees_on_accuracy_and_loss():
    data = blobs(noise=0.9)
    keras.utils.set_random_seed(0)
    model = dense(layers.Dense(3, activation="softmax"), data=data, optimizer="adam")
    model.fit(data.train.images, data.train.labels, epochs=3, verbose=0)
    loss, accuracy = model.evaluate(data.test.images, data.test.labels, verbose=0)
    _, train_accuracy = model.evaluate(data.train.images, data.train.labels, verbose=0)
    result = evaluate(model, data)
    assert 0.3 < accuracy < 1
    assert result.accuracy == pytest.approx(accuracy)
    assert result.loss == pytest.approx(loss, rel=1e-5)
    assert result.training.train_accuracy == pytest.approx(train_accuracy)


def test_logits_and_single_outputs_of_real_networks():
    data = blobs(noise=0.9)
    from_logits = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model = dense(layers.Dense(3), data=data, loss=from_logits)
    result = evaluate(model, data)
    loss = model.evaluate(data.test.images, data.test.labels, verbose=0)[0]
    assert result.loss == pytest.approx(loss, rel=1e-5)

    two = blobs(classes=2, noise=0.9)
    model = dense(layers.Dense(1, activation="sigmoid"), data=two, loss="binary_crossentropy")
    result = evaluate(model, two)
    loss, accuracy = model.evaluate(two.test.images, two.test.labels, verbose=0)
    assert result.probabilities.shape == (100, 2)
    assert result.accuracy == pytest.approx(accuracy)
    assert result.loss == pytest.approx(loss, rel=1e-5)


def test_overtrained_network_is_called_so():
    data = blobs(n_train=60, n_test=600, noise=0.99, seed=4)
    random = np.random.default_rng(0)
    labels = data.train.labels.copy()
    # A third of the training labels is wrong, and there is room to learn them by heart.
    wrong = random.permutation(60)[:20]
    labels[wrong] = (labels[wrong] + 1) % 3
    noisy = Dataset.from_arrays(
        data.train.pixels, labels, data.test.pixels, data.test.labels, name="noisy"
    )
    model = dense(
        layers.Dense(300, activation="relu"),
        layers.Dense(3, activation="softmax"),
        data=noisy,
        optimizer=keras.optimizers.Adam(0.01),
    )
    model.fit(
        noisy.train.images,
        noisy.train.labels,
        epochs=60,
        verbose=0,
        validation_data=(noisy.test.images, noisy.test.labels),
    )
    training = evaluate(model, noisy).training
    assert training.verdict == "overtrained"
    assert training.train_accuracy > 0.9
    # The history of the model's own fit was found and read.
    assert any("epoch" in reason and "it rose" in reason for reason in training.reasons)


def test_network_trained_too_little_is_called_underfit():
    data = st.load("digits")
    keras.utils.set_random_seed(0)
    model = st.models.oslo_digits(learning_rate=1e-4)
    targets = keras.utils.to_categorical(data.train.labels, 10)
    model.fit(data.train.images, targets, epochs=2, batch_size=100, verbose=0)
    assert evaluate(model, data).training.verdict == "underfit"


def test_diverged_network_is_called_so_and_does_not_crash():
    data = blobs()
    model = dense(
        layers.Dense(3), data=data, optimizer=keras.optimizers.SGD(1e30), loss="mean_squared_error"
    )
    targets = keras.utils.to_categorical(data.train.labels, 3)
    model.fit(data.train.images, targets, epochs=2, verbose=0)
    result = evaluate(model, data)
    assert result.unanswered == 100
    assert result.accuracy == 0
    assert math.isnan(result.loss)
    assert result.training.verdict == "diverged"
    assert "300 image(s)" in result.training.reasons[0]
    assert result.notes[-1].startswith("100 of 100 test images are answered with NaN")
    json.dumps(result.as_dict(), allow_nan=False)


def test_run_gives_its_model_and_history():
    data = blobs()
    history = {"val_loss": [0.1, 0.5], "accuracy": [0.5, 0.99]}
    config = {"dataset": {"name": "blobs", "fingerprint": data.fingerprint}}
    result = evaluate(TrainedRun(Reads(), history, config), data)
    assert any("lowest, 0.1000, after epoch 1 of 2" in r for r in result.training.reasons)
    assert not any("other data" in note for note in result.notes)


def test_run_on_other_data_says_so():
    config = {"dataset": {"name": "blobs", "fingerprint": blobs(seed=1).fingerprint}}
    result = evaluate(TrainedRun(Reads(), {}, config), blobs(seed=2, name="new"))
    assert result.notes[0].startswith("The run was trained on other data ('blobs') than it is ")


def test_real_run(tmp_path):
    data = st.load("digits", limit=200)
    run = st.train(st.models.oslo_digits, data, epochs=3, batch_size=50, seed=1, directory=tmp_path)
    result = evaluate(run, data)
    assert result.name == "oslo_digits"
    assert result.accuracy == pytest.approx(run.history["val_accuracy"][-1])
    assert result.notes == ()
    assert any("of 3 and is" in reason for reason in result.training.reasons)
    assert evaluate(run, st.load("digits", limit=100)).notes[0].startswith("The run was trained on")


def test_data_may_be_a_name(tmp_path):
    run = st.train("oslo_digits", "digits", epochs=1, directory=tmp_path, verbose=0)
    evaluation, data = st.evaluate(run, "digits"), st.load("digits")
    assert evaluation.as_dict() == st.evaluate(run, data).as_dict()
    named = st.write_report(run, evaluation, "digits", tmp_path / "named")
    given = st.write_report(run, evaluation, data, tmp_path / "given")
    assert named.read_bytes() == given.read_bytes()
    pixels = [Explainer(run.model, of).explain(0).as_dict() for of in ("digits", data)]
    assert pixels[0] == pixels[1]


def test_training_images_may_be_limited_or_left_out():
    data = blobs(n_train=199)
    result = evaluate(Reads(), data, train_limit=50)
    assert result.training.train_images == 50
    assert "50 of the 199 training images, evenly spaced" in result.notes[-1]
    assert evaluate(Reads(), data, train_limit=1000).training.train_images == 199
    assert evaluate(Reads(), data, train_limit=0).training is None
    with pytest.raises(StriateError, match="must not be negative, but is -1"):
        evaluate(Reads(), data, train_limit=-1)


def test_limited_training_images_are_of_all_classes():
    random = np.random.default_rng(0)
    labels = np.sort(np.arange(300) % 3)  # sorted by class, as a folder is
    images = random.random((300, 4, 4))
    data = Dataset.from_arrays(images, labels, images, labels)
    result = evaluate(Reads(), data, train_limit=30)
    assert "(0.3333) to 1" in " ".join(result.training.reasons)


def test_weights_are_honoured():
    data = blobs(noise=0.95, w_train=np.ones(200), w_test=1.0 + np.arange(100) % 7)
    result = evaluate(Reads(), data)
    right = result.predictions == data.test.labels
    assert 0 < right.mean() < 1
    assert result.accuracy == pytest.approx(np.average(right, weights=data.test.weights))
    assert result.as_dict()["weighted"] is True


def test_large_splits_go_through_in_blocks():
    data = blobs(n_train=300, n_test=10_100)
    network = Reads()
    assert evaluate(network, data, train_limit=0).accuracy == 1
    assert network.asked == [10_000, 100]


def test_other_images_are_refused():
    model = dense(layers.Dense(3), data=blobs())
    with pytest.raises(StriateError) as caught:
        evaluate(model, st.load("digits"), name="dense")
    assert str(caught.value) == (
        "the network 'dense' takes images of shape (4, 4, 1), but those of 'digits' have "
        "(8, 8, 1): evaluate it on the data that it was made for, or train one with "
        "input_shape=(8, 8, 1)"
    )


def test_network_for_images_of_any_size_is_believed():
    image = keras.Input((None, None, 1))
    pooled = layers.GlobalMaxPooling2D()(layers.Conv2D(3, 2)(image))
    assert evaluate(keras.Model(image, pooled), blobs()).probabilities.shape == (100, 3)


def test_other_classes_are_refused():
    data = blobs()
    with pytest.raises(
        StriateError, match=r"shape \(5,\) for an image, but the data has 3 classes"
    ):
        evaluate(dense(layers.Dense(5), data=data), data)
    with pytest.raises(StriateError, match="its last layer needs 3 units"):
        evaluate(dense(layers.Dense(1), data=data), data)


def test_several_outputs_are_refused():
    data = blobs()
    image = keras.Input(data.image_shape)
    flat = layers.Flatten()(image)
    model = keras.Model(image, [layers.Dense(3)(flat), layers.Dense(1)(flat)], name="two")
    with pytest.raises(StriateError, match="'two' has 2 outputs, but an evaluation needs one"):
        evaluate(model, data)


def test_what_cannot_be_evaluated_is_refused():
    with pytest.raises(StriateError, match="type str: give one run, as st"):
        evaluate("runs/first", blobs())


def test_evaluation_needs_neither_keras_nor_scikit_learn_to_be_imported():
    script = (
        "import sys, striate.evaluation;"
        "print(sorted({'keras', 'jax', 'sklearn', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
