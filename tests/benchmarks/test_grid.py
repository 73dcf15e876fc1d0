"""The grid: which cells, what is extrapolated, and that the programs train the same networks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import grid, grid_inputs, grid_tables
from benchmarks.grid_programs import jax_program, striate_program
from benchmarks.peers.jax_program import prepare


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("grid") / "digits.npz"
    grid_inputs.save(grid.digits(), path)
    return str(path)


@pytest.mark.parametrize("size", grid.SIZES)
def test_a_grid_has_each_cell_once(size: int) -> None:
    cells = grid.cells_of(size)
    assert len({tuple(cell) for cell in cells}) == size
    assert list(grid.GOOD) in cells


def test_the_lectures_grid_has_seven_powers_of_ten_twice() -> None:
    cells = np.array(grid.cells_of(49))
    for axis in (0, 1):
        np.testing.assert_allclose(np.unique(cells[:, axis]), 10.0 ** np.arange(-5, 2))


def test_some_cells_are_spread_over_all() -> None:
    cells = grid.cells_of(49)
    assert grid.spread_over(cells, 49) == cells
    assert grid.spread_over(cells, 2) == [cells[12], cells[36]]


def test_all_cells_under_vmap_are_those_trained_alone(inputs: str) -> None:
    cells = [[0.1, 1e-3, 0], [0.01, 0.1, 1]]
    found = jax_program.run(inputs, cells, 1, convolution="shifts")["accuracies"]
    digits = grid_inputs.load(inputs)
    for cell, (train, _) in zip(cells, found, strict=True):
        workload = grid_inputs.workload(cell, 1)
        alone = prepare(workload, grid_inputs.given(digits, cell), shuffle=True, convolution="lax")
        # Both draw the order of images from NumPy's generator of seed 0.
        alone.train(1)
        weights = alone.state[0]
        logits = jax_program.apply(workload.layers, weights, alone.images, alone.convolve)
        expected = float(np.mean(np.asarray(logits).argmax(-1) == digits.train_labels))
        assert train == pytest.approx(expected, abs=2 / len(digits.train_labels))


def test_striate_gives_the_accuracies_in_the_order_of_the_cells(inputs: str) -> None:
    cells = [[rate, 1e-3, 0] for rate in (1e-5, 0.3)]
    forward = striate_program.run(inputs, cells, 3)["accuracies"]
    assert striate_program.run(inputs, cells[::-1], 3)["accuracies"] == pytest.approx(
        np.array(forward[::-1]), abs=0.01
    )
    assert forward[1][0] > forward[0][0] + 0.2


def _measured(program: str, repetition: int, seconds: float, **changes: Any) -> dict[str, Any]:
    cells = grid.cells_of(7)
    return {
        "what": "grid",
        "program": program,
        "repetition": repetition,
        "cells": 7,
        "trained": cells,
        "accuracies": [[0.9, 0.5 + rate / 100] for rate, _, _ in cells],
        "seconds_cells": seconds - 1,
        "seconds_process": seconds,
        "seconds_processor": 2 * seconds,
        "other_cores": 0.0,
    } | changes


def _result(*measurements: dict[str, Any]) -> dict[str, Any]:
    made = {
        "date": "2026-01-02",
        "command": "python -m benchmarks.grid",
        "machine": {"processor": "Abacus", "cores": 2, "system": "Linux"},
        "versions": {"python": "3.11"},
        "repetitions": 2,
        "epochs": 100,
    }
    return {
        "made": made,
        "missing": {},
        "failures": {},
        "seeds": None,
        "measurements": list(measurements),
    }


def test_what_a_loop_has_not_trained_is_added_and_said() -> None:
    some = {"trained": grid.cells_of(7)[:2], "accuracies": [[0.9, 0.5], [0.9, 0.5]]}
    result = _result(
        _measured("striate", 1, 6.0),
        _measured("torch", 1, 5.0, **some),
        _measured("striate", 2, 3.0),
        _measured("torch", 2, 5.0, **some),
    )
    # One second to start, two for each of seven cells.
    assert grid_tables.seconds(result["measurements"][1]) == 15.0
    text = grid_tables.markdown(result)
    assert "| torch | 2 of 7, rest extrapolated | 15.0 | 15.0 | 5.00 | - | 0.5000 | 0 |" in text
    assert "| striate | 7 | 6.0 | 3.00 | 1.00 | 6 | 0.6000 | 0 |" in text
    assert grid_tables.best_cell(result) == [10.0, 1e-3, 0]


def test_a_program_that_trains_something_else_makes_the_table_void() -> None:
    other = _measured("torch", 1, 5.0)
    other["accuracies"] = [[0.9, test - 0.1] for _, test in other["accuracies"]]
    result = _result(_measured("striate", 1, 6.0), other)
    assert grid_tables.strangers(result) == ["torch: by 0.10 in half of the cells"]
    assert "**Void**" in grid_tables.markdown(result)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--sizes", "50"], "there are grids of 1, 7, 49, 343 cells"),
        (["--loop-cells", "50"], "at most 49"),
        (["--epochs", "0"], "must be above zero"),
        (["--programs", "jaxx"], "unknown program 'jaxx'"),
    ],
)
def test_a_wrong_call_is_refused(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert grid.main(words) == 2
    assert complaint in capsys.readouterr().err


def test_a_trial_writes_tables(tmp_path: Path) -> None:
    words = ["--quick", "--epochs", "1", "--programs", "jax-shifts", "--out", str(tmp_path)]
    assert grid.main(words) == 0
    (written,) = tmp_path.glob("grid-*.json")
    (measured,) = json.loads(written.read_text())["measurements"]
    assert len(measured["accuracies"]) == 7
    assert "| jax-shifts | 7 |" in written.with_suffix(".md").read_text()
