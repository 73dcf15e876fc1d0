from __future__ import annotations

import pickle

import awkward as ak
import numpy as np
import pytest
import vector

from striate.errors import StriateError
from striate.jets import Constituents


@pytest.fixture
def particles() -> dict[str, list[list[float]]]:
    """Four jets, of which the second has no particle."""
    rng = np.random.default_rng(2)
    counts = [3, 0, 5, 1]
    return {
        "pt": [rng.exponential(20, n).tolist() for n in counts],
        "eta": [rng.normal(0, 1.5, n).tolist() for n in counts],
        "phi": [rng.uniform(-np.pi, np.pi, n).tolist() for n in counts],
        "mass": [rng.choice([0.0, 0.14, 0.94], n).tolist() for n in counts],
    }


@pytest.fixture
def jets(particles: dict[str, list[list[float]]]) -> Constituents:
    return Constituents.from_awkward(ak.zip({k: ak.Array(v) for k, v in particles.items()}))


def test_sums_are_those_of_vector(
    particles: dict[str, list[list[float]]], jets: Constituents
) -> None:
    """Compared with scikit-hep's vector, jet by jet; float32 storage limits the agreement."""
    vector.register_awkward()
    momenta = ak.zip(
        {k: ak.values_astype(ak.Array(v), np.float32) for k, v in particles.items()},
        with_name="Momentum4D",
    )
    momenta = ak.values_astype(momenta, np.float64)
    cartesian = ak.zip({k: getattr(momenta, k) for k in ("px", "py", "pz", "E")})
    for jet in (0, 2, 3):
        total = vector.obj(**{k: float(ak.sum(cartesian[jet][k])) for k in cartesian.fields})
        pt, eta, phi, mass = (float(column[jet]) for column in jets.sums())
        assert pt == pytest.approx(total.pt, rel=1e-12)
        assert eta == pytest.approx(total.eta, rel=1e-9)
        assert phi == pytest.approx(total.phi, rel=1e-12)
        assert mass == pytest.approx(total.mass, rel=1e-9, abs=1e-5)
    assert [float(column[1]) for column in jets.sums()] == [0, 0, 0, 0]


def test_one_massive_particle_is_a_jet_of_its_mass() -> None:
    jet = Constituents([0, 1], [30.0], [1.5], [2.0], mass_gev=[0.938])
    assert jet.sums().mass_gev[0] == pytest.approx(0.938, rel=1e-5)
    # Closed form: the energy is sqrt(m^2 + pT^2 cosh^2 eta), the rapidity artanh(pz / E).
    energy, _, _, pz = (float(c[0]) for c in jet.four_momenta())
    assert energy == pytest.approx(np.sqrt(0.938**2 + (30 * np.cosh(1.5)) ** 2), rel=1e-7)
    assert jet.rapidity()[0] == pytest.approx(np.arctanh(pz / energy), rel=1e-7)


def test_two_massless_particles_have_the_closed_form_mass() -> None:
    jet = Constituents([0, 2], [50.0, 40.0], [0.1, -0.3], [0.0, 0.4])
    expected = np.sqrt(2 * 50 * 40 * (np.cosh(0.4) - np.cos(0.4)))
    assert jet.sums().mass_gev[0] == pytest.approx(expected, rel=1e-6)


def test_padded_flat_and_awkward_are_the_same(
    particles: dict[str, list[list[float]]], jets: Constituents
) -> None:
    padded = {}
    for name, rows in particles.items():
        array = np.zeros((4, 7))
        for jet, row in enumerate(rows):
            array[jet, 1 : 1 + len(row)] = row  # padding in front as well as behind
        padded[name] = array
    for other in (
        Constituents.from_arrays(*padded.values()),
        Constituents.from_arrays(
            *(np.concatenate(rows) for rows in particles.values()), counts=[3, 0, 5, 1]
        ),
    ):
        assert other.offsets.tolist() == jets.offsets.tolist() == [0, 3, 3, 8, 9]
        for name in ("pt_gev", "eta", "phi", "mass_gev"):
            np.testing.assert_array_equal(getattr(other, name), getattr(jets, name))


