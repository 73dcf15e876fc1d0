"""Loading Keras, which takes a second or two, for the commands that build a network."""

from __future__ import annotations

import importlib

from striate.cli import output


def load_keras() -> None:
    """Load Keras and the engine, saying so on a terminal."""
    with output.waiting("loading Keras ..."):
        importlib.import_module("striate.engine")
