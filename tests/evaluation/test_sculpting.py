"""Divergences against SciPy's, and cuts that bend the mass or do not."""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from striate.evaluation.sculpting import jensen_shannon, mass_edges, sculpting

RNG = np.random.default_rng(4)
MASS = RNG.gamma(3, 20, 4000)
ONE = np.ones(len(MASS))


def test_the_divergence_is_scipys_squared() -> None:
    one, other = RNG.random(12), RNG.random(12)
    one[3] = other[5] = 0
    assert jensen_shannon(one, other) == pytest.approx(jensenshannon(one, other, 2) ** 2)
    assert jensen_shannon(one, 3 * one) == pytest.approx(0)
    assert jensen_shannon(np.array([1, 0]), np.array([0, 2])) == 1
    assert np.isnan(jensen_shannon(one, 0 * one))


def test_a_cut_on_the_mass_bends_it_and_another_does_not() -> None:
    edges = mass_edges(MASS)
    on_it = sculpting(MASS, np.abs(MASS - 80) < 10, ONE, edges)
    assert on_it.divergence > 10 * on_it.by_chance
    random = np.random.default_rng(5).random(len(MASS)) < 0.1
    others = sculpting(MASS, random, ONE, edges)
    assert others.divergence == pytest.approx(others.by_chance, rel=0.5)
    assert others.after.sums.sum() == pytest.approx(random.sum(), rel=0.03)
    assert np.isnan(sculpting(MASS, MASS < 0, ONE, edges).divergence)


def test_weights_bend_it_as_so_many_jets() -> None:
    edges, passes = mass_edges(MASS), MASS > 50
    weights = RNG.integers(1, 3, len(MASS))
    weighted = sculpting(MASS, passes, weights.astype(float), edges)
    listed = np.repeat(np.arange(len(MASS)), weights)
    plain = sculpting(MASS[listed], passes[listed], np.ones(len(listed)), edges)
    assert weighted.divergence == pytest.approx(plain.divergence)


def test_edges_are_round_and_hold_nearly_all() -> None:
    edges = mass_edges(np.append(MASS, np.nan))
    (step,) = set(np.round(np.diff(edges), 6))
    assert step in {5, 10}
    assert np.mean((edges[0] <= MASS) & (edges[-1] >= MASS)) >= 0.99
    assert len(mass_edges(np.full(5, 80.0))) == 2
