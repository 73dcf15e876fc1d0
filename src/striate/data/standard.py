"""The datasets known by name."""

from __future__ import annotations

from collections.abc import Callable

from striate.data.dataset import Dataset
from striate.data.digits import load_digits

KNOWN: dict[str, Callable[..., Dataset]] = {"digits": load_digits}
