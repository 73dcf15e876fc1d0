"""Who makes the blocks: processes of this machine, or workers of a Dask cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from striate.errors import StriateError

T = TypeVar("T")

_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
_BETWEEN_COUNTS = 0.5
_ANSWER_SECONDS = 5


def local(
    function: Callable[..., T],
    tasks: Sequence[tuple[Any, ...]],
    workers: int,
    counted: Callable[[int], None] | None = None,
) -> Iterator[tuple[int, T]]:
    """Call a function for each task in `workers` processes; yield results as they come.

    The processes are fresh ones, which end when this one does, however it ends. `counted` is told
    now and then what they have handed to `count` together.
    """
    # One thread each: sums then do not depend on the number of cores.
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    context = multiprocessing.get_context("spawn")
    counter = context.Value("q", 0)
    pool = ProcessPoolExecutor(
        min(workers, len(tasks)) or 1,
        mp_context=context,
        initializer=_begin,
        initargs=(counter,),
    )
    try:
        numbers = {pool.submit(function, *task): number for number, task in enumerate(tasks)}
        left = set(numbers)
        while left:
            done, left = wait(left, timeout=_BETWEEN_COUNTS, return_when=FIRST_COMPLETED)
            if counted is not None:
                counted(counter.value)
            for future in done:
                yield numbers[future], future.result()
    except BrokenProcessPool:
        raise StriateError(
            "a worker was killed, perhaps for want of memory: what is finished is kept; call again "
            "with --resume"
        ) from None
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def count(number: int) -> None:
    """Add to what all local workers count together; nothing elsewhere."""
    if _counter is not None:
        with _counter.get_lock():
            _counter.value += number


_counter: Any = None


def _begin(counter: Any) -> None:
    global _counter
    _counter = counter
    # Ctrl-C is for the parent, which ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def on_dask(
    function: Callable[..., T], tasks: Sequence[tuple[Any, ...]], address: str
) -> Iterator[tuple[int, T]]:
    """Call a function for each task on the workers of a Dask scheduler; yield as they come.

    Raises
    ------
    StriateError
        If dask.distributed is not installed, or nothing answers at the address.
    """
    try:
        from distributed import Client
        from distributed import as_completed as completed
    except ModuleNotFoundError:
        raise StriateError(
            "--dask needs dask.distributed: pip install 'striate[cluster]'"
        ) from None
    try:
        client = Client(address, timeout=_ANSWER_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError):
        raise StriateError(
            f"no Dask scheduler answers at {address}: start one, or mend it"
        ) from None
    with client, client.as_current():
        try:
            client.wait_for_workers(1, timeout=_ANSWER_SECONDS)
        except TimeoutError:
            raise StriateError(
                f"the Dask scheduler at {address} has no workers: start some with: "
                f"dask worker {address}"
            ) from None
        futures = [client.submit(function, *task, pure=False) for task in tasks]
        numbers = {future.key: number for number, future in enumerate(futures)}
        try:
            for future in completed(futures):
                yield numbers[future.key], future.result()
                future.release()
        except BaseException:
            client.cancel(futures)
            raise
