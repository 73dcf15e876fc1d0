"""Scans: many trainings of one network as few programs, in a directory that remembers them.

Importing this package imports neither Keras nor JAX: what lists and reads scans is light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from striate.scans.averaging import Ensemble, ensemble
    from striate.scans.batch import BatchSystem
    from striate.scans.findings import SearchResult
    from striate.scans.listing import ScanSummary, list_scans
    from striate.scans.observer import ScanObserver
    from striate.scans.proposals import Between
    from striate.scans.result import GridResult
    from striate.scans.searching import resume_search, search
    from striate.scans.training import grid, resume

_HOMES = {
    "BatchSystem": "striate.scans.batch",
    "Ensemble": "striate.scans.averaging",
    "Between": "striate.scans.proposals",
    "GridResult": "striate.scans.result",
    "ScanObserver": "striate.scans.observer",
    "ScanSummary": "striate.scans.listing",
    "ensemble": "striate.scans.averaging",
    "grid": "striate.scans.training",
    "list_scans": "striate.scans.listing",
    "SearchResult": "striate.scans.findings",
    "resume": "striate.scans.training",
    "resume_search": "striate.scans.searching",
    "search": "striate.scans.searching",
}

__all__ = [
    "BatchSystem",
    "Between",
    "Ensemble",
    "GridResult",
    "ScanObserver",
    "ScanSummary",
    "SearchResult",
    "ensemble",
    "grid",
    "list_scans",
    "resume",
    "resume_search",
    "search",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'striate.scans' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
