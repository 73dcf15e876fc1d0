"""Short pieces of work: how long one call takes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

BLOCKS = 5


def seconds_a_call(run: Callable[[int], object], seconds: float) -> list[float]:
    """Time `run(n)`, which does the work n times, in blocks that take `seconds` together.

    Returns
    -------
    list of float
        Seconds a call, one value a block.
    """
    run(1)  # compiles
    wanted = seconds / BLOCKS
    n = 1
    while (took := _seconds(run, n)) < wanted / 2:
        n *= min(16, max(2, math.ceil(wanted / max(took, 1e-7))))
    n = max(1, round(n * wanted / took))
    return [_seconds(run, n) / n for _ in range(BLOCKS)]


def _seconds(run: Callable[[int], object], n: int) -> float:
    begin = time.perf_counter()
    run(n)
    return time.perf_counter() - begin
