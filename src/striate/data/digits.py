"""The handwritten digits of 8x8 pixels that scikit-learn carries with it."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

import numpy as np

from striate.data.idx import gunzip
from striate.data.source import RawSplit, Source

# Of the decompressed table, so that a repackaged scikit-learn with the same numbers is accepted.
_TABLE_SHA256 = "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"


def read_digits() -> Source:
    """Read 1,797 handwritten digits, 8x8 pixels of grey levels 0 to 16, in one set.

    They are the test part of "Optical Recognition of Handwritten Digits" by E. Alpaydin and
    C. Kaynak (UCI Machine Learning Repository, 1998, CC BY 4.0); lecture row N12.
    """
    table, digest = _table()
    images = table[:, :-1].reshape(-1, 8, 8).astype(np.uint8)
    return Source(
        {"train": RawSplit(images, table[:, -1].astype(np.int32), where="digits")},
        name="digits",
        origin="scikit-learn, sklearn.datasets.load_digits",
        class_names=[str(digit) for digit in range(10)],
        files=[{"name": "digits.csv", "sha256": digest}],
        licence="CC BY 4.0, E. Alpaydin and C. Kaynak, UCI Machine Learning Repository",
    )


def _table() -> tuple[np.ndarray, str]:
    """Return the table, ``(1797, 65)`` with the label last, and the SHA-256 of its text.

    Importing scikit-learn takes 0.7 s and reading the table 0.02 s, so the file is read where
    scikit-learn keeps it; if it is not there, or another, scikit-learn is asked.
    """
    found = importlib.util.find_spec("sklearn")
    for place in (found.submodule_search_locations or []) if found else []:
        path = Path(place) / "datasets" / "data" / "digits.csv.gz"
        if path.is_file():
            text = gunzip(path.read_bytes(), path)
            if hashlib.sha256(text).hexdigest() == _TABLE_SHA256:
                values = np.array(text.replace(b"\n", b",").split(b",")[:-1], dtype=np.uint8)
                return values.reshape(-1, 65), _TABLE_SHA256
    return _table_from_scikit_learn()


def _table_from_scikit_learn() -> tuple[np.ndarray, str]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    table = np.column_stack([digits.data, digits.target]).astype(np.uint8)
    text = b"".join(b",".join(b"%d" % value for value in row) + b"\n" for row in table)
    return table, hashlib.sha256(text).hexdigest()
