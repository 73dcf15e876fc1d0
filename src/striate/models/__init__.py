"""The networks of the lectures, the table that names them, and the anatomy of any Keras model.

Importing this package does not import Keras: the table (`REGISTRY`, `build`, `default_model_for`)
is light, and the builders are loaded when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from striate.models.registry import REGISTRY, LectureModel, build, default_model_for, lookup

if TYPE_CHECKING:
    from striate.models.anatomy import Anatomy, LayerAnatomy
    from striate.models.augmentation import RandomShift
    from striate.models.compact import compact_cnn
    from striate.models.lectures import (
        fashion_cnn,
        fashion_dense,
        fashion_dropout,
        heidelberg,
        heidelberg_improved,
        isgc,
        nthu_ox,
        oslo_cifar10,
        oslo_digits,
    )
    from striate.models.tagger import jet_cnn, jet_dense

_HOMES = {name: model.module for name, model in REGISTRY.items()} | {
    "Anatomy": "striate.models.anatomy",
    "LayerAnatomy": "striate.models.anatomy",
    "RandomShift": "striate.models.augmentation",
}

__all__ = [
    "REGISTRY",
    "Anatomy",
    "LayerAnatomy",
    "LectureModel",
    "RandomShift",
    "build",
    "compact_cnn",
    "default_model_for",
    "fashion_cnn",
    "fashion_dense",
    "fashion_dropout",
    "heidelberg",
    "heidelberg_improved",
    "isgc",
    "jet_cnn",
    "jet_dense",
    "lookup",
    "nthu_ox",
    "oslo_cifar10",
    "oslo_digits",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'striate.models' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
