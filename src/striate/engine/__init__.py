"""Compiled training: a Keras model's own steps, in loops, with our ops swapped in."""

from striate.engine.grid import (
    GridProgram,
    accuracy_name,
    compile_grid,
    programs_at_once,
)
from striate.engine.memory import bytes_per_model
from striate.engine.model import Model, Sequential, accelerate
from striate.engine.program import Position, Program, Progress, compile_program
from striate.engine.report import EngineReport

__all__ = [
    "EngineReport",
    "GridProgram",
    "Model",
    "Position",
    "Program",
    "Progress",
    "Sequential",
    "accelerate",
    "accuracy_name",
    "bytes_per_model",
    "compile_grid",
    "compile_program",
    "programs_at_once",
]
