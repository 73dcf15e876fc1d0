"""All rows in their order, and the choice among them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from striate.errors import StriateError, nearest
from striate.reproduce import (
    best,
    convolution,
    fashion,
    jets,
    networks,
    scans,
    training,
    worked_example,
)
from striate.reproduce.lectures import LECTURES
from striate.reproduce.row import Row


def _order(row: Row) -> tuple[str, int, str]:
    letters, number, part = re.fullmatch(r"([A-Z]+)(\d+)([a-z]?)", row.key).groups()  # type: ignore[union-attr]
    return letters, int(number), part


ROWS: tuple[Row, ...] = tuple(
    sorted(
        (
            row
            for module in (
                convolution, worked_example, training, fashion, scans, networks, jets, best
            )
            for row in module.ROWS
        ),
        key=_order,
    )
)  # fmt: skip


def choose(lecture: str | None = None, keys: Sequence[str] = ()) -> tuple[Row, ...]:
    """Return the rows of a lecture, or of all that are usual, in their order.

    Parameters
    ----------
    lecture
        Its key.
    keys
        Only these: ``"N13"``, or ``"N7"`` for N7a to N7e, or ``"C"`` for all that begin so.

    Raises
    ------
    StriateError
        If there is no such lecture, or it has no such row.
    """
    if lecture is not None and lecture not in LECTURES:
        raise StriateError(f"there is no lecture {lecture!r}: {nearest(lecture, LECTURES)}")
    of = {key for key, entry in LECTURES.items() if entry.usual} if lecture is None else {lecture}
    rows = [row for row in ROWS if of & set(row.lectures)]
    if not keys:
        return tuple(rows)
    chosen: set[str] = set()
    for key in keys:
        pattern = re.compile(re.escape(key) + (r"[a-z]?" if key[-1:].isdigit() else r"\d*[a-z]?"),
                             re.IGNORECASE)  # fmt: skip
        found = {row.key for row in rows if pattern.fullmatch(row.key)} if key else set()
        if not found:
            where = f"in {lecture} " if lecture else ""
            raise StriateError(
                f"there is no row {key!r} {where}({', '.join(row.key for row in rows)})"
            )
        chosen |= found
    return tuple(row for row in rows if row.key in chosen)
