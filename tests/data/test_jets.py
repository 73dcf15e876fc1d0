"""Reading our own files of jets, and the bundled sample."""

import numpy as np
import pytest

import striate as st
from striate.data.jets import SAMPLE
from striate.errors import StriateError
from striate.jets import Constituents
from striate.jets.blocks import Block
from striate.jets.file import write_jets
from striate.jets.images import jet_images
from striate.jets.simulation import Simulation


def block(seed: int, images_of: str) -> Block:
    random = np.random.default_rng(seed)
    counts = random.integers(5, 30, 20)
    n = int(counts.sum())
    jets = Constituents.from_arrays(
        random.exponential(5, n),
        random.normal(0, 0.3, n),
        random.normal(2, 0.3, n),
        np.zeros(n),
        random.integers(-1, 2, n),
        np.full(n, 211),
        counts=counts,
    )
    kept = random.random(n) < 0.8
    pictured = jets.keep(kept) if images_of == "trimmed" else jets
    counted = dict.fromkeys(
        ("collisions", "accepted", "tried", "seconds", "sigma_pb", "sigma_error_pb"), 1.0
    )
    return Block(
        jets,
        kept,
        jet_images(pictured),
        {"tau_21": random.random(20).astype(np.float32)},
        np.full(20, 260.0, np.float32),
        counted,
    )


@pytest.fixture(params=["jet", "trimmed"])
def jets_file(request, tmp_path):
    path = tmp_path / "mine.h5"
    simulation = Simulation("W", images_of=request.param).as_json()
    blocks = [[block(1, request.param)], [block(2, request.param), block(3, request.param)]]
    header = {"class_names": ["QCD", "W"], "classes": [simulation] * 2, "command": "c", "n": 20}
    write_jets(path, [iter(of_class) for of_class in blocks], header)
    return path


def test_a_file_of_jets_is_known_by_its_contents(jets_file):
    data = st.load(jets_file, test=0.25)
    assert data.class_names == ("QCD", "W")
    assert (len(data.train), len(data.test)) == (45, 15)
    assert data.image_shape == (25, 25, 1)
    np.testing.assert_allclose((data.train.images**2).sum(axis=(1, 2, 3)), 1, rtol=1e-5)
    assert data.provenance["simulation"]["command"] == "c"
    assert data.provenance["image"]["normalise"] == "sqrt"
    assert set(data.train.observables) == {"tau_21"}


def test_shares_and_images_of_other_kinds(jets_file):
    shares = st.load(jets_file, normalise="sum")
    np.testing.assert_allclose(shares.train.images.sum(axis=(1, 2, 3)), 1, rtol=1e-5)
    again = st.load(jets_file, image={"normalise": "sqrt"})
    np.testing.assert_allclose(again.train.images, st.load(jets_file).train.images, atol=1e-6)
    assert {"tau_21", "mass_gev", "multiplicity"} <= set(again.train.observables)
    colours = st.load(jets_file, image={"grid": 33, "width": 0.8, "channels": ["et", "charged_pt"]})
    assert colours.image_shape == (33, 33, 2)


def test_options_that_do_not_fit_are_refused(jets_file):
    with pytest.raises(StriateError, match="normalise='none' is none for the pixels"):
        st.load(jets_file, normalise="none")
    with pytest.raises(StriateError, match="not both"):
        st.load(jets_file, normalise="sum", image={})
    with pytest.raises(StriateError, match="did you mean 'normalise'"):
        st.load(jets_file, normalize="sum")


def test_the_bundled_sample():
    data = st.load("jets")
    assert SAMPLE.stat().st_size < 4_000_000
    assert data.class_names == ("QCD", "W")
    assert data.image_shape == (25, 25, 1)
    sizes = {name: np.bincount(split.labels).tolist() for name, split in data.splits.items()}
    assert sizes == {"train": [7000] * 2, "validation": [1000] * 2, "test": [2000] * 2}
    assert data.provenance["simulation"]["command"].startswith("striate jets generate")
    assert len(data.provenance["simulation"]["sha256"]) == 64
    np.testing.assert_array_equal(data.train.labels[:6], [0, 1] * 3)


def test_the_bundled_jets_look_like_physics():
    split = st.load("jets").train
    found, w = split.observables, split.labels == 1
    assert ((found["pt_gev"] >= 250) & (found["pt_gev"] < 300)).all()
    heights, edges = np.histogram(found["groomed_mass_gev"][w], bins=60, range=(50, 110))
    peak = edges[heights.argmax()] + 0.5
    assert abs(peak - 80.4) < 3
    qcd = np.histogram(found["groomed_mass_gev"][~w], bins=[20, 60, 100, 140])[0]
    assert qcd[0] > qcd[1] > qcd[2]
    assert found["tau_21"][w].mean() < 0.7 * found["tau_21"][~w].mean()
    # Two prongs below each other for the W, one core for the others.
    mean = [split.images[split.labels == label, ..., 0].mean(axis=0) for label in (0, 1)]
    second = [image[13:21, 12].max() / image[12, 12] for image in mean]
    assert second[1] > 1.5 * second[0]


def test_shares_of_the_bundled_jets():
    np.testing.assert_allclose(
        st.load("jets", normalise="sum").test.images.sum(axis=(1, 2, 3)), 1, rtol=1e-4
    )
