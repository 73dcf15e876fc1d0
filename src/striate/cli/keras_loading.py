"""Loading Keras, which takes a second or two, for the commands that build a network."""

from __future__ import annotations

from striate.cli import output


def load_keras() -> None:
    """Load Keras, and keep compiled programs from the first one on.

    Keras compiles a program for the initial weights of each layer, before any training begins.
    """
    with output.waiting("loading Keras ..."):
        from striate.engine import cache

        cache.enable()
