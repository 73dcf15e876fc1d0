"""Blocks of a scan on Dask workers: on this machine, on a cluster, in a batch system."""

from __future__ import annotations

import importlib
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from striate.errors import StriateError
from striate.scans import plan
from striate.scans.space import Cell

if TYPE_CHECKING:
    from striate.scans.distribution import Distribution
    from striate.scans.plan import Recipe

# A scheduler that does not answer in this time is not there.
_ANSWER_SECONDS = 20
# A batch system may let us wait; its first worker is all that is needed to begin.
_FIRST_WORKER_SECONDS = 24 * 3600


def library(name: str) -> Any:
    """Import a package of the extra ``cluster``; what it does to Ctrl-C meanwhile is undone.

    Raises
    ------
    StriateError
        If it is not installed.
    """
    # dask-jobqueue makes Ctrl-C a silent sys.exit() when imported, for the whole process.
    ctrl_c = signal.getsignal(signal.SIGINT)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise StriateError(
            f"this needs {error.name}, which is not installed: pip install 'striate[cluster]'"
        ) from None
    finally:
        if signal.getsignal(signal.SIGINT) is not ctrl_c:
            signal.signal(signal.SIGINT, ctrl_c)


class Cluster:
    """Workers that compute blocks, one block in each of their threads.

    Each block keeps to its thread, so that its bits depend neither on the number of workers nor on
    their cores; processors that have other instructions may round otherwise.

    Parameters
    ----------
    client
        A ``distributed.Client``, connected.
    slots
        Blocks at once, if more workers are to come; those of the present workers if not given.
    failure
        Answers why there will be no workers any more, or None.

    Attributes
    ----------
    slots
        Blocks at once.
    threads
        Blocks at once in one worker.
    """

    def __init__(
        self,
        client: Any,
        slots: int | None = None,
        failure: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.client = client
        self.failure = failure
        threads = client.nthreads()
        self.threads = max(threads.values(), default=1)
        self.slots = max(slots or 0, sum(threads.values()), 1)

    def memory_limit(self, memory: int | str | None) -> int:
        """Return how many bytes the blocks in one worker may need.

        Those asked for, or half of what the smallest worker may have.
        """
        if memory is not None:
            return plan.memory_limit(memory)
        workers = self.client.scheduler_info(n_workers=-1)["workers"].values()
        limits = [worker["memory_limit"] for worker in workers if worker["memory_limit"]]
        if limits:
            return int(plan.SHARE_OF_FREE * min(limits))
        return plan.memory_limit(None) // self.slots

    def blocks(
        self,
        recipe: Recipe,
        cells: Sequence[Cell],
        memory: int,
        at_once: int | None,
        on_built: Callable[[int, int], None],
    ) -> tuple[list[dict[str, Any]], int]:
        """Divide the cells as `striate.scans.plan.blocks` does, for all workers.

        Returns
        -------
        blocks : list of dict
            One at least for each thread.
        side_by_side : int
            How many of them a worker may compute at once.

        Raises
        ------
        StriateError
            If one network needs more memory than a thread of a worker has.
        """
        slots = self.slots if at_once is None else at_once
        made, possible = plan.blocks(recipe, cells, memory // self.threads * slots, slots, on_built)
        if possible < min(slots, len(made)):
            raise StriateError(
                f"a worker may use {memory / 1e6:.0f} MB for {self.threads} blocks at once, too "
                "little for one network in each: allow more memory, or use fewer threads a worker"
            )
        return made, min(self.threads, possible)

    def workers(
        self, recipe: Recipe, scan: Mapping[str, Any], blocks: Sequence[int]
    ) -> Distribution:
        """Return what computes the blocks of these numbers, and tells how far they are."""
        from striate.scans.distribution import Distribution

        return Distribution(self.client, self.failure, recipe, scan, blocks)


@contextmanager
def connected(cluster: Any) -> Iterator[Cluster | None]:
    """Give the cluster that is meant, or None for this process; end what was started for it.

    Parameters
    ----------
    cluster
        None; a number of worker processes to start on this machine; a
        `striate.scans.BatchSystem`; or, left running, the address of a scheduler, a
        ``distributed.Client``, or any Dask cluster.

    Raises
    ------
    StriateError
        If it is none of these, does not answer, or has no workers.
    """
    if cluster is None:
        yield None
        return
    distributed = library("distributed")
    # It imports this module.
    from striate.scans.batch import BatchSystem

    with ExitStack() as stack:
        if isinstance(cluster, int) and not isinstance(cluster, bool):
            from striate.scans.processes import worker_processes

            if cluster < 1:
                raise StriateError(f"{cluster} workers are too few: start at least one")
            address, failure = stack.enter_context(worker_processes(cluster))
            client = stack.enter_context(_client(distributed, address))
            yield Cluster(client, cluster, failure)
            return
        wanted = None
        if isinstance(cluster, BatchSystem):
            wanted = cluster.slots
            cluster = stack.enter_context(cluster.started())
        if isinstance(cluster, distributed.Client):
            client = cluster
        elif isinstance(cluster, str) or hasattr(cluster, "scheduler_address"):
            client = stack.enter_context(_client(distributed, cluster))
        else:
            raise StriateError(
                f"cluster={cluster!r} is no cluster: give a number of workers, the address of a "
                "Dask scheduler, or a Dask client or cluster"
            )
        if not client.nthreads():
            _wait_for_first(client, batch=wanted is not None)
        yield Cluster(client, wanted)


def _client(distributed: Any, address: Any) -> Any:
    try:
        return distributed.Client(address, timeout=_ANSWER_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        reason = str(error).partition("\n")[0]
        raise StriateError(
            f"no Dask scheduler answers at {address}: {reason}; start one with: dask scheduler"
        ) from None


def _wait_for_first(client: Any, *, batch: bool) -> None:
    try:
        client.wait_for_workers(1, timeout=_FIRST_WORKER_SECONDS if batch else _ANSWER_SECONDS)
    except TimeoutError:
        address = client.scheduler.address
        raise StriateError(
            f"the Dask scheduler at {address} has no workers: start some with: "
            f"dask worker {address}"
        ) from None
