"""Checkpoints of a block in the scan's directory, while the block is computed."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from striate.errors import StriateError
from striate.runs import checkpoint
from striate.runs.directory import writing
from striate.scans.block import BlockTraining

CHECKPOINTS = "checkpoints"
# Between two checkpoints at least so long; a kill costs no more than this.
SECONDS = 10.0
# Writing may take one part in so many of the time.
LEAST_BETWEEN = 20


class Checkpoints:
    """Those of one block.

    Parameters
    ----------
    directory
        Of the scan.
    number
        Of the block.
    """

    def __init__(self, directory: Path, number: int) -> None:
        self._folder = directory / CHECKPOINTS / f"block-{number:03d}"
        self._saved = time.monotonic()
        self._took = 0.0

    def due(self) -> bool:
        """Return whether it is time for one."""
        least = max(SECONDS, LEAST_BETWEEN * self._took)
        return time.monotonic() - self._saved >= least

    def save(self, training: BlockTraining) -> None:
        """Write one."""
        began = time.monotonic()
        with writing(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            checkpoint.write(self._folder, training.checkpoint())
        self._saved = time.monotonic()
        self._took = self._saved - began

    def restore(self, training: BlockTraining) -> None:
        """Have a block go on from the newest sound one, if there is one."""
        if not checkpoint.files(self._folder):
            return
        try:
            kept, _ = checkpoint.newest_good(self._folder)
        except StriateError:
            return  # The block begins anew, and comes to the same bits.
        training.restore(kept)


def remove(directory: Path, number: int) -> None:
    """Remove the checkpoints of a block that is done."""
    folder = directory / CHECKPOINTS
    shutil.rmtree(folder / f"block-{number:03d}", ignore_errors=True)
    if folder.exists() and not any(folder.iterdir()):
        folder.rmdir()
