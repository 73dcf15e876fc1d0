from __future__ import annotations

import importlib.util

import pytest

from benchmarks.programs import PROGRAMS, Program, select
from striate.errors import StriateError


def test_the_beginning_of_names_stands_for_all_of_them() -> None:
    assert [p.name for p in select(["torch"])] == [
        "torch-eager-nchw",
        "torch-eager-nhwc",
        "torch-compile-nchw",
        "torch-compile-nhwc",
    ]


def test_a_full_name_is_one_program_and_none_comes_twice() -> None:
    assert [p.name for p in select(["keras-jax", "keras-jax", "striate-fit", "striate"])] == [
        "keras-jax",
        "striate-fit",
        "striate-train",
    ]


def test_a_misspelt_name_is_told_the_nearest() -> None:
    with pytest.raises(StriateError, match=r"unknown program 'keras-jaks'.*'keras-jax'"):
        select(["keras-jaks"])


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_has_its_module(name: str) -> None:
    assert importlib.util.find_spec(PROGRAMS[name].module) is not None


def test_missing_packages_are_named() -> None:
    program = Program("a", "A", "a", "benchmarks.peers.a", needs=("numpy", "no_such_package"))
    assert program.missing() == ["no_such_package"]


def test_keras_programs_ask_for_their_backend_and_nothing_uses_a_gpu() -> None:
    assert PROGRAMS["keras-tensorflow"].environment["KERAS_BACKEND"] == "tensorflow"
    assert "KERAS_BACKEND" not in PROGRAMS["torch-eager-nchw"].environment
    assert all(p.environment["CUDA_VISIBLE_DEVICES"] == "-1" for p in PROGRAMS.values())
