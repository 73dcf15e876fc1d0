from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from striate.data import digits, load


def test_digits_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    expected = load_digits()
    table, digest = digits._table()
    assert (table[:, :-1] == expected.data).all()
    assert (table[:, -1] == expected.target).all()
    through_scikit_learn, same = digits._table_from_scikit_learn()
    assert (through_scikit_learn == table).all()
    assert same == digest


def test_scikit_learn_is_asked_when_its_table_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = load("digits").fingerprint
    monkeypatch.setattr(digits, "_TABLE_SHA256", "0" * 64)
    assert load("digits").fingerprint == expected


def test_split_is_80_to_20_stratified_and_seeded() -> None:
    data = load("digits")
    assert (len(data.train), len(data.test)) == (1437, 360)
    share = np.bincount(data.test.labels) / 360 - np.bincount(data.train.labels) / 1437
    assert np.abs(share).max() < 0.004
    assert data.provenance["split"] == {"test": "0.2 of all images, stratified", "seed": 0}
    assert load("digits", seed=1).fingerprint != data.fingerprint


def test_grey_levels_are_divided_by_16() -> None:
    images = load("digits").train.images
    assert images.dtype == np.float32
    assert set(np.unique(images)) == {level / 16 for level in range(17)}


def test_loading_does_not_import_what_it_does_not_need() -> None:
    code = (
        "import sys, striate; striate.load('digits').fingerprint\n"
        "heavy = {'sklearn', 'keras', 'jax', 'h5py', 'PIL', 'pooch', 'scipy'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
