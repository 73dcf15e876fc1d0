"""The Heidelberg lecture's script in plain Keras: read MNIST, train three epochs, evaluate.

Run as ``python lecture_script.py DIRECTORY``, with the four IDX files of MNIST in the directory.
The backend is chosen by KERAS_BACKEND; nothing of striate is imported.
"""

import gzip
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers


def images(path: Path) -> Any:
    """Read images as (n, row, column, channel) in [0, 1]."""
    with gzip.open(path) as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16)
    return pixels.reshape(-1, 28, 28, 1).astype("float32") / 255


def labels(path: Path) -> Any:
    """Read labels as one-hot vectors."""
    with gzip.open(path) as file:
        return keras.utils.to_categorical(np.frombuffer(file.read(), np.uint8, offset=8), 10)


def main(directory: Path) -> None:
    """Train and evaluate."""
    x_train, y_train = (
        read(directory / f"train-{name}-ubyte.gz")
        for read, name in ((images, "images-idx3"), (labels, "labels-idx1"))
    )
    x_test, y_test = (
        read(directory / f"t10k-{name}-ubyte.gz")
        for read, name in ((images, "images-idx3"), (labels, "labels-idx1"))
    )
    model = keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    model.fit(
        x_train, y_train, batch_size=64, epochs=3, validation_data=(x_test, y_test), verbose=2
    )
    print(f"test accuracy {model.evaluate(x_test, y_test, verbose=0)[1]:.4f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
