"""The lecture networks that are measured, described without any library, and their inputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Convolution:
    """3x3 kernels, stride 1, no padding, bias, relu."""

    filters: int
    kernel_size: int = 3


@dataclass(frozen=True)
class MaxPooling:
    """2x2 windows, stride 2."""

    size: int = 2


@dataclass(frozen=True)
class Flatten:
    """Rows, columns, channels become one axis, in this order."""


@dataclass(frozen=True)
class Dense:
    """Fully connected, with bias; ``"logits"`` is no activation."""

    neurons: int
    activation: Literal["relu", "softmax", "logits"]


Layer = Convolution | MaxPooling | Flatten | Dense
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Workload:
    """One network of the lectures and how it is trained.

    `images` are trained in one epoch; `epochs` are the lecture's training (or a part of it, where
    the whole would take minutes): the job whose whole-process time is reported.
    """

    key: str
    title: str
    image_shape: tuple[int, int, int]
    layers: tuple[Layer, ...]
    batch_size: int
    optimizer: Literal["adam", "sgd"]
    learning_rate: float
    l2: float
    images: int
    epochs: int

    def shapes(self) -> Iterator[tuple[Layer, Shape, Shape]]:
        """Yield each layer with its input and output shape, without the batch axis."""
        shape: Shape = self.image_shape
        for layer in self.layers:
            before = shape
            match layer:
                case Convolution(filters=filters, kernel_size=k):
                    shape = (shape[0] - k + 1, shape[1] - k + 1, filters)
                case MaxPooling(size=size):
                    shape = (shape[0] // size, shape[1] // size, shape[2])
                case Flatten():
                    shape = (int(np.prod(shape)),)
                case Dense(neurons=neurons):
                    shape = (neurons,)
            yield layer, before, shape

    @property
    def steps(self) -> int:
        """Batches in an epoch; the last may be a part of one."""
        return -(-self.images // self.batch_size)


WORKLOADS = {
    workload.key: workload
    for workload in (
        Workload(
            key="N1",
            title="Heidelberg, MNIST",
            image_shape=(28, 28, 1),
            layers=(
                Convolution(32),
                MaxPooling(),
                Flatten(),
                Dense(32, "relu"),
                Dense(10, "softmax"),
            ),
            batch_size=64,
            optimizer="adam",
            learning_rate=1e-3,
            l2=0.0,
            images=19_200,
            epochs=3,
        ),
        Workload(
            key="N10",
            title="ISGC, MNIST",
            image_shape=(28, 28, 1),
            layers=(Convolution(64), Convolution(32), Flatten(), Dense(10, "softmax")),
            batch_size=32,
            optimizer="adam",
            learning_rate=1e-3,
            l2=0.0,
            images=3_200,
            epochs=3,
        ),
        Workload(
            key="N12",
            title="Oslo, digits",
            image_shape=(8, 8, 1),
            layers=(
                Convolution(10),
                MaxPooling(),
                Flatten(),
                Dense(50, "relu"),
                Dense(10, "softmax"),
            ),
            batch_size=100,
            optimizer="sgd",
            learning_rate=0.1,
            l2=1e-3,
            images=1_437,
            epochs=100,
        ),
        Workload(
            key="N14",
            title="Oslo, CIFAR-10",
            image_shape=(32, 32, 3),
            layers=(
                Convolution(32),
                MaxPooling(),
                Convolution(64),
                MaxPooling(),
                Convolution(64),
                Flatten(),
                Dense(64, "relu"),
                Dense(10, "logits"),
            ),
            batch_size=32,
            optimizer="adam",
            learning_rate=1e-3,
            l2=0.0,
            images=6_400,
            epochs=2,
        ),
    )
}


@dataclass(frozen=True, eq=False)
class Inputs:
    """What every program gets alike: initial weights, images and labels.

    `weights` holds kernel and bias of each layer that has them, in order: a kernel is
    (row, column, channel, filter) or (input, neuron). `pixels` is (n, row, column, channel) uint8.
    """

    weights: tuple[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]], ...]
    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int32]

    @property
    def images(self) -> npt.NDArray[np.float32]:
        """The pixels as float32 in [0, 1]."""
        return self.pixels.astype(np.float32) / np.float32(255)

    def first(self, n: int) -> Inputs:
        """Return the same weights with the first `n` images."""
        return replace(self, pixels=self.pixels[:n], labels=self.labels[:n])


def make_inputs(workload: Workload, seed: int = 0) -> Inputs:
    """Draw initial weights (Glorot uniform, biases 0), random images and random labels.

    Noise serves here, because the time of a training step does not depend on what is on the
    images; what the network learns from it means nothing.
    """
    random = np.random.default_rng([seed, *workload.image_shape, workload.images])
    weights = []
    classes = 0
    for layer, before, after in workload.shapes():
        match layer:
            case Convolution(filters=filters, kernel_size=k):
                shape: Shape = (k, k, before[-1], filters)
            case Dense(neurons=neurons):
                shape = (before[0], neurons)
                classes = neurons
            case _:
                continue
        window = int(np.prod(shape[:-2]))
        limit = np.sqrt(6 / (window * (shape[-2] + shape[-1])))
        kernel = random.uniform(-limit, limit, shape).astype(np.float32)
        weights.append((kernel, np.zeros(after[-1], np.float32)))
    pixels = random.integers(0, 256, (workload.images, *workload.image_shape), dtype=np.uint8)
    labels = random.integers(0, classes, workload.images, dtype=np.int32)
    return Inputs(tuple(weights), pixels, labels)


def save_inputs(inputs: Inputs, path: Path) -> None:
    """Write the inputs where each program's process reads them."""
    weights: dict[str, Any] = {
        f"{name}{i}": array
        for i, pair in enumerate(inputs.weights)
        for name, array in zip(("kernel", "bias"), pair, strict=True)
    }
    np.savez(path, pixels=inputs.pixels, labels=inputs.labels, **weights)


def load_inputs(path: Path) -> Inputs:
    """Read what `save_inputs` wrote."""
    with np.load(path, allow_pickle=False) as file:
        layers = sum(name.startswith("kernel") for name in file.files)
        weights = tuple((file[f"kernel{i}"], file[f"bias{i}"]) for i in range(layers))
        return Inputs(weights, file["pixels"], file["labels"])
