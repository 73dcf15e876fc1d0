"""Imports run one way, and each library is used in its own place only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import striate

SOURCE = Path(striate.__file__).parent
FILES = {path.relative_to(SOURCE).as_posix(): path for path in sorted(SOURCE.rglob("*.py"))}

# From left to right; those in one tuple do not know each other.
ORDER = [
    ("convolution", "kernels", "jets"),
    ("data",),
    ("models",),
    ("engine",),
    ("runs",),
    ("evaluation",),
    ("plots",),
    ("report",),
    ("explain",),
    ("scans",),
    ("reproduce",),
    ("cli",),
]
RANK = {stage: rank for rank, stages in enumerate(ORDER) for stage in stages}
# Used by all, and using none.
FREE = {"errors", "files", "backend", "quantities"}
# The public face and ``python -m striate`` join the stages.
JOINING = {"__init__", "__main__"}

# What is allowed in spite of the order, each with its reason.
ALLOWED = {
    # Definitions of networks are made of the compiled class; see its docstring.
    ("backend.py", "striate.engine"),
}

# Library -> folders and files that may know it.
PLACES = {
    "jax": (
        "kernels/",
        "engine/",
        "runs/provenance.py",
        "runs/trainings.py",
        "scans/block.py",
        "cli/checks.py",
    ),
    "keras": ("models/", "engine/", "runs/"),
    "typer": ("cli/",),
    "rich": ("cli/",),
    **dict.fromkeys(
        ("awkward", "fastjet", "hist", "mplhep", "pythia8", "uproot", "vector"),
        ("jets/", "data/root.py", "evaluation/", "plots/"),
    ),
}
PLACES |= {"jaxlib": PLACES["jax"], "pythia8mc": PLACES["pythia8"], "click": PLACES["typer"]}


def stage(module: str) -> str:
    """Return the stage, or the file beside the stages, that `module` belongs to."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def is_module(name: str) -> bool:
    path = SOURCE.joinpath(*name.split(".")[1:])
    return name.split(".")[0] == "striate" and (path.is_dir() or path.with_suffix(".py").is_file())


def named_module(value: object) -> bool:
    return isinstance(value, str) and value != "striate" and is_module(value)


def from_the_face(name: str) -> str:
    """Return the module that ``striate.name`` comes from."""
    if is_module(f"striate.{name}"):
        return f"striate.{name}"
    return striate._HOMES.get(name, "striate")


def imports(text: str, file: str) -> Iterator[tuple[int, str]]:
    """Yield line and module of all that a file imports, inside functions and under `if`, too.

    A string that is the name of a module of striate counts, since it can be imported by it, and so
    does the use of a public name as ``striate.name``.
    """
    package = ["striate", *Path(file).parent.parts]
    faces = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
                if alias.name == "striate":
                    faces.add(alias.asname or "striate")
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*package[: len(package) - node.level + 1], *filter(None, [base])])
            if base == "striate":
                yield from ((node.lineno, from_the_face(alias.name)) for alias in node.names)
            else:
                yield node.lineno, base
        elif isinstance(node, ast.Constant) and named_module(node.value):
            yield node.lineno, node.value
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", None) in faces:
            yield node.lineno, from_the_face(node.attr)


def against_the_order(text: str, file: str) -> list[str]:
    """Return the imports of a file that run to the right."""
    here = stage("striate." + file.removesuffix(".py").replace("/", "."))
    found = []
    for line, module in imports(text, file):
        there = stage(module)
        if module.split(".")[0] != "striate" or here in JOINING or there in {here, *FREE}:
            continue
        if (file, module) in ALLOWED or (there == "__init__" and here not in FREE):
            continue
        if here in FREE or RANK[there] >= RANK[here]:
            found.append(f"{file}:{line} imports {module}")
    return found


def out_of_place(text: str, file: str) -> list[str]:
    """Return the imports of libraries that this file should not know."""
    return [
        f"{file}:{line} imports {module}"
        for line, module in imports(text, file)
        if not file.startswith(PLACES.get(module.split(".")[0], ""))
    ]


def test_each_folder_is_a_stage_and_each_file_beside_them_is_known():
    names = {stage("striate." + file.removesuffix(".py").replace("/", ".")) for file in FILES}
    assert names <= {*RANK, *FREE, *JOINING}
    assert {"kernels", "data", "models", "engine", "runs", "cli", *FREE, *JOINING} <= names


@pytest.mark.parametrize("file", FILES)
def test_imports_run_one_way(file):
    assert against_the_order(FILES[file].read_text(encoding="utf-8"), file) == []


@pytest.mark.parametrize("file", FILES)
def test_libraries_stay_in_their_places(file):
    assert out_of_place(FILES[file].read_text(encoding="utf-8"), file) == []


def test_no_exception_is_kept_that_nothing_needs():
    for file, module in ALLOWED:
        assert module in {name for _, name in imports(FILES[file].read_text("utf-8"), file)}
    for library in ("jax", "keras", "typer", "rich", "uproot"):
        for place in PLACES[library]:
            used = {
                name.split(".")[0]
                for file, path in FILES.items()
                if file.startswith(place)
                for _, name in imports(path.read_text(encoding="utf-8"), file)
            }
            if place.endswith(".py") and (SOURCE / place).exists():
                assert library in used, f"{place} does not need {library}"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("data/npz.py", "from striate.engine import Model"),
        ("data/npz.py", "def f():\n    import striate.cli.output"),
        ("models/tagger.py", "from striate import runs"),
        ("models/tagger.py", "import striate as st\nst.train"),
        ("models/tagger.py", "from striate import train"),
        ("models/tagger.py", "from ..engine import model"),
        ("models/tagger.py", "from .. import engine"),
        ("models/tagger.py", "import_module('striate.engine')"),
        ("kernels/reference.py", "if TYPE_CHECKING:\n    from striate.data import Dataset"),
        ("kernels/reference.py", "from striate.jets import images"),
        ("errors.py", "from striate.data import Dataset"),
        ("errors.py", "import striate"),
    ],
)
def test_an_import_to_the_right_is_found(file, text):
    assert len(against_the_order(text, file)) == 1


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("evaluation/network.py", "def f():\n    import keras"),
        ("plots/style.py", "from keras import layers"),
        ("evaluation/estimate.py", "import jax.numpy as jnp"),
        ("runs/run.py", "import jax"),
        ("data/idx.py", "import uproot"),
        ("report/write.py", "import mplhep as hep"),
        ("report/write.py", "from rich.table import Table"),
    ],
)
def test_a_library_out_of_place_is_found(file, text):
    assert len(out_of_place(text, file)) == 1
