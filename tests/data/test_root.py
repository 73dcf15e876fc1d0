"""Files are written by uproot with the branches of the real ones."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

from striate.data import load
from striate.data.jetfiles import JetImages
from striate.data.root import open_root
from striate.errors import StriateError
from striate.jets import Constituents, ImageOptions, jet_images

Make = Callable[..., Constituents]
CLASSES = ("QCD", "Hbb", "Hcc", "Hgg", "H4q", "Hqql", "Zqq", "Wqq", "Tbqq", "Tbl")


def jetclass(jets: Constituents, labels: np.ndarray) -> dict[str, Any]:
    """The branches of JetClass that are read, and one that is not."""
    momenta = jets.four_momenta()
    names = ("part_energy", "part_px", "part_py", "part_pz")
    branches: dict[str, Any] = {
        name: ak.unflatten(np.asarray(values, np.float32), jets.counts)
        for name, values in zip(names, momenta, strict=True)
    }
    branches["part_charge"] = ak.unflatten(np.asarray(jets.charge, np.float32), jets.counts)
    branches["part_d0val"] = ak.zeros_like(branches["part_px"])
    sums = jets.sums()
    for name, values in (("pt", sums.pt_gev), ("eta", sums.eta), ("phi", sums.phi)):
        branches[f"jet_{name}"] = values.astype(np.float32)
    for name in ("sdmass", "tau1", "tau2", "tau3", "tau4"):
        branches[f"jet_{name}"] = np.arange(len(jets), dtype=np.float32)
    for number, name in enumerate(CLASSES):
        branches[f"label_{name}"] = (labels == number).astype(np.int32)
    return branches


def write(path: Path, branches: dict[str, Any], tree: str = "tree", baskets: int = 3) -> Path:
    n = len(next(iter(branches.values())))
    with uproot.recreate(path, compression=uproot.ZLIB(4)) as file:
        types = {
            name: values.dtype if isinstance(values, np.ndarray) else values.type.content
            for name, values in branches.items()
        }
        written = file.mktree(tree, types)
        for low, high in zip(
            np.arange(baskets) * n // baskets, np.arange(1, baskets + 1) * n // baskets, strict=True
        ):
            written.extend({name: values[low:high] for name, values in branches.items()})
    return path


@pytest.fixture
def labels() -> np.ndarray:
    return np.arange(60) % 10


@pytest.fixture
def path(tmp_path: Path, make_jets: Make, labels: np.ndarray) -> Path:
    return write(tmp_path / "jets.root", jetclass(make_jets(), labels))


def joined(data: Any, what: Callable[[Any], np.ndarray]) -> np.ndarray:
    return np.concatenate([what(split) for split in data.splits.values()])


def test_jetclass_is_known_by_its_branches(path: Path, make_jets: Make, labels: np.ndarray) -> None:
    data = load(path, test=20)
    assert data.class_names == CLASSES
    assert data.image_shape == (25, 25, 1)
    assert (len(data.train), len(data.test)) == (40, 20)
    # Observables identify a jet: tau1 was made its number.
    order = joined(data, lambda split: split.observables["tau1"]).astype(int)
    assert sorted(order) == list(range(60))
    jets = make_jets()
    np.testing.assert_array_equal(joined(data, lambda split: split.labels), labels[order])
    expected = jet_images(jets, normalise="sum")[order]
    np.testing.assert_allclose(joined(data, lambda split: split.images), expected, atol=2e-6)
    for name in ("pt_gev", "mass_gev"):
        np.testing.assert_allclose(
            joined(data, lambda split, name=name: split.observables[name]),
            getattr(jets.sums(), name)[order],
            rtol=1e-3,
            atol=5e-3,
        )
    multiplicity = joined(data, lambda split: split.observables["multiplicity"])
    np.testing.assert_array_equal(multiplicity, jets.counts[order])
    assert data.provenance["layout"] == "JetClass"
    assert data.provenance["image"]["centre"] == "subjet"
    assert data.provenance["image"]["grid"] == 25


def test_image_options_are_taken_and_remembered(path: Path, make_jets: Make) -> None:
    image = {
        "grid": 33,
        "width": 0.8,
        "channels": ["charged_pt", "neutral_pt", "charged_multiplicity"],
        "rotate": None,
        "normalise": "sqrt",
    }
    data = load(path, image=image)
    assert data.image_shape == (33, 33, 3)
    assert {name: data.provenance["image"][name] for name in image} == image
    assert data.provenance["load"]["options"] == {"image": image}
    order = joined(data, lambda split: split.observables["tau1"]).astype(int)
    expected = jet_images(make_jets(), **image)[order]
    np.testing.assert_allclose(joined(data, lambda split: split.images), expected, atol=2e-3)


def test_limit_reads_only_what_is_wanted_and_the_same(path: Path) -> None:
    whole, part = load(path), load(path, limit=20, test=10)
    assert len(part.train) + len(part.test) == 20
    of = {int(n): i for i, n in enumerate(joined(whole, lambda s: s.observables["tau1"]))}
    order = [of[int(n)] for n in joined(part, lambda split: split.observables["tau1"])]
    for what in ("images", "labels"):
        np.testing.assert_array_equal(
            joined(part, lambda split, what=what: getattr(split, what)),
            joined(whole, lambda split, what=what: getattr(split, what))[order],
        )
    for name in ("mass_gev", "pt_fraction_in_image"):
        np.testing.assert_array_equal(
            joined(part, lambda split, name=name: split.observables[name]),
            joined(whole, lambda split, name=name: split.observables[name])[order],
        )


def test_the_size_of_blocks_does_not_matter(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = load(path, limit=37)
    monkeypatch.setattr("striate.data.jetfiles.BLOCK_BYTES", 1500)
    assert load(path, limit=37).fingerprint == whole.fingerprint


def test_a_file_larger_than_memory_is_streamed(
    tmp_path: Path, make_jets: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the images only a block is in memory, not the constituents of the whole file."""
    jets = make_jets(24_000)
    path = write(tmp_path / "large.root", jetclass(jets, np.arange(24_000) % 10), baskets=120)
    images = JetImages([open_root(path)], ImageOptions(grid=5, rotate=None, centre="axis"))
    images.read(np.arange(10))  # what libraries keep for ever is no part of it

    def peak(block_bytes: int) -> int:
        monkeypatch.setattr("striate.data.jetfiles.BLOCK_BYTES", block_bytes)
        tracemalloc.start()
        try:
            made = images.read(None)
            return tracemalloc.get_traced_memory()[1] - made.nbytes - 6 * 4 * len(made)
        finally:
            tracemalloc.stop()

    in_blocks, at_once = peak(100_000), peak(1 << 30)
    constituents = 5 * 4 * len(jets.pt_gev)
    assert at_once > constituents > 4_000_000
    assert in_blocks < constituents / 2
    assert in_blocks < at_once / 8


