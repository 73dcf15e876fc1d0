"""What all tests share: a compilation cache of their own and JAX at its strictest."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

# Subprocesses inherit it; the user's own cache is neither read nor filled by tests.
os.environ.setdefault(
    "JAX_COMPILATION_CACHE_DIR", str(Path(tempfile.gettempdir()) / "striate-tests-compiled")
)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")

import striate  # noqa: F401 - selects Keras's backend before any test imports Keras


@pytest.fixture(scope="session")
def data_directory() -> Path:
    """The directory that STRIATE_DATA names; tests that need real data sets skip without it."""
    value = os.environ.get("STRIATE_DATA")
    if not value:
        pytest.skip("set STRIATE_DATA to a directory with mnist/, fashion_mnist/ and cifar10/")
    return Path(value)
