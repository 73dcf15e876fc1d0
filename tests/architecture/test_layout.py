"""Files are small, named after what they hold, and tell nothing of the machine they grew on."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import striate

SOURCE = Path(striate.__file__).parent
ROOT = Path(__file__).parents[2]
FILES = {
    path.relative_to(ROOT).as_posix(): path
    for folder in ("src", "tests", "benchmarks", "csrc", "examples")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.is_file()
    and not {"__pycache__", "results"} & set(path.parts)
    and path.suffix in {".py", ".cc", ".h", ".md", ".toml", ".css", ".html"}
}
PYTHON = [file for file in FILES if file.endswith(".py")]
LONGEST = 500
MEANS_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "stuff"}

# Built so that these lines are not found by themselves.
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r")\b")
OF_A_MACHINE = re.compile(r"(?<![\w./}])/(home|Users|root|mnt|scratch|work)/\w")


def text(file: str) -> str:
    return FILES[file].read_text(encoding="utf-8")


@pytest.mark.parametrize("file", FILES)
def test_a_file_is_short_finished_and_of_no_machine(file):
    lines = text(file).splitlines()
    assert len(lines) <= LONGEST
    assert Path(file).stem not in MEANS_NOTHING
    for number, line in enumerate(lines, 1):
        assert not UNFINISHED.search(line), f"{file}:{number}"
        assert not OF_A_MACHINE.search(line), f"{file}:{number}"


def test_what_is_looked_for_would_be_found():
    assert UNFINISHED.search("# " + "TO" + "DO: later")
    assert OF_A_MACHINE.search('open("' + "/ho" + 'me/someone/data")')
    assert not OF_A_MACHINE.search("https://example.org" + "/ho" + "me/page")
    assert len(PYTHON) > 100


@pytest.mark.parametrize("file", [file for file in PYTHON if file.startswith("src/")])
def test_only_the_command_line_prints(file):
    if file.startswith("src/striate/cli/"):
        return
    for node in ast.walk(ast.parse(text(file))):
        assert not (isinstance(node, ast.Name) and node.id == "print"), f"{file}:{node.lineno}"
        assert not (
            isinstance(node, ast.Attribute)
            and node.attr == "stdout"
            and isinstance(node.value, ast.Name)
            and node.value.id == "sys"
        ), f"{file}:{node.lineno}"


@pytest.mark.parametrize("name", ["README.md", "MAP.md", "CHANGELOG.md", "LICENSE", "Makefile"])
def test_the_repository_says_what_it_is(name):
    assert len((ROOT / name).read_text(encoding="utf-8").split()) > 30


def test_the_map_shows_every_stage_and_every_file_that_it_names_is_there():
    text = (ROOT / "MAP.md").read_text(encoding="utf-8")
    for entry in SOURCE.iterdir():
        if (entry / "__init__.py").is_file() and len(list(entry.glob("*.py"))) > 1:
            assert f"`{entry.name}/`" in text
        elif entry.suffix == ".py" and not entry.name.startswith("__"):
            assert f"`{entry.name}`" in text
    for row in re.findall(r"^\| `(\w+)/` \|(.*)$", text, re.MULTILINE):
        for name in re.findall(r"`(\w+\.py)`", row[1]):
            assert (SOURCE / row[0] / name).is_file(), f"{row[0]}/{name}"
