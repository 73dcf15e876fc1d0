"""Observables against closed forms for two and three particles, and against fastjet."""

import math

import numpy as np
import pytest

from striate.jets import Constituents
from striate.jets.cluster import clustered, leading_jets, n_subjettiness, trimmed
from striate.jets.collisions import Particles
from striate.jets.constituents import offsets_of
from striate.jets.observables import energy_correlations, observables, pt_dispersion

fastjet = pytest.importorskip("fastjet")
ak = pytest.importorskip("awkward")


def jet(*particles: tuple[float, float, float]) -> Constituents:
    pt, eta, phi = zip(*particles, strict=True)
    return Constituents.from_arrays(pt, eta, phi, counts=[len(particles)])


def events(jets: Constituents):
    energy, px, py, pz = jets.four_momenta()
    records = ak.zip({"px": px, "py": py, "pz": pz, "E": energy}, with_name="Momentum4D")
    return ak.unflatten(records, jets.counts)


def pseudojets(jets: Constituents, number: int) -> list:
    rows = slice(jets.offsets[number], jets.offsets[number + 1])
    energy, px, py, pz = (component[rows] for component in jets.four_momenta())
    return [fastjet.PseudoJet(*map(float, one)) for one in zip(px, py, pz, energy, strict=True)]


def test_two_particles():
    one, other, apart = 120.0, 40.0, 0.3
    found = observables(jet((one, 0.5, 3.0), (other, 0.5, 3.0 + apart)))
    mass = math.sqrt(2 * one * other * (1 - math.cos(apart)))
    assert found["mass_gev"] == pytest.approx(mass, rel=1e-5)
    assert found["pt_gev"] == pytest.approx(
        math.hypot(one + other * math.cos(apart), other * math.sin(apart)), rel=1e-6
    )
    # One axis lies along the harder particle, where the weighted sum of distances is least.
    assert found["tau_1"] == pytest.approx(other * apart / (one + other), rel=1e-2)
    assert found["pt_d"] == pytest.approx(math.hypot(one, other) / (one + other), rel=1e-6)
    assert found["multiplicity"] == 2
    for name in ("tau_2", "tau_3", "tau_21", "tau_32", "c2", "d2"):
        assert found[name] == 0, name


def test_three_particles():
    pt, shares = np.array([100.0, 60.0, 40.0]), np.array([0.5, 0.3, 0.2])
    places = np.array([[0.0, 0.0], [0.4, 0.0], [0.0, 0.3]])
    three = jet(*zip(pt, *places.T, strict=True))
    distances = [0.4, 0.3, 0.5]  # of 0-1, 0-2, 1-2
    pairs = [0.5 * 0.3 * 0.4, 0.5 * 0.2 * 0.3, 0.3 * 0.2 * 0.5]
    second, third = sum(pairs), shares.prod() * np.prod(distances)
    found = observables(three)
    assert found["c2"] == pytest.approx(third / second**2, rel=1e-5)
    assert found["d2"] == pytest.approx(third / second**3, rel=1e-5)
    # Two axes: along the hardest with the nearest softer one, and along the third.
    assert found["tau_2"] == pytest.approx(0.2 * 0.3, rel=1e-2)
    assert found["tau_3"] == 0


def test_two_close_particles_and_one_far_away():
    found = observables(jet((100, 0.0, 0.0), (20, 0.05, 0.0), (80, 0.8, 0.0)))
    assert found["tau_2"] == pytest.approx(20 * 0.05 / 200, rel=1e-2)
    assert found["tau_21"] == pytest.approx(found["tau_2"] / found["tau_1"])


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_energy_correlations_of_any_exponent(beta):
    _, third = energy_correlations(jet((1, 0, 0), (1, 0.4, 0), (1, 0, 0.3)), beta)
    second, _ = energy_correlations(jet((1, 0, 0), (3, 0.4, 0.3)), beta)
    assert third == pytest.approx((0.4 * 0.3 * 0.5) ** beta / 27, rel=1e-6)
    assert second == pytest.approx(3 / 16 * 0.5**beta, rel=1e-6)


def test_an_azimuth_in_another_turn_changes_nothing():
    here = jet((50, 0, 3.1), (30, 0.2, -3.1), (20, -0.2, 2.9))
    there = jet((50, 0, 3.1 - 2 * np.pi), (30, 0.2, -3.1 + 4 * np.pi), (20, -0.2, 2.9))
    # Single precision of the azimuth itself.
    np.testing.assert_allclose(energy_correlations(here), energy_correlations(there), rtol=1e-5)


def test_equal_particles_have_the_dispersion_of_their_number():
    same = Constituents.from_arrays(np.ones(10), np.zeros(10), np.zeros(10), counts=[1, 4, 5, 0])
    np.testing.assert_allclose(pt_dispersion(same), [1, 1 / 2, 1 / math.sqrt(5), 0])


def test_correlators_are_fastjets(jets):
    massive = Constituents(
        jets.offsets, jets.pt_gev, jets.eta, jets.phi, np.full_like(jets.pt_gev, 0.14)
    )
    second, third = energy_correlations(massive)
    # The radius of the clustering holds every particle, so that one jet is the whole.
    sequence = fastjet.ClusterSequence(
        events(massive), fastjet.JetDefinition(fastjet.cambridge_algorithm, 20.0)
    )
    for name, ours in (("c1", second), ("c2", third / second**2), ("d2", third / second**3)):
        theirs = sequence.exclusive_jets_energy_correlator(njets=1, func=name, beta=1)
        np.testing.assert_allclose(ours, np.asarray(theirs), rtol=1e-9)


