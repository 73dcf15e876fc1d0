"""Ctrl-C and SIGTERM during a training: stop at the next chance, and say how to go on."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any


class Interrupted(KeyboardInterrupt):
    """A training was stopped by a signal, after its checkpoint was written.

    Attributes
    ----------
    signal
        ``signal.SIGINT`` or ``signal.SIGTERM``; a command exits with 128 plus this number.
    directory
        The run, which `striate.runs.resume` continues.
    """

    def __init__(self, message: str, signal_number: int, directory: Path) -> None:
        super().__init__(message)
        self.signal = signal.Signals(signal_number)
        self.directory = directory


@dataclass
class StopRequest:
    """Whether, and by which signal, the training has been asked to stop."""

    signal: int | None = None


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Note the first Ctrl-C or SIGTERM instead of dying of it, while the block runs.

    The first one also puts the handlers back that were there before, so that a second one stops
    at once. A signal that is ignored stays ignored (a job in the background of a shell), and
    outside the main thread, where Python allows no handlers, nothing is changed.
    """
    request = StopRequest()
    before: dict[int, Any] = {}

    def restore() -> None:
        while before:
            signal.signal(*before.popitem())

    def note(number: int, _: FrameType | None) -> None:
        request.signal = number
        restore()

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            # None: a handler that was not set from Python could not be put back.
            if handler not in (signal.SIG_IGN, None):
                before[number] = handler
                signal.signal(number, note)
    try:
        yield request
    finally:
        restore()
