from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from benchmarks.comparison import Comparison
from benchmarks.measurement import Measurement
from benchmarks.summary import Spread, agreement, best_of_families

Measured = Callable[..., Measurement]


def test_spread_is_median_and_range() -> None:
    assert Spread.of([3.0, 1.0, 10.0, 2.0]) == Spread(n=4, median=2.5, low=1.0, high=10.0)
    assert Spread.of([]) is None


def test_ratio_is_taken_within_a_repetition_and_so_is_free_of_drift(
    comparison: Comparison,
) -> None:
    rows = {row.program: row for row in comparison.rows()}
    assert comparison.reference == "striate-fit"
    ratio = rows["keras-tensorflow"].ratio
    assert ratio is not None
    assert (ratio.n, ratio.low, ratio.median, ratio.high) == (3, 3.0, 3.0, 3.0)
    assert rows["keras-tensorflow"].throughput.low == 10_000


def test_first_and_later_starts_are_apart(comparison: Comparison) -> None:
    row = comparison.rows()[0]
    assert row.first_step_first_start == 4.0
    assert row.first_step_later_starts == Spread(n=2, median=2.0, low=2.0, high=2.0)
    assert row.process_first_start == 6.0
    assert row.process_later_starts == Spread(n=2, median=3.0, low=3.0, high=3.0)


def test_a_ratio_needs_the_reference_in_the_same_repetition(measured: Measured) -> None:
    comparison = Comparison(made={})
    comparison.add(measured("striate-fit", 1, 50.0))
    comparison.add(measured("keras-jax", 1, 10.0))
    comparison.add(measured("keras-jax", 2, 10.0))
    ratio = comparison.rows()[1].ratio
    assert ratio == Spread(n=1, median=5.0, low=5.0, high=5.0)


def test_without_striate_the_first_program_is_the_reference(measured: Measured) -> None:
    comparison = Comparison(made={})
    comparison.add(measured("keras-jax", 1, 10.0))
    comparison.add(measured("jax-lax", 1, 40.0))
    assert comparison.reference == "keras-jax"


def test_the_best_of_a_family_has_the_largest_median(measured: Measured) -> None:
    comparison = Comparison(made={})
    for program, speed in {"jax-lax": 5.0, "jax-shifts": 9.0, "keras-jax": 7.0}.items():
        comparison.add(measured(program, 1, speed))
    best = best_of_families(comparison.rows(), "N12")
    assert {family: row.program for family, row in best.items()} == {
        "JAX by hand": "jax-shifts",
        "Keras on JAX": "keras-jax",
    }


@pytest.mark.parametrize("losses", [[2.5, 2.2501], [2.4999, 2.25], [math.nan, 2.25]])
def test_a_program_with_other_losses_makes_the_comparison_void(
    measured: Measured, comparison: Comparison, losses: list[float]
) -> None:
    assert not comparison.void
    comparison.add(measured("jax-lax", 1, 1.0, losses=losses))
    assert comparison.void
    result = agreement(comparison.measurements, "N12")
    assert result.agrees is False
    assert result.strangers == ["jax-lax"]


def test_one_program_alone_agrees_with_nobody(measured: Measured) -> None:
    assert agreement([measured("jax-lax", 1, 1.0)], "N12").agrees is None
