"""Training in a directory that remembers it: configuration, checkpoints, history, network.

Importing this package imports neither Keras nor JAX: what lists and reads runs is light, and what
trains is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from striate.runs.interrupt import Interrupted
from striate.runs.listing import RunSummary, list_runs
from striate.runs.observer import Lines, Observer
from striate.runs.run import Run, load
from striate.runs.seeds import Mean, Runs

if TYPE_CHECKING:
    from striate.runs.resuming import resume
    from striate.runs.training import train

_HOMES = {"resume": "striate.runs.resuming", "train": "striate.runs.training"}

__all__ = [
    "Interrupted",
    "Lines",
    "Mean",
    "Observer",
    "Run",
    "RunSummary",
    "Runs",
    "list_runs",
    "load",
    "resume",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'striate.runs' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
