"""Blocks on their way to Dask workers and back: what the scan's process does, and a worker."""

from __future__ import annotations

import json
import math
import queue
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from striate.data import Dataset, load_again
from striate.errors import StriateError
from striate.runs import provenance
from striate.scans.block import History, Progress, Result, compute_block
from striate.scans.cluster import library
from striate.scans.plan import Recipe
from striate.scans.workers import Event

# How often a block tells how far it is, and asks whether it is still wanted.
_BETWEEN_WORDS = 1.0


@dataclass
class Remote:
    """How far a block is elsewhere, in its last word; of each history only the latest values."""

    cells: list[int]
    epochs: int
    epoch: int
    histories: list[History]
    diverged: list[int | None]


class Distribution:
    """Blocks that are computed by the workers of a Dask cluster.

    A worker that dies costs the time that its block has taken; Dask gives the block to another.

    Parameters
    ----------
    client
        A ``distributed.Client``, connected.
    failure
        Answers why there will be no workers any more, or None.
    recipe, scan, blocks
        As those of `striate.scans.workers.Workers`.
    """

    def __init__(
        self,
        client: Any,
        failure: Callable[[], str | None],
        recipe: Recipe,
        scan: Mapping[str, Any],
        blocks: Sequence[int],
    ) -> None:
        self._client, self._failure = client, failure
        self._scan, self._blocks = scan, blocks
        named = scan["model"]["name"] != "custom"
        self._build = None if named else recipe.build
        again = scan["dataset"]["load"] is not None
        # Data that have a name or path are read where they are needed; others travel.
        self._data = None if again else recipe.data
        self._topic = f"striate-{uuid.uuid4().hex}"
        self._events: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()

    def events(self, stopped: Callable[[], bool]) -> Iterator[Event]:
        """Compute; yield how far the blocks are, with their results when they are done.

        When `stopped` answers True those that run are told so, and abandoned.

        Raises
        ------
        StriateError
            If a block cannot be computed, has cost several workers their lives, or the scheduler
            or all workers are gone.
        """
        distributed = library("distributed")
        self._client.subscribe_topic(self._topic, self._hear)
        futures = {number: self._submit(number) for number in self._blocks}
        try:
            while futures:
                if stopped():
                    break
                try:
                    number, word = self._events.get(timeout=0.1)
                except queue.Empty:
                    reason = self._failure()
                    if reason is not None:
                        raise StriateError(reason) from None
                    continue
                if number not in futures:
                    continue
                if isinstance(word, Remote):
                    yield number, word, None
                    continue
                result = _result(distributed, futures.pop(number), number)
                yield number, _last_word(self._scan, number, result), result
        finally:
            self._client.unsubscribe_topic(self._topic)
            if futures:
                distributed.Event(self._topic, client=self._client).set()
                self._client.cancel(list(futures.values()))

    def _submit(self, number: int) -> Any:
        scan = {**self._scan, "blocks": {number: self._scan["blocks"][number]}}
        future = self._client.submit(
            compute,
            scan,
            number,
            self._build,
            self._data,
            self._topic,
            key=f"{self._topic}-{number}",
            pure=False,
        )
        future.add_done_callback(lambda _: self._events.put((number, None)))
        return future

    def _hear(self, event: tuple[float, Mapping[str, Any]]) -> None:
        self._events.put((event[1]["block"], Remote(**event[1]["word"])))


def _result(distributed: Any, future: Any, number: int) -> Result:
    try:
        found = future.result()
    except StriateError:
        raise
    except distributed.KilledWorker as error:
        raise StriateError(
            f"block {number + 1} was computed by {error.last_worker.address} when it died, as "
            "several workers before: give it less memory (memory=), or look into their logs; the "
            "blocks that are done are kept, resume the scan"
        ) from None
    except (distributed.FutureCancelledError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise StriateError(
            f"the cluster has lost block {number + 1} ({reason}): the blocks that are done are "
            "kept, resume the scan"
        ) from None
    if not isinstance(found, Result):
        raise StriateError(f"block {number + 1} was abandoned by its worker: resume the scan")
    return found


def _last_word(scan: Mapping[str, Any], number: int, result: Result) -> Progress:
    epochs = max(row["epochs_done"] for row in result.rows)
    diverged = [row["diverged"] for row in result.rows]
    cells = list(scan["blocks"][number]["cells"])
    return Remote(cells, epochs, epochs, result.histories, diverged)


def compute(
    scan: Mapping[str, Any], number: int, build: Any, data: Dataset | None, topic: str
) -> Result | None:
    """Compute a block in a Dask worker, which tells under `topic` how far it is.

    Parameters
    ----------
    scan
        The contents of ``scan.json``; of its blocks only this is needed.
    number
        Which block.
    build, data
        As in `striate.scans.block.compute_block`.
    topic
        The name of the words sent to whoever asked for the block, and of the event which says that
        nobody wants it any more.

    Raises
    ------
    StriateError
        If the worker has other versions, or not the data.
    """
    distributed = library("distributed")
    worker = distributed.get_worker()
    unwanted = distributed.Event(topic)
    told = -math.inf

    def on_epoch(training: Progress) -> bool:
        nonlocal told
        now = time.monotonic()
        if now - told < _BETWEEN_WORDS:
            return False
        told = now
        worker.log_event(topic, {"block": number, "word": _word(training)})
        return bool(unwanted.is_set())

    try:
        provenance.refuse_other_versions(scan, Path("the scan"))
        if data is None:
            data = _loaded(json.dumps(scan["dataset"]))
    except StriateError as error:
        raise StriateError(f"the worker {worker.address}: {error}") from None
    keep = bool(scan["keep_models"])
    return compute_block(scan, number, build, data, keep_weights=keep, on_epoch=on_epoch)


def _word(training: Progress) -> dict[str, Any]:
    return {
        "cells": training.cells,
        "epochs": training.epochs,
        "epoch": training.epoch,
        "histories": [
            {name: values[-1:] for name, values in history.items()}
            for history in training.histories
        ],
        "diverged": training.diverged,
    }


@lru_cache(maxsize=1)
def _loaded(described: str) -> Dataset | None:
    """Load the data of a scan; a worker's next block has them already."""
    return load_again(json.loads(described))
