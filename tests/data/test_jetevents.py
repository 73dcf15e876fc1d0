"""NanoAOD with particle-flow candidates: files written by uproot with the structure of PFNano."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

from striate.data import load
from striate.errors import StriateError
from striate.jets import Constituents, jet_images

Make = Callable[..., Constituents]
EVENTS, JETS = 30, 60
FLAVOURS = np.array([0, 4, 5])


class Nano:
    """Thirty events, of 0 to 4 jets each; the first particle of an event is in no jet."""

    def __init__(self, jets: Constituents) -> None:
        rng = np.random.default_rng(3)
        self.jets = jets
        self.of_event = np.bincount(np.sort(rng.integers(0, EVENTS, JETS)), minlength=EVENTS)
        assert 0 in self.of_event
        assert self.of_event.max() > 2
        event = np.repeat(np.arange(EVENTS), self.of_event)
        within = np.arange(JETS) - np.repeat(
            np.cumsum(self.of_event) - self.of_event, self.of_event
        )
        of_particle = event[jets.jet_index]
        # Particles of an event in any order, as CMS has them; the pairs jet by jet.
        particles = np.bincount(of_particle, minlength=EVENTS)
        place = np.concatenate([1 + rng.permutation(count) for count in particles])
        self.counts = particles + 1
        first = np.cumsum(self.counts) - self.counts
        self.rows = first[of_particle] + place
        self.weight = rng.choice(np.array([0.0, 0.5, 1.0], np.float32), int(self.counts.sum()))
        self.jet_of = ak.unflatten(within[jets.jet_index].astype(np.int32), particles)
        self.particle_of = ak.unflatten(place.astype(np.int32), particles)

    def collection(self, values: np.ndarray, kind: Any = np.float32) -> Any:
        """Values of the jets' particles as a branch of all particles."""
        column = np.full(int(self.counts.sum()), 99, kind)
        column[self.rows] = values
        return ak.unflatten(column, self.counts)

    def write(self, path: Path, *, weighted: bool = False, **changed: Any) -> Path:
        """Write trees as CMS does, a counter for each collection."""
        jets, sums = self.jets, self.jets.sums()
        candidates = {
            "pt": self.collection(jets.pt_gev),
            "eta": self.collection(jets.eta),
            "phi": self.collection(jets.phi),
            "mass": self.collection(jets.mass_gev),
            "charge": self.collection(jets.charge, np.int32),
            "pdgId": self.collection(jets.pdg_id, np.int32),
        }
        if weighted:
            candidates["puppiWeight"] = ak.unflatten(self.weight, self.counts)
        columns = {
            "pt": sums.pt_gev,
            "eta": sums.eta,
            "phi": sums.phi,
            "mass": sums.mass_gev,
            "msoftdrop": np.arange(JETS),
            **{f"tau{i}": np.full(JETS, i) for i in (1, 2, 3, 4)},
        }
        fat = {name: np.asarray(values, np.float32) for name, values in columns.items()}
        flavour = FLAVOURS[np.arange(JETS) % 3].astype(np.int32)
        fat["hadronFlavour"] = flavour
        pairs = {"jetIdx": self.jet_of, "pFCandsIdx": self.particle_of} | changed
        branches = {
            "event": np.arange(EVENTS, dtype=np.int64),
            "FatJet": ak.zip({n: ak.unflatten(v, self.of_event) for n, v in fat.items()}),
            "FatJetPFCands": ak.zip(pairs),
            "PFCands": ak.zip(candidates),
        }
        with uproot.recreate(path) as file:
            file.mktree("Runs", {"run": np.int32}).extend({"run": np.ones(1, np.int32)})
            tree = file.mktree(
                "Events",
                {n: v.dtype if isinstance(v, np.ndarray) else v.type for n, v in branches.items()},
            )
            for low, high in ((0, 10), (10, 20), (20, EVENTS)):
                tree.extend({name: values[low:high] for name, values in branches.items()})
        return path


@pytest.fixture
def nano(make_jets: Make) -> Nano:
    return Nano(make_jets(JETS))


def order_of(data: Any) -> np.ndarray:
    """Which jet each is: its soft-drop mass was made its number."""
    columns = [split.observables["soft_drop_mass_gev"] for split in data.splits.values()]
    return np.concatenate(columns).astype(int)


def images_of(data: Any) -> np.ndarray:
    return np.concatenate([split.images for split in data.splits.values()])


def test_jets_of_events_are_read_as_jets(nano: Nano, tmp_path: Path) -> None:
    path = nano.write(tmp_path / "nano.root")
    with uproot.open(path) as file:
        assert {"nFatJet", "nPFCands", "FatJetPFCands_pFCandsIdx"} <= set(file["Events"].keys())
    image = {"channels": ["charged_pt", "neutral_pt"], "normalise": "sum"}
    data = load(path, image=image)
    assert data.class_names == ("light", "charm", "bottom")
    order = order_of(data)
    assert sorted(order) == list(range(JETS))
    labels = np.concatenate([split.labels for split in data.splits.values()])
    np.testing.assert_array_equal(labels, order % 3)
    expected = jet_images(nano.jets, **image)[order]
    np.testing.assert_allclose(images_of(data), expected, atol=2e-6)
    multiplicity = np.concatenate(
        [split.observables["multiplicity"] for split in data.splits.values()]
    )
    np.testing.assert_array_equal(multiplicity, nano.jets.counts[order])
    assert data.provenance["layout"].startswith("CMS PFNano")
    note = "There is no 'PFCands_puppiWeight', which is optional."
    assert note in data.provenance["notes"]


