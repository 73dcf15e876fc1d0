from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks import process


def call(function: str, tmp_path: Path, **options: object) -> object:
    arguments = options.pop("arguments", {})
    return process.call(
        function,
        arguments,  # type: ignore[arg-type]
        directory=tmp_path,
        environment=os.environ,
        limit=60,
        **options,  # type: ignore[arg-type]
    )


def test_a_function_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    assert call("os:getpid", tmp_path) != os.getpid()
    assert call("os.path:basename", tmp_path, arguments={"p": "/a/b"}) == "b"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_a_process_may_be_kept_on_a_core(tmp_path: Path) -> None:
    core = max(os.sched_getaffinity(0))
    assert call("benchmarks.machine:core_numbers", tmp_path, cores=[core]) == [core]


def test_a_failure_comes_with_its_last_line(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="exit status 1: FileNotFoundError"):
        call("os:listdir", tmp_path, arguments={"path": str(tmp_path / "nowhere")})


def test_what_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ended after 0 s"):
        process.call("os:getpid", {}, directory=tmp_path, environment=os.environ, limit=0.01)


def test_variables_that_make_programs_unlike_are_not_handed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("SOME_OTHER", "kept")
    assert "OMP_NUM_THREADS" not in process.inherited()
    assert process.inherited()["SOME_OTHER"] == "kept"
