"""Images with labels, in a training, a validation and a test split: what all stages are given."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from striate.data import contents
from striate.data.source import RawSplit, Source
from striate.errors import StriateError


@dataclass(frozen=True, eq=False)
class Split:
    """One split of a dataset: images, labels, and what else is known of each image.

    The arrays are read-only, because a dataset's fingerprint speaks for them.

    Attributes
    ----------
    pixels
        ``(n, row, col, channel)``: uint8 with full scale 255, or float32 in [0, 1].
    labels
        ``(n,)`` int32 class numbers from 0.
    weights
        ``(n,)`` float32 event weights, of either sign; or None.
    observables
        Further quantities by name, each ``(n,)``, e.g. ``pt_gev``.
    """

    pixels: np.ndarray
    labels: np.ndarray
    weights: np.ndarray | None = None
    observables: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        pixels = contents.image_array(self.pixels, "pixels", channel_axis=-1)
        if pixels.dtype != np.uint8:
            if pixels.dtype != np.float32:
                raise StriateError(
                    f"pixels must be uint8 or float32, not {pixels.dtype}: "
                    "Dataset.from_arrays converts them"
                )
            contents.refuse_not_finite(pixels, "pixels")
            if pixels.min() < 0 or pixels.max() > 1:
                raise StriateError(
                    f"float32 pixels must lie in [0, 1], but run from {pixels.min():g} to "
                    f"{pixels.max():g}: Dataset.from_arrays scales them"
                )
        labels = np.asarray(self.labels)
        if labels.dtype != np.int32 or labels.ndim != 1:
            raise StriateError(
                f"labels must be int32 of shape (n,), not {labels.dtype} of shape {labels.shape}: "
                "Dataset.from_arrays converts them"
            )
        columns = {"labels": labels}
        if self.weights is not None:
            weights = np.asarray(self.weights)
            if weights.dtype.kind not in "buif":
                raise StriateError(f"weights must be numbers, not {weights.dtype}")
            weights = weights.astype(np.float32)
            contents.refuse_not_finite(weights, "weights", "weight")
            columns["weights"] = weights
            object.__setattr__(self, "weights", _read_only(weights))
        observables = {name: np.asarray(value) for name, value in self.observables.items()}
        for name, column in observables.items():
            if column.dtype.kind not in "buif":
                raise StriateError(f"observable {name!r} must hold numbers, not {column.dtype}")
        for name, column in (columns | observables).items():
            if column.shape != (len(pixels),):
                raise StriateError(
                    f"{len(pixels)} images but {name} of shape {column.shape}: one for each image"
                )
        object.__setattr__(self, "pixels", _read_only(pixels))
        object.__setattr__(self, "labels", _read_only(labels))
        object.__setattr__(
            self, "observables", {name: _read_only(value) for name, value in observables.items()}
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # Through the constructor, so that a copy in another process is read-only as well.
        return Split, (self.pixels, self.labels, self.weights, self.observables)

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def images(self) -> np.ndarray:
        """The images as float32 ``(n, row, col, channel)`` in [0, 1]; made once, then kept."""
        if self.pixels.dtype != np.uint8:
            return self.pixels
        return _read_only(self.pixels.astype(np.float32) / np.float32(255))

    def take(self, indices: np.ndarray) -> Split:
        """Return the split that holds the images at `indices`, in that order."""
        return Split(
            self.pixels[indices],
            self.labels[indices],
            None if self.weights is None else self.weights[indices],
            {name: value[indices] for name, value in self.observables.items()},
        )


def _read_only(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled images for training, validation and test, with where they came from.

    Attributes
    ----------
    train, validation, test
        The splits; validation may be None.
    class_names
        The name of each class, in the order of the labels.
    name
        A short name.
    provenance
        What is known of the origin, as JSON can hold it: ``source``, ``files`` with SHA-256,
        ``split`` (how, seed), ``scaling``, ``licence``, ``notes`` (sentences); of jets also
        ``image``, the options of their images.

    Raises
    ------
    StriateError
        If the splits differ in image shape, a label is not of a class, or a class has no
        training image.
    """

    train: Split
    validation: Split | None
    test: Split
    class_names: tuple[str, ...]
    name: str
    provenance: Mapping[str, Any]

    def __post_init__(self) -> None:
        object.__setattr__(self, "class_names", tuple(self.class_names))
        object.__setattr__(self, "provenance", dict(self.provenance))
        if len(self.class_names) < 2:
            raise StriateError(f"{self.name}: a network needs two classes or more")
        if len(set(self.class_names)) < len(self.class_names):
            raise StriateError(f"{self.name}: two classes have the same name")
        for where, split in self.splits.items():
            if split.pixels.shape[1:] != self.image_shape:
                raise StriateError(
                    f"{self.name}: {where} images have shape {split.pixels.shape[1:]}, "
                    f"training images {self.image_shape}"
                )
            if split.labels.min() < 0 or split.labels.max() >= self.classes:
                raise StriateError(
                    f"{self.name}: {where} has labels from {split.labels.min()} to "
                    f"{split.labels.max()}, but there are {self.classes} classes"
                )
        counts = np.bincount(self.train.labels, minlength=self.classes)
        if not counts.all():
            raise StriateError(
                f"{self.name}: class {self.class_names[int(counts.argmin())]!r} "
                "has no training image: add some, or leave the class out"
            )

    @property
    def splits(self) -> dict[str, Split]:
        """The splits that exist, by name."""
        named = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: split for name, split in named.items() if split is not None}

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Rows, columns and channels of every image."""
        return self.train.pixels.shape[1:]

    @property
    def classes(self) -> int:
        """The number of classes."""
        return len(self.class_names)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over all contents, whatever file they came from; computed when first asked."""
        digest = hashlib.sha256()
        digest.update(json.dumps(["striate dataset 1", self.class_names]).encode())
        for where, split in self.splits.items():
            columns = {"pixels": split.pixels, "labels": split.labels}
            if split.weights is not None:
                columns["weights"] = split.weights
            columns |= {f"observables/{k}": v for k, v in sorted(split.observables.items())}
            for name, values in columns.items():
                little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
                head = [where, name, little.dtype.str, little.shape]
                digest.update(json.dumps(head).encode())
                digest.update(little.data)
        return digest.hexdigest()

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(split)} {where}" for where, split in self.splits.items())
        shape = " x ".join(str(side) for side in self.image_shape)
        return f"Dataset({self.name!r}: {sizes}; images {shape}; {self.classes} classes)"

    @classmethod
    def from_arrays(
        cls,
        x_train: Any,
        y_train: Any,
        x_test: Any = None,
        y_test: Any = None,
        x_validation: Any = None,
        y_validation: Any = None,
        *,
        w_train: Any = None,
        w_test: Any = None,
        w_validation: Any = None,
        class_names: Sequence[str] | None = None,
        name: str = "arrays",
        seed: int = 0,
        test: float | None = None,
        validation: float = 0.0,
        limit: int | None = None,
        scale: float | None = None,
        channel_axis: int | None = None,
    ) -> Dataset:
        """Make a dataset of arrays that are in memory.

        Parameters
        ----------
        x_train, x_test, x_validation
            Images ``(n, row, col)`` or ``(n, row, col, channel)``, numbers from 0; whole numbers
            are divided by 16, 255 or 65535, other values above 1 by the largest, and the
            provenance says so. Without `x_test`, a test split is drawn from the training images.
        y_train, y_test, y_validation
            Labels: class numbers ``(n,)`` or ``(n, 1)``, one-hot rows ``(n, classes)``, or names.
        w_train, w_test, w_validation
            Event weights ``(n,)``.
        class_names
            Names in the order of the class numbers.
        name
            A short name.
        seed, test, validation
            Seed, and share (a fraction, or a number of images) of a test split to be drawn where
            none is given, 0.2 if None, and of a validation split; stratified.
        limit
            Take at most this many images of each given set, stratified; None for all.
        scale
            The full scale to divide by, in place of the one found.
        channel_axis
            The axis of the channels, where it is not the last.

        Raises
        ------
        StriateError
            For whatever :mod:`striate.data.contents` refuses.

        Examples
        --------
        >>> import numpy as np
        >>> x = np.zeros((20, 8, 8)); x[::2, 3:5] = 1
        >>> Dataset.from_arrays(x, np.arange(20) % 2)
        Dataset('arrays': 16 train, 4 test; images 8 x 8 x 1; 2 classes)
        """
        raw = {"train": RawSplit(x_train, y_train, w_train, where="train")}
        for where, x, y, w in (
            ("validation", x_validation, y_validation, w_validation),
            ("test", x_test, y_test, w_test),
        ):
            if (x is None) != (y is None):
                raise StriateError(f"{where}: give both images and labels, or neither")
            if x is not None:
                raw[where] = RawSplit(x, y, w, where=where)
        # Assembly makes Datasets, so it can be imported only once this class exists.
        from striate.data.assembly import assemble

        return assemble(
            Source(raw, name=name, origin="arrays in memory"),
            class_names=class_names,
            seed=seed,
            test=test,
            validation=validation,
            limit=limit,
            scale=scale,
            channel_axis=channel_axis,
        )
