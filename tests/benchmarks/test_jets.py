"""The jets a second of one core: that the programs make what they are measured by."""

from __future__ import annotations

import pytest

pytest.importorskip("pythia8mc")
pytest.importorskip("fastjet")

from benchmarks import jets
from benchmarks.jets_by_loop import jets_by_loop
from striate.jets.collisions import Collisions
from striate.jets.simulation import Simulation, seed_of


def test_the_loop_ends_with_as_many_jets_as_were_asked_for():
    assert jets_by_loop(Simulation("W", mpi=False), 1, 3) == 3


def test_pythia_alone_makes_the_collisions_of_the_batches():
    simulation = Simulation("W", mpi=False)
    seed = seed_of(1, "W", 0)
    batch = Collisions(simulation, seed).batch(4)
    assert jets.pythia_alone(simulation, seed, 4) == batch.parton_pt_gev.tolist()