def test_masses_are_fastjets(jets):
    found = observables(jets)
    for number in range(20):
        whole = fastjet.PseudoJet(0, 0, 0, 0)
        for particle in pseudojets(jets, number):
            whole += particle
        assert found["mass_gev"][number] == pytest.approx(whole.m(), rel=1e-5)
        assert found["pt_gev"][number] == pytest.approx(whole.pt(), rel=1e-6)


def test_grooming_is_fastjets_one_jet_at_a_time(jets):
    kept, found = trimmed(jets, 0.3, 0.05), observables(jets)
    definition = fastjet.JetDefinition(fastjet.kt_algorithm, 0.3)
    dropped = 0
    for number in range(30):
        particles = pseudojets(jets, number)
        sequence = fastjet.ClusterSequence(particles, definition)
        subjets = fastjet.sorted_by_pt(sequence.inclusive_jets())
        pt = float(jets.sums().pt_gev[number])
        groomed = fastjet.PseudoJet(0, 0, 0, 0)
        members = 0
        for subjet in subjets:
            if subjet.pt() >= 0.05 * pt:
                groomed += subjet
                members += len(subjet.constituents())
        rows = slice(jets.offsets[number], jets.offsets[number + 1])
        assert np.count_nonzero(kept[rows]) == members
        assert found["groomed_mass_gev"][number] == pytest.approx(groomed.m(), rel=1e-5)
        dropped += len(particles) - members
    assert dropped > 10


def test_trimming_drops_the_soft_subjet_only():
    prongs = jet((100, 0, 0), (50, 0.5, 0), (5, 0, 0.8), (40, 0.55, 0.05))
    assert trimmed(prongs, 0.3, 0.05).tolist() == [True, True, False, True]
    assert trimmed(prongs, 0.3, 0.0).all()
    assert observables(prongs, kept=trimmed(prongs, 0.3, 0.05))["groomed_pt_gev"] < 190.1


def test_n_subjettiness_is_fastjets_and_falls_with_the_number_of_axes(jets):
    tau = n_subjettiness(jets, 3, 1.0)
    assert (tau[:, 0] > tau[:, 1]).mean() > 0.99
    assert (tau[:, 1] > tau[:, 2]).mean() > 0.99
    definition = fastjet.JetDefinition(fastjet.kt_algorithm, 1.0)
    theirs = fastjet.ClusterSequence(events(jets), definition).njettiness(
        measure_definition="NormalizedMeasure",
        axes_definition="OnePass_KT_Axes",
        njets=[1, 2, 3],
        beta=1.0,
        R0=1.0,
    )
    np.testing.assert_allclose(tau, np.asarray(theirs), rtol=1e-6)


def test_fewer_particles_than_axes():
    few = Constituents.from_arrays(np.ones(6), np.arange(6) / 5, np.zeros(6), counts=[1, 2, 3, 0])
    tau = n_subjettiness(few, 3, 1.0)
    assert (tau > 0).tolist() == [
        [False] * 3,
        [True, False, False],
        [True, True, False],
        [False] * 3,
    ]
    found = observables(few)
    assert all(np.isfinite(values).all() for values in found.values())


def test_leading_jets_are_fastjets_one_event_at_a_time():
    random = np.random.default_rng(5)
    counts = random.integers(0, 60, 40)
    n = int(counts.sum())
    pt, eta, phi = random.exponential(8, n), random.normal(0, 2, n), random.uniform(-3, 3, n)
    px, py, pz = pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)
    energy = np.sqrt(px**2 + py**2 + pz**2)
    offsets = offsets_of(counts)
    particles = Particles(offsets, px, py, pz, energy, np.full(n, 22))
    found, jets = leading_jets(particles, 1.0, 1.5, 20.0)
    sums = jets.sums()
    definition = fastjet.JetDefinition(fastjet.antikt_algorithm, 1.0)
    expected = []
    for number in range(len(counts)):
        rows = range(offsets[number], offsets[number + 1])
        inputs = [
            fastjet.PseudoJet(float(px[i]), float(py[i]), float(pz[i]), float(energy[i]))
            for i in rows
        ]
        clusters = fastjet.ClusterSequence(inputs, definition)
        central = [jet for jet in clusters.inclusive_jets(20.0) if abs(jet.eta()) < 1.5]
        if central:
            hardest = max(central, key=lambda one: one.pt())
            expected.append((number, hardest.pt(), hardest.m(), len(hardest.constituents())))
    assert len(expected) > 20
    assert found.tolist() == [number for number, *_ in expected]
    np.testing.assert_allclose(sums.pt_gev, [pt for _, pt, *_ in expected], rtol=1e-6)
    # A jet of one particle has a mass of rounding only.
    np.testing.assert_allclose(
        sums.mass_gev, [mass for _, _, mass, _ in expected], rtol=1e-4, atol=1e-3
    )
    assert jets.counts.tolist() == [size for *_, size in expected]
    for one in range(len(jets)):
        assert (np.diff(jets.pt_gev[jets.offsets[one] : jets.offsets[one + 1]]) <= 0).all()


def test_the_banner_of_fastjet_stays_out_of_standard_output(capfd):
    clustered(events(jet((1, 0, 0), (2, 0.1, 0))), "kt", 0.3)
    assert capfd.readouterr().out == ""
