"""Scan in processes that can be killed.

Started once by a test, so that Keras is imported once; for each path on its standard input it
forks a process that begins that scan, or goes on with it. It answers with the process's number,
a line an epoch that it is told of and a block, and how the process ended.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import conftest

import striate as st
from striate.scans import keeping, training
from striate.scans.observer import ScanObserver

AXES = {"learning_rate": [0.05, 0.1], "l2": [0.0, 1e-4, 1e-2], "filters": [2, 4]}
EPOCHS = 12

# As many checkpoints as can be, within epochs too, so that a kill meets one that is being written.
keeping.SECONDS = 0.005
keeping.LEAST_BETWEEN = 1


def say(*words: Any) -> None:
    # One write a line: a process that is killed leaves no half line.
    os.write(sys.stdout.fileno(), " ".join([str(word) for word in words] + ["\n"]).encode())


class Saying(ScanObserver):
    def on_epoch(self, block: int, training: Any) -> None:
        say("epoch", training.epoch)

    def on_block(self, block: int, result: Any) -> None:
        say("block", block)


def main(scan: Path) -> None:
    data = st.load("digits", limit=400)
    if scan.exists():
        training.resume(scan, conftest.build, data, observer=Saying())
    else:
        training.grid(
            conftest.build,
            data,
            epochs=EPOCHS,
            batch_size=60,
            directory=scan.parent,
            name=scan.name,
            side_by_side=2,
            observer=Saying(),
            **AXES,
        )


if __name__ == "__main__":
    for path in sys.stdin:
        child = os.fork()
        if child == 0:
            main(Path(path.strip()))
            os._exit(0)
        say("process", child)
        say("exit", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
