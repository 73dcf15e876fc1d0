"""A scan that was stopped, in whatever way, comes to the table of one that was not."""

from __future__ import annotations

import contextlib
import json
import math
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import striate as st
from striate.errors import StriateError
from striate.scans import ScanObserver, resume

AXES = {"learning_rate": [0.05, 0.1], "l2": [0.0, 1e-2]}


class Stop(ScanObserver):
    """Stops a scan when the first block is done."""

    def __init__(self, number):
        self.number = number

    def on_block(self, block, result):
        signal.raise_signal(self.number)


def scan(network, digits, folder, **given):
    settings = {"epochs": 2, "batch_size": 60, "name": "scan", "side_by_side": 1}
    needed = st.engine.bytes_per_model(network(), 60)
    return st.grid(
        network, digits, directory=folder, memory=2 * needed, **settings, **AXES, **given
    )


@pytest.fixture(scope="module")
def whole(network, digits, tmp_path_factory):
    """A scan that was never stopped: two blocks, one after the other."""
    found = scan(network, digits, tmp_path_factory.mktemp("whole"))
    assert [len(block["cells"]) for block in found.config["blocks"]] == [2, 2]
    return found


def contents(directory: Path) -> dict[str, bytes]:
    """Return the table and the histories."""
    files = [directory / "table.csv", *sorted((directory / "histories").iterdir())]
    return {path.name: path.read_bytes() for path in files}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_a_scan_that_resumes_to_the_same_bits(
    number, whole, network, digits, tmp_path
):
    with pytest.raises(st.runs.Interrupted, match=r"2 of 4 cells.*striate grid --resume") as stop:
        scan(network, digits, tmp_path, observer=Stop(number))
    assert stop.value.signal == number
    assert len(st.GridResult.load(tmp_path / "scan").rows) == 2
    (listed,) = st.scans.list_scans(tmp_path)
    assert (listed.state, listed.cells_done, listed.cells) == ("interrupted", 2, 4)
    assert st.runs.list_runs(tmp_path) == []
    described = json.loads((tmp_path / "scan" / "scan.json").read_text())
    described["versions"]["build of the kernels"] = "0123456789ab"
    (tmp_path / "scan" / "scan.json").write_text(json.dumps(described))
    found = resume(tmp_path / "scan", network, digits)
    assert "the scan began with build of the kernels 0123456789ab" in (
        tmp_path / "scan" / "log.txt"
    ).read_text(encoding="utf-8")
    assert found.finished
    assert contents(found.directory) == contents(whole.directory)
    again = resume(found.directory)  # finished: neither function nor data are asked for
    assert again.table() == found.table()


class StopAt(ScanObserver):
    """Stops a scan once an epoch is done, and keeps which epochs it was told of."""

    def __init__(self, epoch=math.inf):
        self.epoch, self.told = epoch, []

    def on_epoch(self, block, training):
        self.told.append(training.epoch)
        if training.epoch >= self.epoch:
            signal.raise_signal(signal.SIGTERM)


def test_a_block_goes_on_from_within(network, digits, tmp_path):
    given = {"epochs": 150, "batch_size": 60, "side_by_side": 1, "directory": tmp_path}
    given |= {"learning_rate": [0.05, 1e38]}  # the second diverges at once
    whole = st.grid(network, digits, name="whole", **given)
    with pytest.raises(st.runs.Interrupted, match="0 of 2 cells"):
        st.grid(network, digits, name="half", observer=StopAt(1), **given)
    assert any((tmp_path / "half" / "checkpoints" / "block-000").iterdir())
    told = StopAt()
    found = resume(tmp_path / "half", network, digits, observer=told)
    assert min(told.told) >= 1  # one that begins anew tells of none done
    assert contents(found.directory) == contents(whole.directory)
    assert not (found.directory / "checkpoints").exists()


def test_resuming_needs_the_function_and_the_same_data(network, digits, tmp_path):
    with pytest.raises(st.runs.Interrupted):
        scan(network, digits, tmp_path, observer=Stop(signal.SIGINT))
    with pytest.raises(StriateError, match="the scan is of a function build"):
        resume(tmp_path / "scan", data=digits)
    with pytest.raises(StriateError, match="of other data"):
        resume(tmp_path / "scan", network, st.load("digits", limit=300))
    table = tmp_path / "scan" / "table.csv"
    table.write_text(table.read_text().replace("0.", "zero", 4))
    with pytest.raises(StriateError, match=r"table\.csv is damaged.*remove it"):
        resume(tmp_path / "scan", network, digits)
    described = json.loads((tmp_path / "scan" / "scan.json").read_text())
    described["versions"]["jax"] = "0.0.1"
    (tmp_path / "scan" / "scan.json").write_text(json.dumps(described))
    table.unlink()
    with pytest.raises(StriateError, match=r"jax 0\.0\.1"):
        resume(tmp_path / "scan", network, digits)


def test_a_folder_that_is_no_scan_is_refused(tmp_path):
    with pytest.raises(StriateError, match="no such scan"):
        resume(tmp_path / "missing")
    with pytest.raises(StriateError, match="is no scan"):
        resume(tmp_path)


@contextlib.contextmanager
def scanner() -> Iterator[Callable[[Path], Iterator[tuple[str, int]]]]:
    """Give a function that scans in a process of its own and yields what ``scanner.py`` says."""
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("scanner.py"))],
        env=os.environ | {"KERAS_BACKEND": "jax"},  # Keras is imported before striate there
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin is not None and server.stdout is not None
        questions, answers = server.stdin, server.stdout

        def start(path: Path) -> Iterator[tuple[str, int]]:
            questions.write(f"{path}\n")
            questions.flush()
            for line in answers:
                what, number = line.split()
                yield what, int(number)
                if what == "exit":
                    return

        yield start
        questions.close()


def test_killed_at_random_moments_a_scan_comes_to_the_same_table(tmp_path):
    """Cells of two structures, two blocks each, two of them at a time."""
    choice = random.Random(1)  # noqa: S311  # moments, no secrets
    with scanner() as start:
        told = list(start(tmp_path / "whole"))
        assert told[-1] == ("exit", 0)
        kills = 0
        while True:
            # The first two so early that nothing can be done yet.
            moment, process = choice.randrange(*((1, 4) if kills < 2 else (4, 24))), 0
            for count, (what, number) in enumerate(start(tmp_path / "killed")):
                if what == "process":
                    process = number
                if count == moment and what != "exit":
                    os.kill(process, signal.SIGKILL)
            assert what == "exit"
            if number == 0:
                break
            assert number == -signal.SIGKILL
            kills += 1
            assert kills < 30
    assert kills >= 2
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    assert not list(tmp_path.rglob(".*.csv"))
