"""Compiled training: a Keras model's own steps, in loops, with our ops swapped in."""

from striate.engine.model import Model, Sequential, accelerate
from striate.engine.report import EngineReport

__all__ = ["EngineReport", "Model", "Sequential", "accelerate"]
