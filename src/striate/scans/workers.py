"""Blocks of a scan in several threads of this process, and what they tell."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from striate.scans.block import BlockTraining, Progress, Result
from striate.scans.keeping import Checkpoints
from striate.scans.plan import Recipe
from striate.scans.programs import Programs

# An epoch may take a few milliseconds; nobody needs to hear of each.
_BETWEEN_EVENTS = 0.05

Event = tuple[int, Progress, Result | None]


class Workers:
    """Threads that take one block after the other.

    Parameters
    ----------
    recipe, scan
        What is computed.
    blocks
        Numbers of the blocks, in the order in which they are begun.
    directory
        Of the scan, where blocks are kept while they are computed; not kept without.
    """

    def __init__(
        self,
        recipe: Recipe,
        scan: Mapping[str, Any],
        blocks: Sequence[int],
        directory: Path | None = None,
    ) -> None:
        self._recipe, self._scan, self._directory = recipe, scan, directory
        self._programs = Programs(recipe, scan)
        self._waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in blocks:
            self._waiting.put(number)
        self._events: queue.SimpleQueue[Event | BaseException | None] = queue.SimpleQueue()
        self._threads = min(scan["side_by_side"], len(blocks))
        self._stopped = False

    def events(self, stopped: Callable[[], bool]) -> Iterator[Event]:
        """Compute; yield how far the blocks are, with their results when they are done.

        When `stopped` answers True blocks are abandoned, each after its epoch, or, if that is long,
        about a quarter of a second.
        """
        running = self._threads
        for _ in range(running):
            threading.Thread(target=self._work, daemon=True).start()
        try:
            while running:
                self._stopped = self._stopped or stopped()
                try:
                    event = self._events.get(timeout=0.1)
                except queue.Empty:
                    continue
                if event is None:
                    running -= 1
                elif isinstance(event, BaseException):
                    raise event
                else:
                    yield event
        finally:
            self._stopped = True

    def _work(self) -> None:
        try:
            while not self._stopped:
                try:
                    number = self._waiting.get_nowait()
                except queue.Empty:
                    break
                self._compute(number)
        except BaseException as error:
            self._events.put(error)
        self._events.put(None)

    def _compute(self, number: int) -> None:
        training = BlockTraining(self._recipe, self._scan, number, self._programs)
        told = -_BETWEEN_EVENTS

        def on_epoch(training: BlockTraining) -> bool:
            nonlocal told
            now = time.monotonic()
            if now - told >= _BETWEEN_EVENTS:
                told = now
                self._events.put((number, training, None))
            return self._stopped

        kept = None if self._directory is None else Checkpoints(self._directory, number)
        if kept is not None:
            kept.restore(training)
        if training.train(training.epochs, on_epoch, kept):
            result = training.result(keep_weights=self._scan["keep_models"])
            self._events.put((number, training, result))