# Other layouts.


def test_cms_jets_relative_to_their_axis(tmp_path: Path, make_jets: Make) -> None:
    """Candidates near a jet that are none of its constituents are left out, and b jets as well."""
    jets = make_jets(40)
    sums = jets.sums()
    other = np.random.default_rng(0).random(len(jets.pt_gev)) < 0.2
    index = jets.jet_index

    def flat(values: np.ndarray, kind: type) -> Any:
        return ak.unflatten(np.asarray(values, kind), jets.counts)

    around = np.asarray(jets.phi, np.float64) - sums.phi[index]
    branches = {
        "PF_pT": flat(jets.pt_gev, np.float32),
        "PF_dEta": flat(jets.eta - sums.eta[index], np.float32),
        "PF_dPhi": flat((around + np.pi) % (2 * np.pi) - np.pi, np.float32),
        "PF_mass": flat(jets.mass_gev, np.float32),
        "PF_id": flat(jets.pdg_id, np.int32),
        "PF_fromAK4Jet": flat(~other, np.int32),
        "jetPt": sums.pt_gev.astype(np.float32),
        "jetEta": sums.eta.astype(np.float32),
        "jetPhi": sums.phi.astype(np.float32),
        "jetMass": sums.mass_gev.astype(np.float32),
        "jetQGl": np.arange(40, dtype=np.float32),
        "eventWeight": np.ones(40, np.float32),
        "isPhysUDS": (np.arange(40) % 4 < 2).astype(np.int32),
        "isPhysG": (np.arange(40) % 4 == 2).astype(np.int32),
    }
    path = write(tmp_path / "a.root", branches, tree="AK4jets/jetTree")
    image = {"channels": ["et", "charged_multiplicity"], "normalise": "none", "rotate": None}
    data = load(path, image=image, scale=1e4)
    assert data.class_names == ("light_quark", "gluon")
    assert "10 of 40 jets are of no class and were left out." in data.provenance["notes"]
    order = joined(data, lambda s: s.observables["quark_gluon_likelihood"]).astype(int)
    assert set(order % 4) == {0, 1, 2}
    np.testing.assert_array_equal(joined(data, lambda s: s.labels), (order % 4 == 2).astype(int))
    expected = jet_images(jets.keep(~other).take(order), **image) / 1e4
    difference = abs(joined(data, lambda split: split.images) - expected).sum(axis=(1, 2, 3))
    # A constituent on the edge of a pixel may round to the other side.
    assert np.median(difference) < 1e-7
    assert (difference < 1e-5).mean() > 0.9


