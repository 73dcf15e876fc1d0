"""The table of the lecture networks: where each comes from and how its lecture trains it."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from striate.errors import StriateError, nearest

if TYPE_CHECKING:
    from striate.data import Dataset


@dataclass(frozen=True)
class LectureModel:
    """One network of the lectures: its source, its data and its training.

    Attributes
    ----------
    name
        The function in `striate.models` that builds it, and its name on the command line.
    lecture, row
        The lecture it is taken from and the row in the list of what the lectures ask for.
    summary
        One line: the layers.
    dataset
        The dataset it is trained on in the lecture.
    epochs, batch_size
        The lecture's training; ours where the lecture leaves them open (the docstring says which).
    input_shape, classes
        What the network is built for unless told otherwise: (row, column, channel), and a number.
    smallest
        Smallest image, in pixels a side, that leaves every layer an output.
    module
        The module that holds the function.
    """

    name: str
    lecture: str
    row: str
    summary: str
    dataset: str
    epochs: int
    batch_size: int
    input_shape: tuple[int, int, int]
    classes: int
    smallest: int
    module: str = "striate.models.lectures"

    @property
    def function(self) -> Callable[..., Any]:
        """The function that builds the network; asking for it imports Keras."""
        function: Callable[..., Any] = getattr(importlib.import_module(self.module), self.name)
        return function

    def build(
        self,
        input_shape: Sequence[int] | None = None,
        classes: int | None = None,
        **arguments: Any,
    ) -> Any:
        """Build the network, compiled as in the lecture.

        Parameters
        ----------
        input_shape
            (row, column, channel) of an image; the lecture's when not given.
        classes
            Number of classes; the lecture's when not given.
        **arguments
            Further arguments of the function, such as ``l2`` or ``filters``.

        Returns
        -------
        striate.Sequential
            A `striate.Sequential`, compiled as the lecture compiles it.

        Raises
        ------
        StriateError
            If the images are too small for the network, or an argument has a wrong name.
        """
        shape = self.input_shape if input_shape is None else tuple(int(n) for n in input_shape)
        self._check_shape(shape)
        function = self.function
        known = inspect.signature(function).parameters
        for argument in arguments:
            if argument not in known:
                raise StriateError(
                    f"model {self.name!r} has no argument {argument!r}: {nearest(argument, known)}"
                )
        return function(shape, self.classes if classes is None else int(classes), **arguments)

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 3 or min(shape) < 1:
            raise StriateError(
                f"model {self.name!r} takes images of shape (row, column, channel), "
                f"but input_shape is {shape}: add or remove an axis"
            )
        rows, columns, channels = shape
        if min(rows, columns) >= self.smallest:
            return
        # One thin axis in front of a thick last one: the channel axis is in the wrong place.
        if min(rows, columns) <= 4 < channels:
            mended = (max(rows, columns), channels, min(rows, columns))
            hint = f"the channel axis comes last, did you mean {mended}?"
        else:
            fits = [m.name for m in REGISTRY.values() if m.smallest <= min(rows, columns)]
            hint = "models that fit: " + ", ".join(fits) if fits else "use larger images"
        raise StriateError(
            f"model {self.name!r} needs images of at least {self.smallest} x {self.smallest} "
            f"pixels, but these are {rows} x {columns} with {channels} channel(s): {hint}"
        )


def _table(*models: LectureModel) -> Mapping[str, LectureModel]:
    return MappingProxyType({model.name: model for model in models})


_HEIDELBERG = "J. Marks, Heidelberg, CNN, 2024"
_NTHU = "PHYS591000, NTHU, CNN, 2022"
_ISGC = "D. Bonacorsi, Lab on CNNs, ISGC 2021"
_OSLO = "M. Hjorth-Jensen, Oslo, Advanced ML for the physical sciences, 2023"
_OURS = "none: made to learn most in a minute or ten"
_MNIST = (28, 28, 1)
_JETS = (25, 25, 1)
_TAGGER = "striate.models.tagger"

REGISTRY: Mapping[str, LectureModel] = _table(
    LectureModel(
        "heidelberg",
        _HEIDELBERG,
        "N1",
        "Conv 32, pool, dense 32, dense 10",
        "mnist",
        epochs=3,
        batch_size=64,
        input_shape=_MNIST,
        classes=10,
        smallest=4,
    ),
    LectureModel(
        "heidelberg_improved",
        _HEIDELBERG,
        "N7",
        "Conv 64, pool, Conv 64, pool, dense 64, dense 10",
        "mnist",
        epochs=3,
        batch_size=64,
        input_shape=_MNIST,
        classes=10,
        smallest=10,
    ),
    LectureModel(
        "isgc",
        _ISGC,
        "N10",
        "Conv 64, Conv 32, dense 10",
        "mnist",
        epochs=3,
        batch_size=32,
        input_shape=_MNIST,
        classes=10,
        smallest=5,
    ),
    LectureModel(
        "oslo_digits",
        _OSLO,
        "N12",
        "Conv 10, pool, dense 50, dense 10, all with L2",
        "digits",
        epochs=100,
        batch_size=100,
        input_shape=(8, 8, 1),
        classes=10,
        smallest=4,
    ),
    LectureModel(
        "oslo_cifar10",
        _OSLO,
        "N14",
        "Conv 32, pool, Conv 64, pool, Conv 64, dense 64, dense 10 logits",
        "cifar10",
        epochs=10,
        batch_size=32,
        input_shape=(32, 32, 3),
        classes=10,
        smallest=18,
    ),
    LectureModel(
        "fashion_dense",
        _HEIDELBERG,
        "N4",
        "dense 256, dense 10 logits",
        "fashion_mnist",
        epochs=25,
        batch_size=128,
        input_shape=_MNIST,
        classes=10,
        smallest=1,
    ),
    LectureModel(
        "fashion_dropout",
        _HEIDELBERG,
        "N5",
        "dense 256, dropout, dense 10",
        "fashion_mnist",
        epochs=25,
        batch_size=128,
        input_shape=_MNIST,
        classes=10,
        smallest=1,
    ),
    LectureModel(
        "fashion_cnn",
        _HEIDELBERG,
        "N6",
        "Conv 32, pool, Conv 64, pool, dropout, dense 128, dropout, dense 10",
        "fashion_mnist",
        epochs=15,
        batch_size=64,
        input_shape=_MNIST,
        classes=10,
        smallest=10,
    ),
    LectureModel(
        "nthu_ox",
        _NTHU,
        "W3",
        "Conv 8, pool, dense 2",
        "ox",
        epochs=20,
        batch_size=32,
        input_shape=(6, 6, 1),
        classes=2,
        smallest=4,
    ),
    LectureModel(
        "jet_cnn",
        _NTHU,
        "N9",
        "Conv 32, pool, Conv 64, pool, Conv 64, pool, dense 64, dropout, dense 2",
        "jets",
        epochs=12,
        batch_size=128,
        input_shape=_JETS,
        classes=2,
        smallest=8,
        module=_TAGGER,
    ),
    LectureModel(
        "jet_dense",
        _NTHU,
        "N9",
        "dense 128, dropout, dense 64, dropout, dense 2",
        "jets",
        epochs=6,
        batch_size=128,
        input_shape=_JETS,
        classes=2,
        smallest=1,
        module=_TAGGER,
    ),
    LectureModel(
        "compact_cnn",
        _OURS,
        "best",
        "(Conv, pool, normalise) x 4 with 32, 64, 128, 256 filters, average, dense 10 logits",
        "cifar10",
        epochs=10,
        batch_size=128,
        input_shape=(32, 32, 3),
        classes=10,
        smallest=2,
        module="striate.models.compact",
    ),
)

_DEFAULTS = {
    "digits": "oslo_digits",
    "mnist": "heidelberg",
    "fashion_mnist": "fashion_cnn",
    "cifar10": "oslo_cifar10",
    "ox": "nthu_ox",
    "jets": "jet_cnn",
}


def lookup(name: str) -> LectureModel:
    """Return the entry of `REGISTRY` with this name; an unknown name gets the nearest ones."""
    try:
        return REGISTRY[name]
    except KeyError:
        raise StriateError(f"unknown model {name!r}: {nearest(name, REGISTRY)}") from None


def build(
    name: str,
    input_shape: Sequence[int] | None = None,
    classes: int | None = None,
    **arguments: Any,
) -> Any:
    """Build the lecture network `name`, for other images and classes where wanted.

    See `LectureModel.build` for the parameters and the errors.
    """
    return lookup(name).build(input_shape, classes, **arguments)


def default_model_for(name_or_path: str, data: Dataset | None = None) -> str:
    """Return the name of the network that a dataset is trained with unless another is named.

    A dataset that no lecture has (a path) gets ``jet_cnn`` if `data`, what is at the path, are
    images of jets and large enough; else ``heidelberg``, the smallest convolutional network of the
    lectures that takes images of any size from 4 x 4 on.
    """
    if name_or_path in _DEFAULTS:
        return _DEFAULTS[name_or_path]
    # What readers of jets say of their files, and no others.
    jets = data is not None and not {"simulation", "layout"}.isdisjoint(data.provenance)
    if data is not None and jets and min(data.image_shape[:2]) >= REGISTRY["jet_cnn"].smallest:
        return "jet_cnn"
    return "heidelberg"
