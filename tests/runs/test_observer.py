from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

import striate as st
from striate.engine import Progress
from striate.runs import Lines

CONFIG: dict[str, Any] = {
    "training": {"epochs": 3},
    "model": {"name": "heidelberg"},
    "dataset": {"name": "mnist"},
}


def test_lines() -> None:
    stream = io.StringIO()
    lines = Lines(stream, seconds=0.0)
    lines.on_start(Path("runs/x"), CONFIG)
    lines.on_progress(Progress(0, 469, 938, {"loss": 0.5}, 118_000.0))
    lines.on_epoch(1, 3, {"loss": 0.25, "accuracy": 0.9}, 0.5)
    lines.on_message("a warning")
    assert stream.getvalue().splitlines() == [
        "training heidelberg on mnist: runs/x",
        "epoch 1/3: 50%, 118,000 images/s",
        "epoch 1/3: loss 0.2500, accuracy 0.9000 (500 ms)",
        "a warning",
    ]


def test_only_first_and_last_epoch_of_a_fast_training() -> None:
    stream = io.StringIO()
    lines = Lines(stream, seconds=1e9)
    lines.on_start(Path("runs/x"), CONFIG)
    for epoch in (1, 2, 3):
        lines.on_progress(Progress(epoch - 1, 1, 2, {}, 1.0))
        lines.on_epoch(epoch, 3, {"loss": 1.0}, 0.01)
    assert [line.split(":")[0] for line in stream.getvalue().splitlines()[1:]] == [
        "epoch 1/3",
        "epoch 3/3",
    ]


@pytest.mark.parametrize(("verbose", "lines"), [(None, 0), (0, 0), (1, 4)])
def test_stdout_stays_clean_and_stderr_is_asked_for(
    train: Any, capsys: pytest.CaptureFixture[str], verbose: int | None, lines: int
) -> None:
    train(epochs=3, verbose=verbose)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert (captured.err.count("\n") > 0) == (lines > 0)
    # The others are said only where two seconds have passed.
    for epoch in (1, 3):
        assert captured.err.count(f"\nepoch {epoch}/3: ") == (lines > 0)


def test_a_run_speaks_for_itself(reference: st.Run) -> None:
    text = repr(st.Run.load(reference.directory))
    assert text.startswith(f"Run('{reference.directory}': custom on digits, finished, 6/6 epochs")