def test_cms_hbb_of_fractions_with_the_sign_of_the_jet(tmp_path: Path, make_jets: Make) -> None:
    jets = make_jets(40)
    sums, index = jets.sums(), jets.jet_index
    sign = np.where(sums.eta > 0, 1, -1)[index]

    def flat(values: np.ndarray) -> Any:
        return ak.unflatten(np.asarray(values, np.float32), jets.counts)

    signal = np.arange(40) % 2
    branches = {
        "pfcand_ptrel": flat(jets.pt_gev / sums.pt_gev[index]),
        "pfcand_etarel": flat(sign * (jets.eta - sums.eta[index])),
        "pfcand_phirel": flat(jets.phi - sums.phi[index]),
        "fj_pt": sums.pt_gev.astype(np.float32),
        "fj_eta": sums.eta.astype(np.float32),
        "fj_phi": sums.phi.astype(np.float32),
        "fj_sdmass": np.arange(40, dtype=np.float32),
        "fj_isH": signal.astype(np.int32),
        "fj_isQCD": (1 - signal).astype(np.int32),
        "sample_isQCD": (1 - signal).astype(np.int32),
    }
    path = write(tmp_path / "a.root", branches, tree="deepntuplizer/tree")
    data = load(path)
    assert data.class_names == ("QCD", "Hbb")
    order = joined(data, lambda s: s.observables["soft_drop_mass_gev"]).astype(int)
    massless = Constituents(jets.offsets, jets.pt_gev, jets.eta, jets.phi)
    massless = Constituents(jets.offsets, jets.pt_gev, jets.eta, jets.phi).sums().mass_gev
    for name, expected in (("eta", sums.eta), ("mass_gev", massless)):
        found = joined(data, lambda split, name=name: split.observables[name])
        np.testing.assert_allclose(found, expected[order], rtol=2e-3, atol=2e-3)


MINE = """
unit = "MeV"
[constituents]
pt = "p"
eta = "e"
phi = "f"
[labels]
branch = "kind"
names = ["QCD", "W"]
"""


def mine(tmp_path: Path, jets: Constituents, text: str = MINE) -> tuple[Path, str]:
    most = int(jets.counts.max())
    branches = {}
    for name, values in (("p", 1000 * jets.pt_gev), ("e", jets.eta), ("f", jets.phi)):
        array = np.zeros((len(jets), most), np.float32)
        array[jets.jet_index, np.arange(len(values)) - jets.offsets[jets.jet_index]] = values
        branches[name] = array
    branches["kind"] = np.arange(len(jets), dtype=np.int32) % 2
    path = tmp_path / "mine.root"
    with uproot.recreate(path) as file:
        file.mktree(
            "t", {n: (v.dtype, v.shape[1:]) if v.ndim > 1 else v.dtype for n, v in branches.items()}
        ).extend(branches)
    (tmp_path / "mine.toml").write_text(text)
    return path, str(tmp_path / "mine.toml")


def test_a_layout_of_ones_own_with_padded_branches_in_mev(tmp_path: Path, make_jets: Make) -> None:
    jets = make_jets()
    path, layout = mine(tmp_path, jets)
    data = load(path, layout=layout)
    assert data.class_names == ("QCD", "W")
    np.testing.assert_allclose(
        np.sort(joined(data, lambda split: split.observables["pt_gev"])),
        np.sort(Constituents(jets.offsets, jets.pt_gev, jets.eta, jets.phi).sums().pt_gev),
        rtol=1e-5,
    )


def test_images_in_a_tree_are_taken_as_they_are(tmp_path: Path) -> None:
    images = np.random.default_rng(0).random((20, 6, 5)).astype(np.float32)
    path = tmp_path / "a.root"
    with uproot.recreate(path) as file:
        tree = file.mktree("t", {"picture": (np.dtype(np.float32), (6, 5)), "kind": np.int32})
        tree.extend({"picture": images, "kind": np.arange(20, dtype=np.int32) % 2})
    (tmp_path / "l.toml").write_text('images = "picture"\n[labels]\nbranch = "kind"\n')
    data = load(path, layout=str(tmp_path / "l.toml"))
    assert data.image_shape == (6, 5, 1)
    np.testing.assert_array_equal(
        np.sort(joined(data, lambda split: split.images).sum(axis=(1, 2, 3))),
        np.sort(images[..., None].sum(axis=(1, 2, 3))),
    )
    with pytest.raises(StriateError, match="holds images, which take no image options"):
        load(path, layout=str(tmp_path / "l.toml"), image={"grid": 3})


