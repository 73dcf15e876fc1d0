"""Collisions, pile-up and pre-selection; without multi-parton interactions, to be quick."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ks_2samp

from striate.errors import StriateError
from striate.jets.blocks import simulate_block
from striate.jets.collisions import Collisions, Particles, charges, minimum_bias, started
from striate.jets.pileup import Pileup
from striate.jets.simulation import Simulation

pytest.importorskip("pythia8mc")
pytest.importorskip("fastjet")

QUICK = Simulation("W", mpi=False)


@pytest.fixture(scope="module")
def batch():
    return Collisions(QUICK, 3).batch(60)


def test_particles_are_what_a_detector_sees(batch):
    particles = batch.particles
    assert len(batch) == len(particles.offsets) - 1 == 60
    assert not set(np.abs(particles.pdg_id)) & {12, 14, 16, 23, 24, 111}
    assert {22, 211, 310} <= set(np.abs(particles.pdg_id))
    pt = np.hypot(particles.px, particles.py)
    assert (np.abs(particles.pz) < np.sinh(5) * pt).all()
    squared = particles.energy**2 - pt**2 - particles.pz**2
    pions = np.abs(particles.pdg_id) == 211
    np.testing.assert_allclose(np.sqrt(squared[pions]), 0.13957, rtol=2e-2)


def test_charges_are_those_of_the_particle_data_group():
    assert charges(np.array([211, -211, 22, 2212, -11, 130, 3312])).tolist() == [
        1, -1, 0, 1, 1, 0, -1,
    ]  # fmt: skip


def test_each_w_is_found_once_and_recoils_from_the_neutrinos(batch):
    targets, particles = batch.targets, batch.particles
    assert targets.event.tolist() == list(range(60))
    # All that is seen balances the neutrinos, so that it points where the W goes.
    px = np.bincount(particles.event, particles.px)
    py = np.bincount(particles.event, particles.py)
    turn = np.abs(np.arctan2(py, px) - targets.phi)
    assert np.median(np.minimum(turn, 2 * np.pi - turn)) < 0.3


def test_the_same_seed_gives_the_same_collisions(batch):
    again, other = Collisions(QUICK, 3).batch(60), Collisions(QUICK, 4).batch(60)
    for one, two in zip(again.particles, batch.particles, strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(other.targets.phi, batch.targets.phi)


def test_pythia_says_what_it_does_not_know_or_cannot_do(capfd):
    with pytest.raises(StriateError, match="Pythia does not know the setting 'Beams:eMC = 1'"):
        started(["Beams:eMC = 1"], 1)
    with pytest.raises(StriateError, match="Pythia cannot start"):
        started(["Beams:eCM = 100", "HardQCD:all = on", "PhaseSpace:pTHatMin = 90"], 1)
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("process", ["W", "Z", "top", "Higgs"])
def test_signals_have_the_mass_of_their_particle(process):
    window = {"pt_low_gev": 500.0, "pt_high_gev": 700.0} if process == "top" else {}
    block = simulate_block(Simulation(process, mpi=False, **window), 1, 0, 60)
    mass = np.median(block.observables["groomed_mass_gev"])
    # Neutrinos in the decays of b quarks take their part of the Higgs.
    assert abs(mass - {"W": 80, "Z": 91, "top": 173, "Higgs": 115}[process]) < 8
    assert (np.abs(block.observables["eta"]) < 2).all()


@pytest.mark.parametrize(("process", "flavours"), [("quark", {1, 2, 3, 4, 5}), ("gluon", {21})])
def test_backgrounds_scatter_into_the_partons_of_their_name(process, flavours):
    collisions = Collisions(Simulation(process, mpi=False), 1)
    record = collisions._pythia
    for _ in range(20):
        assert record.next()
        assert {abs(record.process[5].id()), abs(record.process[6].id())} <= flavours


def test_gluons_make_more_particles_than_quarks():
    numbers = [
        simulate_block(Simulation(process, mpi=False), 1, 0, 60).observables["multiplicity"]
        for process in ("gluon", "quark")
    ]
    assert numbers[0].mean() > 1.2 * numbers[1].mean()


def test_the_preselection_loses_next_to_nothing_and_bends_no_distribution():
    """Jets made without it would have passed it, but for a per cent."""
    free = simulate_block(replace(QUICK, preselection="none"), 5, 0, 400)
    low, high = QUICK.parton_window_gev()
    lost = np.count_nonzero((free.parton_pt_gev < low) | (free.parton_pt_gev >= high))
    assert lost <= 8
    chosen = simulate_block(QUICK, 6, 0, 400)
    assert ((chosen.parton_pt_gev >= low) & (chosen.parton_pt_gev < high)).all()
    assert chosen.counts["collisions"] < 0.7 * free.counts["collisions"]
    for name, values in free.observables.items():
        assert ks_2samp(values, chosen.observables[name]).pvalue > 1e-3, name


def test_cross_sections_do_not_depend_on_the_preselection():
    sigma = []
    for preselection in ("normal", "none"):
        counts = simulate_block(replace(QUICK, preselection=preselection), 8, 0, 300).counts
        sigma.append(counts["sigma_pb"] * counts["accepted"] / counts["collisions"])
    assert sigma[0] == pytest.approx(sigma[1], rel=0.2)


def test_an_impossible_window_is_given_up(monkeypatch):
    monkeypatch.setattr("striate.jets.preselection._MOST_GIVEN_UP", 1_500)
    far = ("34:m0 = 3000.", "34:mWidth = 10.", "34:mMin = 2900.", "34:mMax = 3100.")
    steep = replace(QUICK, pt_low_gev=2500.0, pt_high_gev=2600.0, pythia=far)
    with pytest.raises(StriateError, match="W: none of 1,500 collisions came near a jet of 2500"):
        simulate_block(steep, 1, 0, 10)


def test_a_window_that_few_reach_is_given_up(monkeypatch):
    monkeypatch.setattr("striate.jets.blocks._HOPELESS", 400)
    narrow = replace(QUICK, pt_low_gev=270.0, pt_high_gev=270.01)
    with pytest.raises(StriateError, match=r"W: of \d+ collisions only \d+ had a jet of 270"):
        simulate_block(narrow, 1, 0, 10)


@pytest.fixture(scope="module")
def pool():
    """Minimum-bias collisions for all tests of pile-up: Pythia takes seconds to start with them."""
    made = minimum_bias(QUICK, 1, 150)

    def first(_simulation, _seed, n):
        last = made.offsets[n]
        return Particles(made.offsets[: n + 1], *(column[:last] for column in made[1:]))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("striate.jets.pileup.minimum_bias", first)
        yield


@pytest.fixture(scope="module")
def busy(batch, pool):
    """The batch with four collisions of pile-up on top of each, and their numbers."""
    return Pileup(replace(QUICK, pileup=4.0), 1).add_to(batch.particles)


def test_pileup_adds_as_many_collisions_as_asked_for(batch, busy):
    with_pileup, numbers = busy
    assert abs(numbers.mean() - 4) < 1
    hard = np.diff(batch.particles.offsets)
    added = np.diff(with_pileup.offsets) - hard
    assert (added[numbers == 0] == 0).all()
    assert np.corrcoef(added, numbers)[0, 1] > 0.5
    # What was there still is, first in each event.
    within = np.arange(hard.sum()) - batch.particles.offsets[:-1].repeat(hard)
    rows = with_pileup.offsets[:-1].repeat(hard) + within
    np.testing.assert_array_equal(with_pileup.px[rows], batch.particles.px)


def test_charged_subtraction_leaves_neutral_pileup_in_the_tracker(batch, busy):
    clean = replace(QUICK, pileup=4.0, charged_subtraction=True)
    particles, numbers = Pileup(clean, 1).add_to(batch.particles)
    # The same collisions are drawn as without it.
    np.testing.assert_array_equal(numbers, busy[1])
    hard, both = batch.particles, busy[0]
    assert charged_in_tracker(particles) == charged_in_tracker(hard) < charged_in_tracker(both)
    assert len(hard.px) < len(particles.px) < len(both.px)


def charged_in_tracker(particles):
    pt = np.hypot(particles.px, particles.py)
    central = np.abs(particles.pz) < np.sinh(2.5) * pt
    return np.count_nonzero(central & (charges(particles.pdg_id) != 0))


@pytest.mark.usefixtures("pool")
def test_pileup_is_an_observable_and_widens_the_mass():
    plain = simulate_block(QUICK, 1, 0, 30)
    busy = simulate_block(replace(QUICK, pileup=15.0), 1, 0, 30)
    assert "pileup" not in plain.observables
    assert abs(busy.observables["pileup"].mean() - 15) < 4
    assert busy.observables["mass_gev"].mean() > plain.observables["mass_gev"].mean() + 10
    assert busy.observables["groomed_mass_gev"].mean() < busy.observables["mass_gev"].mean()
