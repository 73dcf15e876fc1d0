"""Data: what a dataset is, the readers that make one, and the datasets known by name.

``contents`` says what a dataset may hold, ``source`` what a reader hands over, ``assembly`` makes
the one of the other; ``idx``, ``npz``, ``hdf5``, ``cifar`` and ``folder`` each read one format.
"""

from __future__ import annotations

from striate.data.dataset import Dataset, Split
from striate.data.loading import as_dataset, load, load_again
from striate.data.standard import Description, describe_known, fetch

__all__ = [
    "Dataset",
    "Description",
    "Split",
    "as_dataset",
    "describe_known",
    "fetch",
    "load",
    "load_again",
]
