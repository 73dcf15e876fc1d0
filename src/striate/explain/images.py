"""Images to explain with: built in, from a file, or one of a dataset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from striate.convolution import padding_example, worked_example
from striate.errors import StriateError, nearest

if TYPE_CHECKING:
    from striate.data import Dataset

Pixels = npt.NDArray[Any]

_FILES = {".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".npy"}


@dataclass(frozen=True, eq=False)
class Source:
    """An image, and what it is called.

    Attributes
    ----------
    name
        For titles.
    pixels
        (row, column), or (row, column, channel) in colour; whole numbers stay whole.
    """

    name: str
    pixels: Pixels

    @property
    def grey(self) -> Source:
        """The average of the channels."""
        if self.pixels.ndim == 2:
            return self
        return Source(f"{self.name} in grey", self.pixels.mean(axis=2))


def _edges() -> Pixels:
    return np.array([[10, 10, 10, 0, 0, 0]] * 6)


def _ramp() -> Pixels:
    return np.add.outer(np.arange(6), np.arange(6))


def _checker() -> Pixels:
    return np.indices((6, 6)).sum(axis=0) % 2


def _count() -> Pixels:
    return np.arange(1, 10).reshape(3, 3)


def _disc() -> Pixels:
    rows, columns = np.indices((12, 12)) - 5.5
    return (np.hypot(rows, columns) < 4.2).astype(int)


def _rgb() -> Pixels:
    """Return a red bar, a green bar and a blue square, 5x5."""
    pixels = np.zeros((5, 5, 3), int)
    pixels[:, 1, 0] = 1
    pixels[3, :, 1] = 1
    pixels[0:2, 3:5, 2] = 1
    return pixels


def _photo() -> Pixels:
    """Return scikit-learn's photograph of a flower (vultilion on Flickr, CC BY 2.0)."""
    from sklearn.datasets import load_sample_image

    return np.asarray(load_sample_image("flower.jpg"), float) / 255


IMAGES: dict[str, tuple[str, Callable[[], Pixels]]] = {
    "o": ("the lecture's O, 6x6", lambda: worked_example("O").image),
    "x": ("the lecture's X, 6x6", lambda: worked_example("X").image),
    "edges": ("a vertical edge, 6x6", _edges),
    "ramp": ("it rises to the lower right, 6x6", _ramp),
    "checker": ("a chessboard, 6x6", _checker),
    "count": ("the numbers 1 to 9, 3x3", _count),
    "disc": ("a disc, 12x12", _disc),
    "padding": ("the lecture's example of padding, 6x6", lambda: padding_example().image),
    "rgb": ("bars and a square in three colours, 5x5", _rgb),
    "photo": ("a flower in colour, 427x640 (vultilion on Flickr; CC BY 2.0)", _photo),
}
"""Name: what it shows, and what makes it."""


def source(word: str, load: Callable[[str], Dataset]) -> Source:
    """Return the image that a word means.

    Parameters
    ----------
    word
        A name, a path, or a dataset and the number of a test image, ``digits:3``.
    load
        What loads a dataset by its name.

    Raises
    ------
    StriateError
        If there is no such image, or it cannot be read.
    """
    if word in IMAGES:
        return Source(word, IMAGES[word][1]())
    path = Path(word).expanduser()
    if path.suffix.lower() in _FILES:
        return Source(path.stem, _read(path))
    dataset, colon, index = word.rpartition(":")
    if not colon:
        raise StriateError(
            f"unknown image {word!r}: {nearest(word, IMAGES)} Or give a file, or a dataset and a "
            "number, as digits:3"
        )
    if not index.isdecimal():
        raise StriateError(f"image {word!r}: write a dataset and a number, as digits:3")
    return _of_dataset(load(dataset), int(index))


def shrunk(image: Source, longest: int) -> Source:
    """Return the image with its longer side brought down to `longest` pixels, by averaging."""
    sides = image.pixels.shape[:2]
    if longest < 1:
        raise StriateError(f"an image cannot be shrunk to {longest} pixels: give 1 or more")
    if max(sides) <= longest:
        return image
    rows, columns = (max(1, round(side * longest / max(sides))) for side in sides)
    planes = image.pixels.astype(np.float32)
    planes = planes[..., None] if planes.ndim == 2 else planes
    small = np.stack(
        [
            np.asarray(Image.fromarray(plane).resize((columns, rows), Image.Resampling.BOX))
            for plane in np.moveaxis(planes, -1, 0)
        ],
        axis=-1,
    ).astype(float)
    return Source(image.name, small[..., 0] if image.pixels.ndim == 2 else small)


def _read(path: Path) -> Pixels:
    if not path.is_file():
        raise StriateError(f"no file {path}")
    if path.suffix.lower() == ".npy":
        return _read_array(path)
    try:
        with Image.open(path) as picture:
            colour = picture.mode not in ("1", "L", "LA", "I", "I;16", "F")
            pixels = np.asarray(picture.convert("RGB" if colour else "L"), float)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError) as error:
        raise StriateError(f"{path} cannot be read as a picture: {error}") from error
    return pixels / 255


def _read_array(path: Path) -> Pixels:
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise StriateError(f"{path} cannot be read as an array: {error}") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "buif":
        raise StriateError(f"{path} holds no array of numbers")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.size == 0 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
        raise StriateError(
            f"{path} has shape {array.shape}: give (row, column), or (row, column, 3) in colour"
        )
    if not np.all(np.isfinite(array)):
        raise StriateError(f"{path} holds NaN or infinity, which cannot be drawn")
    return array


def _of_dataset(data: Dataset, index: int) -> Source:
    test = data.test
    if index >= len(test):
        raise StriateError(
            f"image {index} is not among the {len(test)} test images of {data.name!r}: "
            f"give a number from 0 to {len(test) - 1}"
        )
    pixels = test.take(np.array([index])).images[0].astype(float)
    channels = pixels.shape[2]
    if channels not in (1, 3):
        raise StriateError(
            f"images of {data.name!r} have {channels} channels: only 1 or 3 are drawn"
        )
    name = f"{data.name}, test image {index}"
    return Source(name, pixels[..., 0] if channels == 1 else pixels)
