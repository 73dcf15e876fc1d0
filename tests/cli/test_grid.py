"""Scans from the command line; most tests share one scan of a process."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

WORDS = ("grid", "ox", "--learning-rate", "1e-3:1e8:3", "--seed", "0,1", "--epochs", "2")


class Scanned(NamedTuple):
    place: Path
    directory: Path
    out: str
    err: str


@pytest.fixture(scope="module")
def scanned(process, tmp_path_factory) -> Scanned:
    """Six cells, in a folder of its own."""
    place = tmp_path_factory.mktemp("scanned")
    status, out, err = process(*WORDS, cwd=place)
    assert status == 0, err
    (directory,) = (place / "runs").iterdir()
    return Scanned(place, directory, out, err)


@pytest.fixture
def beside(scanned, striate, monkeypatch):
    """The command in this process, in the folder that holds the scan."""
    monkeypatch.chdir(scanned.place)
    return striate


def test_it_ends_with_the_best_cell_and_the_path_of_the_report(scanned):
    lines = scanned.out.splitlines()
    assert re.fullmatch(r"6 cells, \d diverged in [\d.]+ s", lines[-4])
    assert re.match(r"best: learning_rate .*, seed [01]: test accuracy [\d.]+", lines[-3])
    assert lines[-1] == f"report: runs/{scanned.directory.name}/report.html"
    page = (scanned.directory / "report.html").read_text()
    assert page.count("<img") == 3
    assert "striate grid ox" in page
    for name in ("train_accuracy", "test_accuracy", "history"):
        assert (scanned.directory / "figures" / f"{name}.pdf").stat().st_size > 1000


def test_it_is_listed_among_the_runs(beside, scanned):
    status, out, _ = beside("runs")
    assert status == 0
    assert re.search(rf"{scanned.directory.name} +finished +6/6 ", out)
    listed = json.loads(beside("runs", "--json").out)
    assert listed["runs"] == []
    assert listed["scans"][0]["cells_done"] == 6


def test_a_finished_scan_is_not_computed_again(beside, scanned):
    table = (scanned.directory / "table.csv").read_bytes()
    status, out, err = beside("grid", "--resume", "last", "--no-report", "--json")
    assert status == 0
    assert "nothing to go on with" in err
    found = json.loads(out)
    assert len(found["cells"]) == 6
    assert found["axes"]["seed"] == [0, 1]
    assert (scanned.directory / "table.csv").read_bytes() == table


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("grid",), "grid needs a dataset"),
        (("grid", "ox", "--l2", "1:2"), "--l2 '1:2' is no range"),
        (("grid", "ox", "--seed", "0,1", "--set", "seed=2"), "is given beside --seed"),
        (("grid", "ox", "--set", "filtres=2,3"), "did you mean 'filters'"),
        (("grid", "--resume", "last", "--seed", "1"), "leave out dataset and settings"),
        (("grid", "--resume", "lost"), "no scan 'lost'"),
    ],
)
def test_a_wrong_call_gets_one_line(striate, words, line):
    status, _, err = striate(*words)
    assert status == 2
    assert line in err
    assert err.count("\n") == 1


def test_ctrl_c_on_a_terminal_says_how_to_resume(home, tmp_path):
    """The table lives on a terminal; it is left at the first sign of an epoch."""
    main, terminal = pty.openpty()
    words = ["grid", "digits", "--learning-rate", "0.01,0.1", "--l2", "0,0.1", "--epochs", "100000"]
    with subprocess.Popen(
        [sys.executable, "-m", "striate", *words],
        cwd=tmp_path,
        env=home | {"TERM": "xterm", "COLUMNS": "100"},
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        start_new_session=True,
    ) as scan:
        os.close(terminal)
        told = b""
        try:
            while b"epoch" not in told:
                told += os.read(main, 4096)
            os.kill(scan.pid, signal.SIGINT)
            # The terminal's other end is closed when the scan has ended.
            with contextlib.suppress(OSError):
                while more := os.read(main, 4096):
                    told += more
            assert scan.wait() == 130
        finally:
            scan.kill()
    assert b"test accuracy: learning_rate down, l2 across" in told
    words = re.sub(r"\s+", " ", told.decode())
    assert re.search(r"stopped by Ctrl-C with 0 of 4 cells done; go on with: striate grid", words)
    os.close(main)
