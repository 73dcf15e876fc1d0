"""The packages that simulation and clustering need, which come with the extra ``jets``."""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Iterator
from types import ModuleType

from striate.errors import StriateError


def required(name: str, purpose: str) -> ModuleType:
    """Import a package of the extra ``jets``.

    Raises
    ------
    StriateError
        If it is not installed; says how to install it.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != name:
            raise
        raise StriateError(f"{purpose} needs {name}: pip install 'striate[jets]'") from None


@contextlib.contextmanager
def silent_banners() -> Iterator[None]:
    """Keep what C++ libraries print, such as fastjet's banner, out of standard output."""
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(nowhere)
        os.close(kept)
