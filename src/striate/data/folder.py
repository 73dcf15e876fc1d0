"""A folder of images, one folder inside for each class."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from striate.data.source import RawSplit, Source, one_line
from striate.errors import StriateError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm"}
)
_SPLITS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
}
_ORIENTATION = 0x0112
_GREY = frozenset({"1", "L", "LA", "I", "I;16", "I;16B", "F"})


def read_folder(path: Path, *, resize: tuple[int, int] | None = None) -> Source:
    """Read images from ``class/*.png``, or ``train/class/*.png`` and ``test/class/*.png``.

    Classes are the folders' names, sorted. Pictures are grey if all are, else red, green, blue;
    transparency is dropped; a picture is turned upright as its camera noted. Files are read in
    the order of their names, so that the images are sorted by class.

    Parameters
    ----------
    path
        The folder.
    resize
        Rows and columns to bring every picture to (bilinear); without it all must have the same.

    Raises
    ------
    StriateError
        If a class has no picture, a picture cannot be read, or sizes differ.
    """
    places = _places(path)
    class_names = [folder.name for folder in _folders(places["train"])]
    if not class_names:
        raise StriateError(
            f"{path}: no folders in it: a folder of images has one folder for each class"
        )
    splits, files, skipped = {}, [], 0
    for split, place in places.items():
        pictures, labels, others = _pictures(place, class_names)
        skipped += others
        splits[split] = RawSplit(_Pictures.look(pictures, resize), labels, where=str(place))
        size = sum(picture.stat().st_size for picture in pictures)
        files.append({"name": place.name, "pictures": len(pictures), "bytes": size})
    if len({images.images.grey for images in splits.values()}) > 1:
        raise StriateError(f"{path}: the pictures of one split are grey, those of another coloured")
    notes = [f"{skipped} files that are not pictures were skipped."] if skipped else []
    if resize:
        notes.append(f"Pictures were resized to {resize[0]} x {resize[1]}, bilinear.")
    return Source(
        splits, name=path.name, origin=str(path), class_names=class_names, files=files, notes=notes
    )


def _places(path: Path) -> dict[str, Path]:
    """Find the folder of each split, which is `path` itself if it is not divided."""
    inside = _folders(path)
    divided = {
        _SPLITS[folder.name.lower()]: folder for folder in inside if folder.name.lower() in _SPLITS
    }
    if not divided:
        return {"train": path}
    strays = [folder.name for folder in inside if folder not in divided.values()]
    if strays:
        raise StriateError(
            f"{path}: has splits ({', '.join(f.name for f in divided.values())}) and also "
            f"{strays[0]!r}: keep one folder for each split, or one for each class"
        )
    if "train" not in divided:
        raise StriateError(f"{path}: has no folder 'train' beside {inside[0].name!r}")
    return divided


def _folders(path: Path) -> list[Path]:
    return sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))


def _pictures(place: Path, class_names: Sequence[str]) -> tuple[list[Path], np.ndarray, int]:
    extra = {folder.name for folder in _folders(place)} - set(class_names)
    if extra:
        raise StriateError(f"{place}: class {min(extra)!r} is not among the training classes")
    pictures: list[Path] = []
    labels: list[int] = []
    others = 0
    for number, name in enumerate(class_names):
        folder = place / name
        inside = sorted(folder.iterdir()) if folder.is_dir() else []
        shown = [p for p in inside if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")]
        if not shown:
            raise StriateError(
                f"{folder}: class {name!r} has no image: add some "
                f"({' '.join(sorted(SUFFIXES))}), or remove the folder everywhere"
            )
        others += sum(not p.name.startswith(".") for p in inside) - len(shown)
        pictures += shown
        labels += [number] * len(shown)
    return pictures, np.array(labels, dtype=np.int32), others


@dataclass(frozen=True)
class _Pictures:
    """The pictures of one split, decoded when they are asked for."""

    paths: Sequence[Path]
    shape: tuple[int, ...]
    grey: bool
    resize: tuple[int, int] | None

    @classmethod
    def look(cls, paths: Sequence[Path], resize: tuple[int, int] | None) -> _Pictures:
        """Read the heads of all pictures: their sizes, and whether all are grey."""
        sizes: dict[tuple[int, int], Path] = {}
        counts: Counter[tuple[int, int]] = Counter()
        grey = True
        for path in paths:
            with _opened(path) as image:
                width, height = image.size
                if _lies_on_its_side(image):
                    width, height = height, width
                sizes.setdefault((height, width), path)
                counts[height, width] += 1
                grey = grey and image.mode in _GREY
        usual = counts.most_common(1)[0][0]
        for size, path in sizes.items():
            if resize is None and size != usual:
                raise StriateError(
                    f"{path}: {size[0]} x {size[1]} pixels, but most pictures have "
                    f"{usual[0]} x {usual[1]}: give resize=(rows, columns)"
                )
        shape = (len(paths), *(resize or usual), 1 if grey else 3)
        return cls(paths, shape, grey, resize)

    def read(self, rows: np.ndarray | None) -> np.ndarray:
        """Decode the pictures at `rows`."""
        chosen = range(len(self.paths)) if rows is None else [int(row) for row in rows]
        first = self._decode(self.paths[chosen[0]])
        images = np.empty((len(chosen), *self.shape[1:]), first.dtype)
        images[0] = first
        for i, row in enumerate(chosen[1:], start=1):
            decoded = self._decode(self.paths[row])
            if decoded.dtype != images.dtype:
                raise StriateError(
                    f"{self.paths[row]}: pixels are {decoded.dtype}, "
                    f"but {images.dtype} in {self.paths[chosen[0]]}"
                )
            images[i] = decoded
        return images

    def _decode(self, path: Path) -> np.ndarray:
        from PIL import Image, ImageOps

        with _opened(path) as image:
            upright = ImageOps.exif_transpose(image)
            if not self.grey:
                upright = upright.convert("RGB")
            elif upright.mode in ("1", "LA"):
                upright = upright.convert("L")
            if self.resize:
                upright = upright.resize(self.resize[::-1], Image.Resampling.BILINEAR)
            return np.asarray(upright).reshape(self.shape[1:])


def _lies_on_its_side(image: Image) -> bool:
    # Pillow decodes a whole PNG to look for a note of its orientation behind the pixels.
    if image.format == "PNG" and "exif" not in image.info:
        return False
    return int(image.getexif().get(_ORIENTATION, 1)) >= 5


@contextmanager
def _opened(path: Path) -> Iterator[Image]:
    """Open a picture; whatever is wrong with it becomes an error that names the file."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                yield image
    except StriateError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever a broken file makes them
        raise StriateError(
            f"{path}: the picture is broken ({one_line(error)}): replace or remove it"
        ) from None
