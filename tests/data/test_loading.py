from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate
import striate as st
import striate.data.loading
from striate.data import load
from striate.errors import StriateError


def test_load_is_a_public_name() -> None:
    assert striate.load is load
    assert striate.Dataset is striate.data.Dataset


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("digit", "unknown dataset 'digit': did you mean 'digits'?"),
        ("fashion", "unknown dataset 'fashion': did you mean 'fashion_mnist'?"),
        ("imagenet", "unknown dataset 'imagenet'"),
        ("", "unknown dataset ''"),
        ("nowhere/mnist", "nowhere/mnist: no such file or folder"),
        ("images.npz", "images.npz: no such file or folder"),
    ],
)
def test_what_is_not_there(name: str, message: str) -> None:
    with pytest.raises(StriateError) as caught:
        load(name)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.csv", r"a\.csv: no reader for '\.csv': IDX .*, \.npz, HDF5"),
        ("a", "a: no reader for a name without ending"),
        ("a.root", r"a\.root: not a ROOT file, or damaged"),
    ],
)
def test_files_that_no_reader_takes(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / name).write_bytes(b"1,2,3")
    with pytest.raises(StriateError, match=message):
        load(tmp_path / name)


def test_known_name_wins_over_a_file_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images: np.ndarray, labels: np.ndarray
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    np.savez(tmp_path / "digits" / "batch.npz", x=images, y=labels)
    assert load("digits").classes == 10
    for other in ("./digits", Path("digits")):
        assert load(other).classes == 2


@pytest.mark.parametrize("name", ["digits", "mnist"])
def test_unknown_option_is_refused_before_anything_is_read(name: str) -> None:
    with pytest.raises(StriateError, match=f"{name} takes no option 'sed': did you mean 'seed'"):
        load(name, sed=3)


def test_home_is_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images: np.ndarray, labels: np.ndarray
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    np.savez(tmp_path / "a.npz", x=images, y=labels)
    assert load("~/a.npz").classes == 2


def test_examples_run() -> None:
    failed, tried = doctest.testmod(striate.data.loading)
    assert (failed, tried > 0) == (0, True)


@pytest.mark.parametrize("given", [(np.zeros((2, 4, 4)), np.zeros(2)), np.zeros((2, 4, 4)), None])
def test_arrays_are_no_name(given: Any) -> None:
    words = f"type {type(given).__name__}: arrays become one by st.Dataset.from_arrays"
    for use in (st.load, lambda data: st.train("oslo_digits", data)):
        with pytest.raises(StriateError, match=words):
            use(given)
