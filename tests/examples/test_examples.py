"""Each example runs to its last assertion, as a program; one of them also as a notebook."""

from __future__ import annotations

import ast
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import jupytext
import matplotlib.pyplot as plt
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

import striate as st

FOLDER = Path(__file__).parents[2] / "examples"
PROGRAMS = sorted(path.stem for path in FOLDER.glob("*.py"))
# Those on bundled data that take seconds.
QUICK = ["heidelberg_blur", "nthu_worked_example", "oslo_convolution", "oslo_digits"]
LONG = [name for name in PROGRAMS if name not in QUICK]


def source(name: str) -> str:
    return (FOLDER / f"{name}.py").read_text(encoding="utf-8")


def run(name: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run an example in an empty directory, and look at the figures that it saves."""
    monkeypatch.chdir(directory)
    try:
        runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    finally:
        plt.close("all")
    saved = re.findall(r'plots\.save\(\w+, f?"([^"]+)"', source(name))
    assert saved
    for stem in saved:
        found = list(directory.glob(re.sub(r"\{\w+\}", "*", stem) + ".png"))
        assert found, f"{stem} was not saved"
        for path in found:
            with Image.open(path) as picture:
                assert np.asarray(picture.convert("L")).std() > 5, f"{path.name} is blank"


def attributes(tree: ast.AST) -> Iterator[str]:
    """Yield what is used of striate, as ``plots.save``."""
    for node in ast.walk(tree):
        names = []
        while isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        if names and isinstance(node, ast.Name) and node.id == "st":
            yield ".".join(reversed(names))


@pytest.mark.parametrize("name", PROGRAMS)
def test_all_that_an_example_uses_is_there(name):
    used = set(attributes(ast.parse(source(name))))
    assert used
    for path in used:
        found = st
        for part in path.split("."):
            found = getattr(found, part)


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_an_example_on_bundled_data_runs(name, tmp_path, monkeypatch):
    run(name, tmp_path, monkeypatch)


@pytest.mark.examples
@pytest.mark.parametrize("name", LONG)
def test_a_long_example_runs(name, tmp_path, monkeypatch):
    run(name, tmp_path, monkeypatch)


@pytest.mark.slow
def test_an_example_is_a_notebook_with_its_figures_and_without_warnings(tmp_path):
    notebook = jupytext.read(FOLDER / "oslo_convolution.py")
    NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    ).execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    shown = [cell for cell in code if cell.source.rstrip().endswith("\nfigure")]
    assert len(shown) == 2
    for cell in shown:
        assert "image/png" in cell.outputs[-1]["data"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_example_is_in_the_table_and_ends_with_its_figure(name):
    table = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"[{name}.py]({name}.py)" in table
    cells = source(name).split("# %%")
    assert cells[0] == ""
    assert cells[1].startswith(" [markdown]\n# # ")
    assert "(row" in cells[1]
    assert "assert " in cells[-1]
