"""Each public name says in one sentence what it is, and the examples in docstrings are right."""

from __future__ import annotations

import dataclasses
import doctest
import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import striate

SOURCE = Path(striate.__file__).parent
STAGES = [
    name
    for _, name, is_package in pkgutil.iter_modules([str(SOURCE)], "striate.")
    if is_package and getattr(importlib.import_module(name), "__all__", None)
]


def members(name: str, value: type) -> dict[str, Any]:
    """Return the public methods and properties of a class that are written in striate."""
    found = {}
    for base in value.__mro__:
        for attribute, member in vars(base).items():
            function = getattr(member, "fget", getattr(member, "__func__", member))
            function = getattr(function, "func", function)  # a cached property
            code = getattr(inspect.unwrap(function), "__code__", None)
            if attribute.startswith("_") or code is None:
                continue
            if Path(code.co_filename).is_relative_to(SOURCE):
                found.setdefault(f"{name}.{attribute}", inspect.getdoc(getattr(value, attribute)))
    return found


PUBLIC = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in (striate, *map(importlib.import_module, STAGES))
    for name in module.__all__
}
DOCSTRINGS = {
    path: text
    for name, value in PUBLIC.items()
    if callable(value) or isinstance(value, ModuleType)
    for path, text in {
        name: value.__doc__ and inspect.cleandoc(value.__doc__),  # its own, not a base's
        **(members(name, value) if isinstance(value, type) else {}),
    }.items()
}
# What users hold in their hands: those on the public face.
DATACLASSES = {
    name: value
    for name, value in PUBLIC.items()
    if dataclasses.is_dataclass(value) and name == f"striate.{value.__name__}"
}


def test_the_public_names_are_looked_at():
    assert len(STAGES) >= 8
    for name in (
        "striate.load",
        "striate.kernels",
        "striate.Model.engine_report",
        "striate.Dataset.fingerprint",
        "striate.kernels.Geometry.padded",
    ):
        assert name in DOCSTRINGS
    assert {"striate.Dataset", "striate.Run", "striate.Evaluation"} <= set(DATACLASSES)


@pytest.mark.parametrize("name", DOCSTRINGS)
def test_a_public_name_begins_with_one_sentence(name):
    text = DOCSTRINGS[name]
    assert text, f"{name} has no docstring"
    sentence, _, rest = text.strip().partition("\n\n")
    assert re.fullmatch(r"[A-Z`\d].*[.?]", " ".join(sentence.split())), sentence
    assert "\n" not in sentence or not rest, f"{name}: the first sentence takes more than a line"


@pytest.mark.parametrize("name", [name for name in PUBLIC if name not in DOCSTRINGS])
def test_a_public_constant_is_named_by_its_stage(name):
    """A value has no docstring of its own."""
    stage, _, constant = name.rpartition(".")
    assert f"`{constant}`" in importlib.import_module(stage).__doc__


@pytest.mark.parametrize("name", DATACLASSES)
def test_a_public_dataclass_says_what_each_field_is(name):
    for field in dataclasses.fields(DATACLASSES[name]):
        words = rf"\b{field.name.replace('_', '[ _]')}\b"
        if not field.name.startswith("_"):
            assert re.search(words, DATACLASSES[name].__doc__), field.name


def with_examples() -> list[str]:
    return [
        ".".join(("striate", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(
            ".__init__"
        )
        for path in sorted(SOURCE.rglob("*.py"))
        if ">>> " in path.read_text(encoding="utf-8")
    ]


@pytest.mark.parametrize("module", with_examples())
def test_examples_in_docstrings_are_right(module, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    examples = [
        test
        for test in doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(module))
        if test.examples
    ]
    assert examples
    for test in examples:
        runner = doctest.DocTestRunner()
        runner.run(test)
        assert runner.summarize(verbose=False).failed == 0, capsys.readouterr().out
