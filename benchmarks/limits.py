"""What the machine can do at best: multiply-adds on registers, and copying.

Each core is measured in a process of its own, all at the same time. The arithmetic is a loop in
striate's compiled library (`striate_multiply_add`, C++, one for each instruction set), so it is
not known without that. The copy is NumPy's, which is the C library's `memcpy`; each byte of it
is read and written, and counts twice.
"""

from __future__ import annotations

import ctypes
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import process

INSTRUCTION_SETS = ("avx512", "avx2", "baseline")
COPY_BYTES = tuple(2**power for power in range(17, 29, 2))
"""What a core reads and writes in one copy: from its own cache to main memory."""

WINDOW = 0.2
PAUSE = 1.5


@dataclass(frozen=True)
class Limits:
    """The limits of some cores together.

    Attributes
    ----------
    cores
        How many were measured at the same time.
    flops
        Operations a second of each instruction set, a multiply-add counted as two; empty without
        the compiled library.
    copy
        Bytes a second, read and written, by the bytes that one core moves in one copy.
    """

    cores: int
    flops: Mapping[str, float]
    copy: Mapping[int, float]

    @property
    def peak(self) -> float | None:
        """Operations a second of the best instruction set."""
        return max(self.flops.values(), default=None)

    def bandwidth(self, moved: float) -> float:
        """Return the bytes a second of copies that move as many bytes, all cores together."""
        sizes = sorted(self.copy)
        return float(
            np.interp(
                math.log(moved / self.cores),
                [math.log(size) for size in sizes],
                [self.copy[size] for size in sizes],
            )
        )

    def seconds(self, flops: float, moved: float) -> float | None:
        """Return the least time for so many operations on so many bytes."""
        return None if self.peak is None else max(flops / self.peak, moved / self.bandwidth(moved))

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        copy = {str(size): rate for size, rate in self.copy.items()}
        return {"cores": self.cores, "flops": dict(self.flops), "copy": copy}


def measure(cores: Sequence[int], library: str | None, directory: Path) -> Limits:
    """Measure these cores, all at the same time."""
    at = time.time() + PAUSE

    def one(core: int) -> dict[str, Any]:
        found: dict[str, Any] = process.call(
            "benchmarks.limits:measure_one_core",
            {"library": library, "at": at},
            directory=directory,
            environment=os.environ,
            limit=60,
            cores=[core],
            name=f"limits-{core}",
        )
        return found

    with ThreadPoolExecutor(len(cores)) as pool:
        found = list(pool.map(one, cores))
    return Limits(
        cores=len(cores),
        flops={isa: sum(f["flops"][isa] for f in found) for isa in found[0]["flops"]},
        copy={size: sum(f["copy"][str(size)] for f in found) for size in COPY_BYTES},
    )


def measure_one_core(library: str | None, at: float) -> dict[str, Any]:
    """Measure in windows of time that begin at `at` (of `time.time`)."""
    flops: dict[str, float] = {}
    if library is not None:
        loaded = ctypes.CDLL(library)
        loaded.striate_problem.restype = ctypes.c_char_p
        loaded.striate_multiply_add.restype = ctypes.c_int64
        result = ctypes.c_float()
        for isa in INSTRUCTION_SETS:
            name = isa.encode()
            if loaded.striate_problem(name) is not None:
                continue

            def work(name: bytes = name) -> float:
                rounds = ctypes.c_int64(100_000)
                done = loaded.striate_multiply_add(name, rounds, ctypes.byref(result))
                return float(done)

            flops[isa] = _best_rate(work, at)
            at += WINDOW
    copy = {}
    largest = max(COPY_BYTES) // 8
    source, target = np.ones(largest, np.float32), np.zeros(largest, np.float32)
    for size in COPY_BYTES:

        def duplicate(floats: int = size // 8) -> float:
            times = max(1, 2**20 // (8 * floats))
            for _ in range(times):
                np.copyto(target[:floats], source[:floats])
            return 8.0 * floats * times

        copy[str(size)] = _best_rate(duplicate, at)
        at += WINDOW
    return {"flops": flops, "copy": copy}


def _best_rate(work: Callable[[], float], at: float) -> float:
    """Do `work` in the window that begins at `at`; return what it did a second, at its best."""
    work()
    time.sleep(max(0.0, at - time.time()))
    best = 0.0
    while best == 0 or time.time() < at + WINDOW:
        begin = time.perf_counter()
        done = work()
        best = max(best, done / (time.perf_counter() - begin))
    return best
