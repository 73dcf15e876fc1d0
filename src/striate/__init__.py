"""Convolutional networks for physicists, from the convolution integral to a jet tagger.

The names below are the public interface; each is loaded when it is first used, so that importing
striate costs nothing. Importing striate also selects Keras's JAX backend, before Keras is loaded.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from typing import TYPE_CHECKING, Any

from striate import backend as _backend
from striate.errors import StriateError

_backend.select()

if TYPE_CHECKING:
    from striate import (
        convolution,
        data,
        engine,
        evaluation,
        explain,
        jets,
        kernels,
        models,
        plots,
        report,
        runs,
        scans,
    )
    from striate.data import Dataset, Split, load
    from striate.engine import Model, Sequential, accelerate
    from striate.evaluation import Evaluation, evaluate, evaluate_tagger
    from striate.report import write_report
    from striate.runs import Run, train
    from striate.scans import Ensemble, GridResult, ensemble, grid

__version__ = importlib.metadata.version("striate")

_HOMES = {
    "Dataset": "striate.data",
    "Ensemble": "striate.scans",
    "Evaluation": "striate.evaluation",
    "GridResult": "striate.scans",
    "Model": "striate.engine",
    "Run": "striate.runs",
    "Sequential": "striate.engine",
    "Split": "striate.data",
    "accelerate": "striate.engine",
    "ensemble": "striate.scans",
    "evaluate": "striate.evaluation",
    "evaluate_tagger": "striate.evaluation",
    "grid": "striate.scans",
    "load": "striate.data",
    "train": "striate.runs",
    "write_report": "striate.report",
}
_MODULES = frozenset(
    {
        "convolution",
        "data",
        "engine",
        "evaluation",
        "explain",
        "jets",
        "kernels",
        "models",
        "plots",
        "report",
        "runs",
        "scans",
    }
)

__all__ = [
    "Dataset",
    "Ensemble",
    "Evaluation",
    "GridResult",
    "Model",
    "Run",
    "Sequential",
    "Split",
    "StriateError",
    "accelerate",
    "convolution",
    "data",
    "engine",
    "ensemble",
    "evaluate",
    "evaluate_tagger",
    "evaluation",
    "explain",
    "grid",
    "jets",
    "kernels",
    "load",
    "models",
    "plots",
    "report",
    "runs",
    "scans",
    "train",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    elif name in _MODULES:
        value = importlib.import_module(f"striate.{name}")
    else:
        raise AttributeError(f"module 'striate' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
