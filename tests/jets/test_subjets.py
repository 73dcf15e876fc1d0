from __future__ import annotations

import fastjet
import numpy as np
import pytest

from striate.errors import StriateError
from striate.jets import Constituents, leading_subjets


@pytest.mark.parametrize("radius", [0.1, 0.3, 1.2])
def test_subjets_are_those_of_fastjet(jets: Constituents, radius: float) -> None:
    found = leading_subjets(jets, radius, most=3)
    definition = fastjet.JetDefinition(fastjet.kt_algorithm, radius)
    energy, px, py, pz = jets.four_momenta()
    for i in range(0, len(jets), 4):
        chosen = slice(jets.offsets[i], jets.offsets[i + 1])
        particles = [
            fastjet.PseudoJet(float(x), float(y), float(z), float(e))
            for x, y, z, e in zip(px[chosen], py[chosen], pz[chosen], energy[chosen], strict=True)
        ]
        sequence = fastjet.ClusterSequence(particles, definition)
        expected = fastjet.sorted_by_pt(sequence.inclusive_jets())[:3]
        assert (found.pt_gev[i] > 0).sum() == len(expected)
        for k, subjet in enumerate(expected):
            assert found.pt_gev[i, k] == pytest.approx(subjet.pt(), rel=1e-9)
            assert found.rapidity[i, k] == pytest.approx(subjet.rap(), abs=1e-9)
            assert found.phi[i, k] == pytest.approx(subjet.phi_std(), abs=1e-9)


def test_jets_of_none_one_and_two_particles() -> None:
    few = Constituents([0, 0, 1, 3, 5], [7, 4, 5, 4, 5], [0.5, 0, 0.1, 0, 2], [3.1, 0, 0, 0, 0])
    found = leading_subjets(few)
    np.testing.assert_allclose(found.pt_gev, [[0, 0], [7, 0], [9, 0], [5, 4]], rtol=1e-6)
    np.testing.assert_allclose(found.phi[1, 0], 3.1, rtol=1e-6)
    assert leading_subjets(few.take([])).pt_gev.shape == (0, 2)


def test_a_pair_across_the_turn_of_azimuth_is_one_subjet() -> None:
    pair = Constituents([0, 2], [5, 5], [0, 0], [np.pi - 0.05, -np.pi + 0.05])
    found = leading_subjets(pair)
    assert found.pt_gev[0, 0] == pytest.approx(10 * np.cos(0.05), rel=1e-6)
    assert abs(found.phi[0, 0]) == pytest.approx(np.pi, abs=1e-6)


def test_particles_in_one_direction_are_one_subjet() -> None:
    cells = Constituents([0, 5], [1, 2, 1, 1, 4], [0, 0, 0, 0, 1], [1, 1, 1, 1, 1])
    np.testing.assert_allclose(leading_subjets(cells).pt_gev, [[5, 4]], rtol=1e-6)


def test_the_size_of_batches_does_not_matter(
    jets: Constituents, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = leading_subjets(jets)
    monkeypatch.setattr("striate.jets.subjets._BATCH", 100)
    for one, other in zip(whole, leading_subjets(jets), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_radius_must_be_positive(jets: Constituents) -> None:
    with pytest.raises(StriateError, match="must be positive, not 0"):
        leading_subjets(jets, 0)
