"""The README's programs run, and its commands exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)
    return [text for name, text in found if name == language]


@pytest.mark.slow
def test_the_first_program_runs(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", blocks("python")[0]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    accuracy, report = done.stdout.splitlines()[-2:]
    assert float(accuracy.split()[0]) > 0.9
    assert (tmp_path / report).is_file()


def commands() -> list[str]:
    lines = "\n".join(blocks("")).splitlines()
    return [line.split("#")[0].strip() for line in lines if line.startswith("striate ")]


@pytest.mark.parametrize("command", sorted({c.split()[1] for c in commands()}))
def test_the_commands_exist(command):
    arguments = [sys.executable, "-m", "striate", *shlex.split(command), "--help"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Examples" in done.stdout
