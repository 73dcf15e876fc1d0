"""The handwritten digits of 8x8 pixels that scikit-learn carries with it."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

import numpy as np

from striate.data.assembly import assemble
from striate.data.contents import RawSplit
from striate.data.dataset import Dataset
from striate.data.idx import gunzip

# Of the decompressed table, so that a repackaged scikit-learn with the same numbers is accepted.
_TABLE_SHA256 = "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"


def load_digits(
    *,
    seed: int = 0,
    test: float = 0.2,
    validation: float = 0.0,
    limit: int | None = None,
) -> Dataset:
    """Load 1,797 handwritten digits, 8x8 pixels of 17 grey levels, 80/20 split by default.

    The set is the test part of "Optical Recognition of Handwritten Digits" by E. Alpaydin and
    C. Kaynak (UCI Machine Learning Repository, 1998, CC BY 4.0); lecture row N12.

    Parameters
    ----------
    seed, test, validation, limit
        As in :meth:`Dataset.from_arrays`.
    """
    table, digest = _table()
    return assemble(
        {
            "train": RawSplit(
                table[:, :-1].reshape(-1, 8, 8).astype(np.uint8),
                table[:, -1].astype(np.int32),
                where="digits",
            )
        },
        name="digits",
        source="scikit-learn, sklearn.datasets.load_digits",
        files=[{"name": "digits.csv", "sha256": digest}],
        licence="CC BY 4.0, E. Alpaydin and C. Kaynak, UCI Machine Learning Repository",
        seed=seed,
        test=test,
        validation=validation,
        limit=limit,
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
    from sklearn.datasets import load_digits as load_table

    bunch = load_table()
    table = np.column_stack([bunch.data, bunch.target])
    text = b"".join(b",".join(b"%d" % int(value) for value in row) + b"\n" for row in table)
    return table, hashlib.sha256(text).hexdigest()
