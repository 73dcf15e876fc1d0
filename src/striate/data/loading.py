"""Load a dataset by name, or from a path by the reader for its format."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from striate.data import standard
from striate.data.dataset import Dataset
from striate.errors import StriateError, nearest


def load(name_or_path: str | os.PathLike[str], **options: Any) -> Dataset:
    """Load a known dataset, or the images in a file or folder.

    Parameters
    ----------
    name_or_path
        ``"digits"``, ``"ox"``, ``"mnist"``, ``"fashion_mnist"``, ``"cifar10"``; or the path of an
        IDX file (``.gz`` or not) or a folder of them. A known name wins over a file of that name
        (write ``./digits`` for the file).
    **options
        For every dataset: ``seed=0``, ``validation=0.0`` (a fraction or number of training images
        to hold out), ``limit=None`` (at most so many images of each set in the source,
        stratified). Where the source has one set only: ``test=0.2``. Others belong to one
        reader and are described there.

    Raises
    ------
    StriateError
        If there is no such dataset or file, an option is unknown, or the contents are unsound.

    Examples
    --------
    >>> load("digits")
    Dataset('digits': 1437 train, 360 test; images 8 x 8 x 1; 10 classes)
    """
    text = os.fspath(name_or_path)
    if isinstance(name_or_path, str) and text in standard.KNOWN:
        return _call(standard.KNOWN[text], text, options)
    raise StriateError(f"unknown dataset {text!r}: {nearest(text, standard.KNOWN)}")


def _call(
    reader: Callable[..., Dataset], what: str, options: dict[str, Any], *path: Path
) -> Dataset:
    accepted = [
        name
        for name, parameter in inspect.signature(reader).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    for name in options:
        if name not in accepted:
            raise StriateError(f"{what} takes no option {name!r}: {nearest(name, accepted)}")
    return reader(*path, **options)
