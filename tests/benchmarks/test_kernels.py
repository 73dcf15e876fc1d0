from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import kernel_tables, kernels
from benchmarks.limits import Limits
from striate.kernels import native


def test_a_limit_is_the_longer_of_arithmetic_and_copying() -> None:
    limits = Limits(2, {"avx2": 1e11, "baseline": 1e10}, {1024: 4e10, 2**20: 1e10})
    assert limits.peak == 1e11
    assert limits.bandwidth(2 * 1024) == 4e10
    assert limits.bandwidth(2 * 2**30) == 1e10
    # Halfway in powers of two.
    assert limits.bandwidth(2 * 2**15) == pytest.approx(2.5e10)
    assert limits.seconds(1e9, 2048) == pytest.approx(0.01)
    assert limits.seconds(1e3, 2**31) == pytest.approx(2**31 / 1e10)
    assert Limits(1, {}, {1024: 1e9}).seconds(1.0, 1.0) is None


def _result(**changes: Any) -> dict[str, Any]:
    limits = {"cores": 2, "flops": {"avx2": 1e11}, "copy": {"1024": 1e11, "1048576": 1e11}}
    flops = 2 * 64 * 26 * 26 * 9 * 32
    measurements = [
        {
            "program": program,
            "repetition": repetition,
            "layer": "N1 conv",
            "operation": operation,
            "seconds": [factor * flops / 1e11, 9.0, 0.0],
            "digest": [1.0, 0.5, 3.0],
        }
        for repetition in (1, 2, 3)
        for program, factor in (("striate", 2.0), ("torch-nchw", 4.0))
        for operation in ("forward", "to images", "to kernel")
    ]
    made = {
        "date": "2026-01-02",
        "command": "python -m benchmarks.kernels",
        "machine": {"processor": "Abacus", "cores": 2, "system": "Linux"},
        "versions": {"python": "3.11"},
        "repetitions": 3,
        "seconds": 0.25,
        "instruction_set": "avx2",
        "why_not_native": None,
    }
    return {
        "made": made,
        "missing": {},
        "limits": [limits] * 3,
        "limits_one_core": [limits | {"cores": 1}] * 3,
        "busy_cores": [0.02, 0.01],
        "measurements": measurements,
        "ran_on": {"striate": "native, avx2", "torch-nchw": "PyTorch"},
        "failures": {},
    } | changes


def test_tables_show_speeds_and_parts_of_the_limit() -> None:
    text = kernel_tables.markdown(_result())
    assert "| N1 conv | forward | 24.9 | 1.93 | 100 | 50.0 | 3.88 | 50% | 25.0 |" in text
    assert "| N1 | all three | 50.0; 50%; 50% | 25.0; 25%; 25% |" in text
    assert "agree to 1e-04" in text
    assert "not quiet" not in text


def test_a_result_that_differs_makes_the_table_void() -> None:
    result = _result()
    for measured in result["measurements"]:
        if measured["program"] == "torch-nchw" and measured["operation"] == "to kernel":
            measured["digest"] = [1.0, 0.7, 3.0]
    assert any(line.startswith("torch-nchw, N1 conv, to kernel") for line in
               kernel_tables.strangers(result))  # fmt: skip
    assert "**Void**" in kernel_tables.markdown(result)


def test_unknown_networks_and_programs_are_refused_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert kernels.main(["--networks", "N2"]) == 2
    assert kernels.main(["--programs", "tosch"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("--networks: 'N2' is none of N1")
    assert "unknown program 'tosch'" in lines[1]


def test_poolings_are_bytes_a_second_beside_a_copy() -> None:
    moved = 100 * (8 * 8 * 4 + 4 * 4 * 5) * 10
    measurements = [
        {
            "program": "striate",
            "repetition": 1,
            "layer": "max of ten",
            "operation": operation,
            "seconds": [moved / speed],
            "digest": [1.0, 0.5, 3.0],
        }
        for operation, speed in (("forward", 2e10), ("to images", 4e10))
    ]
    text = kernel_tables.markdown(_result(measurements=measurements))
    assert "| max of ten | 100x8x8x10 | forward | 0.336 | 100 | 100 | 20.0 |" in text
    assert "| max of ten | 100x8x8x10 | to images | 0.336 | 100 | 100 | 40.0 |" in text
    assert "## Networks" not in text


def test_dense_layers_are_operations_a_second() -> None:
    measured = {
        "program": "striate",
        "repetition": 1,
        "layer": "N13 dense",
        "operation": "to kernel",
        "seconds": [2 * 100 * 90 * 50 / 3e10],
        "digest": [1.0, 0.5, 3.0],
    }
    text = kernel_tables.markdown(_result(measurements=[measured]))
    assert "| N13 dense | 100x90 times 90x50 | to kernel | 0.900 |" in text
    assert text.count("N13 dense") == 1
    assert " 30.0 |\n" in text


@pytest.mark.slow
@pytest.mark.parametrize("layers", ["pooling", "dense"])
def test_the_benchmark_measures_what_is_no_convolution(layers: str, tmp_path: Path) -> None:
    """Where XLA's own and ours agree on every result."""
    command = ["--quick", "--seconds", "0.002", "--networks", layers, "--out", str(tmp_path)]
    assert kernels.main([*command, "--programs", "striate", "jax-lax"]) == 0
    (file,) = tmp_path.glob("kernels-*.md")
    assert "agree to 1e-04" in file.read_text()


@pytest.mark.slow
def test_the_benchmark_runs(tmp_path: Path) -> None:
    programs = ["striate", "striate-reference"]
    status = kernels.main(
        ["--quick", "--networks", "N12", "--programs", *programs, "--out", str(tmp_path)]
    )
    assert status == 0
    (file,) = tmp_path.glob("kernels-*.json")
    result = json.loads(file.read_text())
    assert result["ran_on"]["striate-reference"] == "reference"
    assert result["ran_on"]["striate"].startswith("native") == native.available()
    assert len(result["measurements"]) == 3 * len(programs)
    assert all(rate > 0 for limits in result["limits"] for rate in limits["copy"].values())
    assert "## Networks" in file.with_suffix(".md").read_text()
