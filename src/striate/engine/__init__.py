"""Compiled training: a Keras model's own steps, in loops, with our ops swapped in."""

from striate.engine.model import Model, Sequential, accelerate
from striate.engine.program import Position, Program, Progress, compile_program
from striate.engine.report import EngineReport

__all__ = [
    "EngineReport",
    "Model",
    "Position",
    "Program",
    "Progress",
    "Sequential",
    "accelerate",
    "compile_program",
]
