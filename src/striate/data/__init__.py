"""Data: what a dataset is, the readers that make one, and the standard sets."""

from __future__ import annotations

from striate.data.contents import RawSplit
from striate.data.dataset import Dataset, Split
from striate.data.loading import load

__all__ = ["Dataset", "RawSplit", "Split", "load"]
