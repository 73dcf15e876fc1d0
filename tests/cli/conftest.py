"""The command, as a process of its own and, where only its words matter, in this one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from striate.cli.main import main


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


Striate = Callable[..., Outcome]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which neither the user's cache nor the user's data are found."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("STRIATE_")}
    return kept | {"XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache"))}


@pytest.fixture(scope="session")
def process(home: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Striate:
    """Run ``python -m striate`` with these words, in a folder of its own unless one is given.

    Variables of the environment may be given too; None unsets one.
    """
    place = tmp_path_factory.mktemp("work")

    def run(*words: str, cwd: Path = place, **environment: str | None) -> Outcome:
        given = (home | environment).items()
        done = subprocess.run(
            [sys.executable, "-m", "striate", *words],
            cwd=cwd,
            env={name: value for name, value in given if value is not None},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def striate(
    home: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Striate:
    """Run the command line with these words in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", home["XDG_CACHE_HOME"])
    monkeypatch.delenv("STRIATE_DATA", raising=False)

    def run(*words: str) -> Outcome:
        capsys.readouterr()
        status = main(words)
        return Outcome(status, *capsys.readouterr())

    return run