def test_the_weights_of_puppi_scale_particles_where_the_file_has_them(
    nano: Nano, tmp_path: Path
) -> None:
    data = load(nano.write(tmp_path / "nano.root", weighted=True))
    jets, weight = nano.jets, nano.weight[nano.rows]
    weighted = Constituents.from_arrays(
        jets.pt_gev * weight, jets.eta, jets.phi, jets.mass_gev * weight, counts=jets.counts
    ).keep(weight > 0)
    order = order_of(data)
    expected = jet_images(weighted, normalise="sum")[order]
    np.testing.assert_allclose(images_of(data), expected, atol=2e-6)
    multiplicity = np.concatenate(
        [split.observables["multiplicity"] for split in data.splits.values()]
    )
    np.testing.assert_array_equal(multiplicity, weighted.counts[order])


def test_a_part_and_blocks_of_any_size_give_the_same(
    nano: Nano, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = nano.write(tmp_path / "nano.root")
    whole, part = load(path), load(path, limit=20)
    of = {
        int(number): image for number, image in zip(order_of(whole), images_of(whole), strict=True)
    }
    for number, image in zip(order_of(part), images_of(part), strict=True):
        np.testing.assert_array_equal(image, of[int(number)])
    monkeypatch.setattr("striate.data.jetfiles.BLOCK_BYTES", 4000)
    assert load(path).fingerprint == whole.fingerprint
    assert load(path, limit=20).fingerprint == part.fingerprint


@pytest.mark.parametrize(
    ("branch", "number", "words"),
    [
        ("jetIdx", 7, "FatJetPFCands_jetIdx' refers to number 7 in entry 22, an event of 3 jets"),
        ("pFCandsIdx", 5000, "pFCandsIdx' refers to number 5000 in entry 22, an event of .* part"),
        ("pFCandsIdx", -2, "pFCandsIdx' refers to number -2 in entry 22"),
    ],
)
def test_an_index_out_of_range_is_named_with_its_entries(
    nano: Nano,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    branch: str,
    number: int,
    words: str,
) -> None:
    kept = {"jetIdx": nano.jet_of, "pFCandsIdx": nano.particle_of}[branch]
    values = ak.to_numpy(ak.flatten(kept)).copy()
    values[int(ak.sum(ak.num(kept)[:22]))] = number
    path = nano.write(tmp_path / "nano.root", **{branch: ak.unflatten(values, ak.num(kept))})
    monkeypatch.setattr("striate.data.jetfiles.BLOCK_BYTES", 4000)
    with pytest.raises(StriateError, match=rf"nano\.root: entries \d+ to \d+: .*{words}") as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_an_index_that_refers_to_nothing_is_left_out(nano: Nano, tmp_path: Path) -> None:
    values = ak.to_numpy(ak.flatten(nano.jet_of)).copy()
    left = np.random.default_rng(0).random(len(values)) < 0.1
    values[left] = -1
    data = load(
        nano.write(tmp_path / "nano.root", jetIdx=ak.unflatten(values, ak.num(nano.jet_of)))
    )
    multiplicity = np.concatenate(
        [split.observables["multiplicity"] for split in data.splits.values()]
    )
    np.testing.assert_array_equal(multiplicity, nano.jets.keep(~left).counts[order_of(data)])


def test_a_wrong_branch_and_a_wrong_flavour_are_named(
    nano: Nano, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = nano.write(tmp_path / "a.root")
    text = resources.files("striate.data").joinpath("layouts/cms_pfnano.toml").read_text()
    (tmp_path / "mine.toml").write_text(text.replace("PFCands_pFCandsIdx", "PFCands_pFCandIndex"))
    with pytest.raises(
        StriateError,
        match=r"no branch 'FatJetPFCands_pFCandIndex'.*did you mean 'FatJetPFCands_pFC",
    ):
        load(path, layout=str(tmp_path / "mine.toml"))
    monkeypatch.setattr(f"{__name__}.FLAVOURS", np.array([0, 4, 21]))
    other = nano.write(tmp_path / "b.root")
    with pytest.raises(StriateError, match=r"b\.root: entry 2 is of none of the classes light, ch"):
        load(other)


def test_branches_that_do_not_go_together_are_named_with_the_file(
    nano: Nano, tmp_path: Path
) -> None:
    path = nano.write(tmp_path / "a.root")
    text = resources.files("striate.data").joinpath("layouts/cms_pfnano.toml").read_text()
    (tmp_path / "mine.toml").write_text(text.replace('"FatJet_pt"', '"PFCands_pt"'))
    with pytest.raises(
        StriateError,
        match=r"a\.root: branch 'FatJet_\w+' has other numbers of jets than 'PFCands_pt'",
    ):
        load(path, layout=str(tmp_path / "mine.toml"))
