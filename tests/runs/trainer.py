"""Train in processes that can be killed.

Started once by a test, so that Keras is imported once; for each path on its standard input it
forks a process that begins that run, or goes on with it. It answers with the process's number, a
line an epoch, and how the process ended.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import conftest

import striate as st
from striate.runs import loop
from striate.runs.resuming import resume
from striate.runs.training import train

EPOCHS = 200

# As many checkpoints as can be, within epochs too, so that a kill meets one that is being written.
loop.EPOCH_SECONDS = loop.LONG_EPOCH_SECONDS = 0.005
loop.LEAST_BETWEEN = 1


def say(*words: Any) -> None:
    # One write a line: a process that is killed leaves no half line.
    os.write(sys.stdout.fileno(), " ".join([str(word) for word in words] + ["\n"]).encode())


class Saying(st.runs.Observer):
    def on_epoch(self, epoch: int, epochs: int, logs: Any, seconds: float) -> None:
        say("epoch", epoch)


def main(run: Path) -> None:
    data = st.load("digits", limit=400)
    if run.exists():
        resume(run, data, observer=Saying())
    else:
        given = conftest.TRAINING | {"epochs": EPOCHS, "directory": run.parent, "name": run.name}
        train(conftest.build, data, observer=Saying(), **given)


if __name__ == "__main__":
    for path in sys.stdin:
        child = os.fork()
        if child == 0:
            main(Path(path.strip()))
            os._exit(0)
        say("process", child)
        say("exit", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
