"""What striate makes of Keras: its JAX backend, and the class that networks are made of."""

from __future__ import annotations

import importlib
import os
import random
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# A function that builds a network may build others with seeds of their own.
_SEEDED = threading.RLock()


def select() -> None:
    """Make Keras use JAX.

    Keras reads ``KERAS_BACKEND`` once, when it is imported, and prefers it to its own
    configuration file; so setting it is enough, whatever else is installed.

    Raises
    ------
    ImportError
        If Keras is already loaded with another backend.
    """
    keras = sys.modules.get("keras")
    if keras is not None and hasattr(keras, "backend"):
        used = keras.backend.backend()
        if used != "jax":
            raise ImportError(
                f"striate needs Keras's JAX backend, but Keras is already loaded with {used!r}: "
                "import striate before keras, or set KERAS_BACKEND=jax before Python starts"
            )
        return
    asked = os.environ.get("KERAS_BACKEND", "jax")
    if asked != "jax":
        warnings.warn(
            f"KERAS_BACKEND={asked} is set, but striate runs on JAX: using KERAS_BACKEND=jax",
            stacklevel=3,
        )
    os.environ["KERAS_BACKEND"] = "jax"


@contextmanager
def without_tensorflow() -> Iterator[None]:
    """Keep Keras from importing TensorFlow where it is installed but nobody has imported it.

    Seeding and saving do so, on any backend, to seed it too and to ask whether something is one of
    its objects; that takes seconds.
    """
    lazy = importlib.import_module("keras.src.utils.module_utils").tensorflow
    if "tensorflow" in sys.modules or getattr(lazy, "_available", False) is not None:
        yield
        return
    lazy._available = False
    try:
        yield
    finally:
        lazy._available = None


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed every generator, for a network that is built meanwhile; one thread at a time.

    Keras draws the seeds of its layers from Python's generator for the whole process. In the main
    thread that is so here, too, and a function may draw from it between its layers. Networks that
    are built in other threads, as those of scans, have company: those of a Dask worker draw from
    it at any time. There Keras draws the same numbers from a generator that nobody else knows.
    """
    keras = importlib.import_module("keras")
    drawing: Any = importlib.import_module("keras.src.random.seed_generator")
    with _SEEDED:
        with without_tensorflow():
            keras.utils.set_random_seed(seed)
        shared = drawing.python_random
        if threading.current_thread() is not threading.main_thread():
            drawing.python_random = random.Random(seed)  # noqa: S311 - no secret
        try:
            yield
        finally:
            drawing.python_random = shared


def sequential_class() -> Any:
    """Return the class that the networks of the lectures are made of: the compiled one.

    Definitions of networks come before the engine in the order of the stages, and may not import
    it; this is the one place where they meet.
    """
    return importlib.import_module("striate.engine").Sequential
