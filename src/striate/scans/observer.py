"""What a scan tells while it runs, and an observer that writes it as plain lines."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, TextIO

from striate.quantities import plural

if TYPE_CHECKING:
    from striate.scans.block import Progress, Result
    from striate.scans.result import GridResult


class ScanObserver:
    """Is told how a scan goes; a subclass overrides what it wants to know.

    All methods are called in the thread that asked for the scan, which waits for them.
    """

    def on_build(self, number: int, cells: int) -> None:
        """Hear that network `number` (from 0) of so many is being built."""

    def on_start(self, grid: GridResult) -> None:
        """Hear that the computation begins, or goes on; of a resumed scan some cells are done."""

    def on_epoch(self, block: int, training: Progress) -> None:
        """Hear how far a block is: after each epoch, and now and then within long ones."""

    def on_block(self, block: int, result: Result) -> None:
        """Hear that a block is done."""

    def on_message(self, text: str) -> None:
        """Hear a sentence for the user."""

    def on_end(self, grid: GridResult) -> None:
        """Hear that the scan is finished."""


class ScanLines(ScanObserver):
    """Writes a line now and then.

    Parameters
    ----------
    stream
        Where to, such as ``sys.stderr``.
    seconds
        At least so long between two lines on the progress of a block.
    """

    def __init__(self, stream: TextIO, seconds: float = 2.0) -> None:
        self._stream = stream
        self._seconds = seconds
        self._written = -math.inf
        self._blocks = 0

    def on_start(self, grid: GridResult) -> None:
        """Write where the scan is."""
        self._blocks = len(grid.config["blocks"])
        blocks = plural(self._blocks, "block")
        self._write(f"{grid.directory}: {plural(len(grid.cells), 'cell')} in {blocks}")

    def on_epoch(self, block: int, training: Progress) -> None:
        """Write how far a block is."""
        now = time.monotonic()
        if now - self._written >= self._seconds:
            self._written = now
            self._write(
                f"block {block + 1} of {self._blocks}, {plural(len(training.cells), 'cell')}: "
                f"epoch {training.epoch} of {training.epochs}"
            )

    def on_message(self, text: str) -> None:
        """Write the sentence."""
        self._write(text)

    def on_end(self, grid: GridResult) -> None:
        """Write what came out."""
        self._write(repr(grid))

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()
