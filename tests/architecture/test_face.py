"""Importing striate: it is light, it chooses Keras's backend, and it knows its version."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import striate

ROOT = Path(__file__).parents[2]


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_version_is_the_projects():
    with (ROOT / "pyproject.toml").open("rb") as file:
        assert striate.__version__ == tomllib.load(file)["project"]["version"]


def test_importing_loads_no_library_and_selects_jax():
    code = (
        "import json, os, sys, striate\n"
        "dir(striate)\n"
        "print(json.dumps([sorted(sys.modules), os.environ['KERAS_BACKEND']]))"
    )
    done = python(code)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    modules, backend = json.loads(done.stdout)
    heavy = {"keras", "jax", "jaxlib", "numpy", "scipy", "sklearn", "matplotlib", "h5py", "pooch"}
    assert heavy & set(modules) == set()
    assert backend == "jax"


def test_another_backend_in_the_environment_is_overruled_with_a_warning():
    code = (
        "import warnings\n"
        "with warnings.catch_warnings(record=True) as seen:\n"
        "    warnings.simplefilter('always')\n"
        "    import striate\n"
        "for warning in seen: print(warning.message)\n"
        "import keras\n"
        "print(keras.backend.backend())"
    )
    done = python(code, KERAS_BACKEND="tensorflow")
    assert done.stdout.splitlines() == [
        "KERAS_BACKEND=tensorflow is set, but striate runs on JAX: using KERAS_BACKEND=jax",
        "jax",
    ], done.stderr


def test_the_warning_points_at_the_import_of_striate(tmp_path):
    script = tmp_path / "analysis.py"
    script.write_text("\nimport striate\n")
    done = subprocess.run(
        [sys.executable, script],
        env=os.environ | {"KERAS_BACKEND": "torch"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stderr.startswith(f"{script}:2: UserWarning: KERAS_BACKEND=torch is set")


def test_keras_on_another_backend_is_refused_in_one_line():
    done = python("import keras, striate", KERAS_BACKEND="numpy")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "ImportError: striate needs Keras's JAX backend, but Keras is already loaded with 'numpy': "
        "import striate before keras, or set KERAS_BACKEND=jax before Python starts"
    )


def test_keras_on_jax_may_be_loaded_first():
    done = python("import keras, striate; print(striate.__version__)", KERAS_BACKEND="jax")
    assert (done.stdout.strip(), done.returncode) == (striate.__version__, 0), done.stderr


def test_every_public_name_is_there_and_no_other():
    for name in striate.__all__:
        assert getattr(striate, name) is not None
        assert name in dir(striate)
    assert set(striate.__all__) == {*striate._HOMES, *striate._MODULES, "StriateError"}
    with pytest.raises(AttributeError, match="module 'striate' has no attribute 'trian'"):
        striate.trian  # noqa: B018
