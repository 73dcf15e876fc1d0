"""The pages on the lectures: their programs run, and their commands are right calls."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from striate.cli.main import app
from striate.reproduce.lectures import LECTURES

ROOT = Path(__file__).parents[1]
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}


def blocks(page: str, language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```", PAGES[page], flags=re.DOTALL | re.MULTILINE)
    return [text for name, text in found if name == language]


COMMANDS = [
    (page, line)
    for page in sorted(PAGES)
    for text in blocks(page, "")
    for line in text.splitlines()
]


def test_each_lecture_has_a_page_and_the_front_page_names_it():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for key in LECTURES:
        assert f"striate reproduce {key}" in PAGES[key]
        assert f"(docs/{key}.md)" in readme


@pytest.mark.parametrize("page", sorted(PAGES))
def test_the_programs_of_a_page_run(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    programs = blocks(page, "python")
    assert len(programs) >= 3
    for program in programs:
        code = compile(program, f"docs/{page}.md", "exec")
        # Those run where the data are: by the rows of the lecture.
        if not program.startswith("# needs "):
            exec(code, {})  # noqa: S102 - our own page
    capsys.readouterr()


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_a_command_of_a_page_is_a_right_call(page, line):
    words = [word for word in shlex.split(line) if not re.fullmatch(r"[A-Z_]+=\w+", word)]
    assert words[0] == "striate"
    command, rest = typer.main.get_command(app), words[1:]
    while hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    command.make_context("striate", rest)