def test_four_momenta_there_and_back(jets: Constituents) -> None:
    back = Constituents.from_four_momenta(*jets.four_momenta(), counts=jets.counts)
    np.testing.assert_allclose(back.pt_gev, jets.pt_gev, rtol=1e-6)
    np.testing.assert_allclose(back.eta, jets.eta, atol=1e-6)
    np.testing.assert_allclose(back.phi, jets.phi, atol=1e-6)
    np.testing.assert_allclose(back.mass_gev, jets.mass_gev, atol=1e-4)
    fields = dict(zip(("energy", "px", "py", "pz"), jets.four_momenta(), strict=True))
    records = ak.unflatten(ak.zip(fields), jets.counts)
    np.testing.assert_array_equal(Constituents.from_awkward(records).pt_gev, back.pt_gev)


@pytest.mark.parametrize(
    "index", [[2, 0, 2, 1], np.array([True, False, False, True]), slice(1, 3), []]
)
def test_take_gives_those_jets_in_that_order(jets: Constituents, index: object) -> None:
    taken = jets.take(index)
    chosen = np.arange(4)[index] if not isinstance(index, list) else index
    assert len(taken) == len(chosen)
    for here, there in enumerate(chosen):
        for name in ("pt_gev", "eta", "phi", "mass_gev"):
            np.testing.assert_array_equal(
                getattr(taken, name)[taken.offsets[here] : taken.offsets[here + 1]],
                getattr(jets, name)[jets.offsets[there] : jets.offsets[there + 1]],
            )


def test_parts_join_to_the_whole(jets: Constituents) -> None:
    whole = Constituents.concatenate([jets.take(slice(0, 2)), jets.take(slice(2, 4))])
    assert whole.offsets.tolist() == jets.offsets.tolist()
    np.testing.assert_array_equal(whole.mass_gev, jets.mass_gev)
    massless = Constituents([0, 1], [1.0], [0.0], [0.0], charge=[1])
    both = Constituents.concatenate([massless, jets])
    assert both.mass_gev is not None
    assert both.mass_gev[0] == 0
    assert both.charge is None
    assert len(Constituents.concatenate([])) == 0


def test_keep_leaves_out_particles_but_no_jet(jets: Constituents) -> None:
    hard = jets.keep(jets.pt_gev > np.median(jets.pt_gev))
    assert len(hard) == len(jets)
    assert hard.counts.sum() == (jets.pt_gev > np.median(jets.pt_gev)).sum()
    np.testing.assert_array_equal(hard.counts, jets.jet_sum(jets.pt_gev > np.median(jets.pt_gev)))


def test_it_is_read_only_and_pickles(jets: Constituents) -> None:
    copy = pickle.loads(pickle.dumps(jets))  # noqa: S301
    for one in (jets, copy):
        with pytest.raises(ValueError, match="read-only"):
            one.pt_gev[0] = 1
    np.testing.assert_array_equal(copy.eta, jets.eta)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 2], [1.0], [0.0], [0.0]), "pt_gev has shape (1,), but the offsets end at 2"),
        (([0, 2, 1], [1.0], [0.0], [0.0]), "offsets must rise from 0, but falls after jet 1"),
        (([1, 2], [1.0], [0.0], [0.0]), "begins at 1"),
        (([0.0, 1.0], [1.0], [0.0], [0.0]), "offsets must be whole numbers"),
        (([0, 1], [np.nan], [0.0], [0.0]), "pt_gev of particle 0 is not a finite number: nan"),
        (([0, 2], [1.0, -2.0], [0.0, 0.0], [0.0, 0.0]), "pt_gev of particle 1 is negative: -2"),
        (([0, 1], [1.0], [1e4], [0.0]), "eta of particle 0 is along the beam: 10000"),
        (([0, 1], [1.0], [0.0], [0.0], None, [1.5]), "charge of particle 0 is 1.5"),
        (([0, 1], [1.0], [0.0], [0.0], None, [300]), "charge of particle 0 is 300"),
        (([0, 1], ["a"], [0.0], [0.0]), "pt_gev must be numbers"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(
    arguments: tuple[object, ...], message: str
) -> None:
    with pytest.raises(StriateError) as caught:
        Constituents(*arguments)  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_field_is_named() -> None:
    with pytest.raises(StriateError, match=r"no field 'eta': did you mean 'Eta'"):
        Constituents.from_awkward(ak.Array([[{"pt": 1.0, "Eta": 0.0, "phi": 0.0}]]))
    with pytest.raises(StriateError, match="with the counts of the jets"):
        Constituents.from_arrays([1.0], [0.0], [0.0])