def test_a_folder_of_files_with_splits_by_name(
    tmp_path: Path, make_jets: Make, labels: np.ndarray
) -> None:
    for seed, (folder, name) in enumerate(
        [("train_100M", "a"), ("train_100M", "b"), ("val_5M", "a"), ("test_20M", "latest_val")]
    ):
        (tmp_path / "set" / folder).mkdir(parents=True, exist_ok=True)
        name = f"{name}.root" if folder != "test_20M" else "HToBB_000.root"
        write(tmp_path / "set" / folder / name, jetclass(make_jets(60, seed), labels))
    data = load(tmp_path / "set")
    assert [len(split) for split in data.splits.values()] == [120, 60, 60]
    assert len(data.provenance["files"]) == 4
    first = jet_images(make_jets(60, 1), normalise="sum")
    np.testing.assert_allclose(data.train.images[60:], first, atol=2e-6)


# What is wrong is named, and nothing half-read is used.


def test_a_wrong_branch_gets_the_nearest(path: Path, tmp_path: Path, make_jets: Make) -> None:
    text = MINE.replace('"p"', '"part_py_gev"')
    (tmp_path / "l.toml").write_text(text)
    with pytest.raises(StriateError, match=r"no branch 'e', which the layout 'l' names: known|did"):
        load(path, layout=str(tmp_path / "l.toml"))
    jets = make_jets()
    mistyped = jetclass(jets, np.arange(60) % 10)
    mistyped["part_Px"] = mistyped.pop("part_px")
    other = write(tmp_path / "b.root", mistyped)
    with pytest.raises(
        StriateError,
        match=r"no branch 'part_px', which the layout 'jetclass' names: did you mean .*'part_Px'",
    ):
        load(other)


@pytest.mark.parametrize("branch", ["part_px", "jet_tau1"])
def test_a_damaged_basket_is_named_with_its_entries(path: Path, branch: str) -> None:
    with uproot.open(path) as file:
        found = file["tree"][branch]
        seek = int(found.member("fBasketSeek")[1])
        size = int(found.member("fBasketBytes")[1])
        edges = found.entry_offsets
    content = bytearray(path.read_bytes())
    content[seek + size - 30 : seek + size - 10] = bytes(20)
    path.write_bytes(bytes(content))
    with pytest.raises(StriateError) as caught:
        load(path)
    assert f"branch {branch!r} is damaged in entries {edges[1]} to {edges[2] - 1}" in str(
        caught.value
    )
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9, 0.99])
def test_a_truncated_file_is_refused(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(StriateError, match=r"jets\.root") as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_a_value_that_makes_no_sense_is_refused_with_its_entries(
    tmp_path: Path, make_jets: Make, labels: np.ndarray
) -> None:
    branches = jetclass(make_jets(), labels)
    px = ak.to_numpy(ak.flatten(branches["part_px"])).copy()
    px[30] = np.nan
    branches["part_px"] = ak.unflatten(px, ak.num(branches["part_px"]))
    path = write(tmp_path / "a.root", branches)
    with pytest.raises(StriateError, match=r"entries 0 to 59: pt_gev of particle 30 is not a fin"):
        load(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layout": "jetclas"}, "unknown layout 'jetclas': did you mean 'jetclass'"),
        ({"layout": "none.toml"}, r"none\.toml: cannot be read: No such file"),
        ({"tree": "trees"}, "no tree 'trees': did you mean 'tree'"),
        ({"image": {"gird": 3}}, "no image option 'gird': did you mean 'grid'"),
        ({"image": {"normalise": "standardise"}}, "gives pixels outside"),
        ({"arrays": {}}, "takes no option 'arrays'"),
    ],
)
def test_wrong_options_are_refused(path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(StriateError, match=message) as caught:
        load(path, **options)
    assert "\n" not in str(caught.value)


def test_labels_that_do_not_fit_are_refused(
    tmp_path: Path, make_jets: Make, labels: np.ndarray
) -> None:
    for change, message in (
        ({"label_QCD": 1}, "entry 1 is of class 'QCD' and 'Hbb'"),
        ({"label_QCD": 0}, "entry 0 is of none of the classes QCD"),
    ):
        branches = jetclass(make_jets(), labels)
        for name, value in change.items():
            branches[name] = np.full(60, value, np.int32)
        with pytest.raises(StriateError, match=message):
            load(write(tmp_path / "a.root", branches))


def test_a_file_of_other_things_lists_the_layouts(tmp_path: Path) -> None:
    path = write(tmp_path / "a.root", {"Muon_pt": np.ones(5, np.float32)})
    with pytest.raises(StriateError, match=r"known layouts \(atlas_top, cms_hbb.*say which hold"):
        load(path)
    with uproot.recreate(tmp_path / "b.root") as file:
        for name in ("x", "y"):
            file.mktree(name, {"a": np.int32}).extend({"a": np.ones(3, np.int32)})
    with pytest.raises(StriateError, match=r"has x, y: say which with tree=NAME"):
        load(tmp_path / "b.root")
