from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import table
from benchmarks.comparison import Comparison
from benchmarks.measurement import Failure, Measurement
from striate.errors import StriateError

Measured = Callable[..., Measurement]


def test_markdown_has_making_medians_ratios_and_what_was_left_out(comparison: Comparison) -> None:
    comparison.add(Failure("jax-lax", "N12", 1, "exit status 1: no memory"))
    text = table.markdown(comparison)
    assert "Abacus, 2 cores, Linux" in text
    assert "python 3.11, jax 0.8" in text
    assert "first losses of 3 programs agree to 0e+00" in text
    assert "| Keras on TensorFlow | 20,000 (3.00x) |" in text
    assert "| **keras-jax** | 30,000 (15,000-30,000) | 3 | 2.00 (2.00-2.00) | 4.00 |" in text
    assert (
        "torch not installed: pip install 'striate[bench]'; "
        "left out: torch-eager-nchw, torch-eager-nhwc" in text
    )
    assert "jax-lax on N12, repetition 1: exit status 1: no memory" in text
    assert "void" not in text
    assert "not quiet" not in text


def test_a_void_comparison_says_which_program_and_by_how_much(
    measured: Measured, comparison: Comparison
) -> None:
    comparison.add(measured("jax-lax", 1, 1.0, losses=[2.5, 2.475]))
    text = table.markdown(comparison)
    assert "**N12 is void**" in text
    assert "jax-lax by 1e-01" in text


def test_a_busy_machine_is_said(measured: Measured) -> None:
    comparison = Comparison(
        made={
            "date": "today",
            "command": "c",
            "machine": {"processor": "Abacus", "cores": 2, "system": "Linux"},
            "versions": {},
            "repetitions": 1,
            "seconds": 1.0,
            "interrupted": True,
        }
    )
    comparison.add(measured("jax-lax", 1, 1.0, other_cores=0.8))
    text = table.markdown(comparison)
    assert "**The machine was not quiet.**" in text
    assert "**Interrupted**" in text
    assert "one program alone" in text


def test_csv_has_a_line_for_each_measurement(comparison: Comparison) -> None:
    lines = list(csv.DictReader(io.StringIO(table.comma_separated(comparison))))
    assert len(lines) == 9
    assert lines[4]["program"] == "keras-tensorflow"
    assert lines[4]["family"] == "Keras on TensorFlow"
    assert float(lines[4]["images_per_second"]) == 10_000
    assert "losses" not in lines[0]
    assert "environment" not in lines[0]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (123_456.0, "123,000"),
        (1_234.5, "1,230"),
        (99.96, "100"),
        (9.996, "10.0"),
        (1.0, "1.00"),
        (0.01234, "0.0123"),
        (0.0, "0.00"),
    ],
)
def test_three_significant_digits(value: float, text: str) -> None:
    assert table.significant(value) == text


def test_results_survive_their_file(comparison: Comparison, tmp_path: Path) -> None:
    path = tmp_path / "networks.json"
    comparison.add(Failure("jax-lax", "N12", 1, "why"))
    comparison.save(path)
    again = Comparison.load(path)
    assert again.measurements == comparison.measurements
    assert again.failures == comparison.failures
    assert table.markdown(again) == table.markdown(comparison)


@pytest.mark.parametrize("content", ["", "[]", '{"made": {}}', '{"measurements": [{"a": 1}]}'])
def test_another_file_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(StriateError, match="not a result of this benchmark"):
        Comparison.load(path)
    with pytest.raises(StriateError, match="no such file"):
        Comparison.load(tmp_path / "absent.json")
