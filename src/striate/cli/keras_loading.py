"""Loading Keras, which takes a second or two, for the commands that build a network."""

from __future__ import annotations

import importlib
import os

from striate.cli import output


def load_keras() -> None:
    """Load Keras and the engine, saying so on a terminal, and say if no kernels are compiled."""
    with output.waiting("loading Keras ..."):
        importlib.import_module("striate.engine")
    from striate.kernels import native

    reason = native.why_not()
    # Whoever has switched them off knows.
    if reason is not None and os.environ.get("STRIATE_KERNELS") != "reference":
        output.note(f"striate: slower than it could be: {reason}")
