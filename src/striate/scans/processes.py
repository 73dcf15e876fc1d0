"""Dask workers as processes of this machine, which end when this process does."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from striate.scans.cluster import library

_END_SECONDS = 10

# Blocks keep to one thread each; pools of threads beside them would only take memory.
_ENVIRONMENT = {"KERAS_BACKEND": "jax", "NPROC": "1", "OMP_NUM_THREADS": "1"}


@contextmanager
def worker_processes(number: int) -> Iterator[tuple[str, Callable[[], str | None]]]:
    """Start a scheduler in this process, and workers of one thread each beside it.

    They are started as commands, not as copies of this program, so that a script that calls us
    needs no ``if __name__ == "__main__"``. A worker that is killed is started again by its own
    nanny; all end by themselves when they lose the scheduler, however this process ends.

    Yields
    ------
    str
        The address of the scheduler.
    callable
        Answers why no workers are left, or None.
    """
    distributed = library("distributed")
    with (
        tempfile.TemporaryDirectory(prefix="striate-workers-", ignore_cleanup_errors=True) as name,
        distributed.LocalCluster(
            n_workers=0, host="127.0.0.1", dashboard_address=None, silence_logs="ERROR"
        ) as scheduler,
    ):
        folder = Path(name)
        processes = [
            _start(scheduler.scheduler_address, folder, worker) for worker in range(number)
        ]
        try:
            yield scheduler.scheduler_address, lambda: _failure(processes, folder)
        finally:
            _end(processes)


def _start(address: str, folder: Path, number: int) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "distributed.cli.dask_worker", address]
    words += ["--nthreads", "1", "--memory-limit", "0", "--no-dashboard"]
    words += ["--name", f"worker-{number}", "--local-directory", str(folder)]
    with _log(folder, number).open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - our own words
            words,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | _ENVIRONMENT,
            # Ctrl-C is for this process, which ends the workers.
            start_new_session=True,
        )


def _log(folder: Path, number: int) -> Path:
    return folder / f"worker-{number}.log"


def _failure(processes: Sequence[Any], folder: Path) -> str | None:
    if any(process.poll() is None for process in processes):
        return None
    lines = _log(folder, 0).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f"all workers have ended; the last line of one: {lines[-1] if lines else 'none'}"


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
        process.kill()
        process.wait()
