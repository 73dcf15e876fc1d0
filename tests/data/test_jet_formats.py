"""HDF5 and npz files of jets; each is written as the real ones are, which their readers name."""

from __future__ import annotations

import pickle
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from striate.data import load
from striate.data.energyflow import is_energyflow, open_energyflow
from striate.data.jetfiles import JetImages
from striate.errors import StriateError
from striate.jets import Constituents, ImageOptions, jet_images

Make = Callable[..., Constituents]
Pad = Callable[[np.ndarray, Constituents, int], np.ndarray]

MOST = 20
N = 60
LABELS = np.arange(N) % 2


@pytest.fixture
def jets(make_jets: Make) -> Constituents:
    return make_jets(N)


def expected(jets: Constituents, data: Any, **image: Any) -> np.ndarray:
    """Images of the jets in the order of the dataset, which the pT of the jets gives away."""
    found = joined(data, lambda split: split.observables["pt_gev"])
    order = abs(jets.sums().pt_gev - found[:, np.newaxis]).argmin(axis=1)
    assert len(set(order)) == len(order)
    return jet_images(jets.take(order), **({"normalise": "sum"} | image))


def joined(data: Any, what: Callable[[Any], np.ndarray]) -> np.ndarray:
    return np.concatenate([what(split) for split in data.splits.values()])


def assert_images(jets: Constituents, data: Any, **image: Any) -> None:
    difference = abs(joined(data, lambda split: split.images) - expected(jets, data, **image))
    # A particle on the edge of a pixel may be rounded to the other side.
    assert (difference.sum(axis=(1, 2, 3)) < 1e-4).mean() > 0.9


def top_tagging(path: Path, jets: Constituents, pad: Pad, protocol: int = 0) -> Path:
    """Blocks of columns by type, their names pickled, as pandas and PyTables leave them."""
    momenta = [pad(component, jets, MOST) for component in jets.four_momenta()]
    truth = np.zeros((N, 4))
    values = np.concatenate([np.stack(momenta, axis=2).reshape(N, -1), truth], axis=1)
    names = [f"{axis}_{i}" for i in range(MOST) for axis in ("E", "PX", "PY", "PZ")]
    names += [f"truth{axis}" for axis in ("E", "PX", "PY", "PZ")]
    table = np.zeros(
        N,
        [
            ("index", "<i8"),
            ("values_block_0", "<f4", (4 * MOST + 4,)),
            ("values_block_1", "<i8", (2,)),
        ],
    )
    table["index"] = np.arange(N)
    table["values_block_0"] = values
    table["values_block_1"][:, 1] = LABELS
    with h5py.File(path, "w") as file:
        stored = file.create_dataset("table/table", data=table, chunks=(16,), compression="gzip")
        for block, columns in (("0", names), ("1", ["ttv", "is_signal_new"])):
            text = pickle.dumps(columns, protocol)
            stored.attrs[f"values_block_{block}_kind"] = np.void(text) if protocol else text
    return path


@pytest.mark.parametrize("protocol", [0, 4])
def test_top_tagging_reference_table(
    tmp_path: Path, jets: Constituents, pad: Pad, protocol: int
) -> None:
    data = load(top_tagging(tmp_path / "train.h5", jets, pad, protocol), test=20)
    assert data.class_names == ("QCD", "top")
    assert data.provenance["layout"].startswith("top-tagging reference set")
    assert_images(jets, data)
    np.testing.assert_allclose(
        np.sort(joined(data, lambda split: split.observables["mass_gev"])),
        np.sort(jets.sums().mass_gev),
        rtol=5e-3,
        atol=0.05,
    )


def test_a_pickle_that_would_run_code_is_only_read(
    tmp_path: Path, jets: Constituents, pad: Pad
) -> None:
    path = top_tagging(tmp_path / "a.h5", jets, pad)

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "touched",)

    with h5py.File(path, "r+") as file:
        file["table/table"].attrs["values_block_0_kind"] = np.void(pickle.dumps([Evil()]))
    with pytest.raises(StriateError, match="no column 'E_0'"):
        load(path)
    assert not (tmp_path / "touched").exists()


def test_the_reference_set_is_three_files_in_a_folder(
    tmp_path: Path, make_jets: Make, pad: Pad
) -> None:
    for seed, name in enumerate(("test", "train", "val")):
        top_tagging(tmp_path / f"{name}.h5", make_jets(N, seed), pad)
    data = load(tmp_path)
    assert list(data.splits) == ["train", "validation", "test"]
    first = jet_images(make_jets(N, 0), normalise="sum")
    assert (abs(data.test.images - first).sum(axis=(1, 2, 3)) < 1e-4).mean() > 0.9


def atlas(path: Path, jets: Constituents, pad: Pad, weights: str | None) -> Path:
    sums = jets.sums()
    energy = jets.four_momenta().energy
    arrays = {
        "fjet_clus_pt": 1000 * pad(jets.pt_gev, jets, MOST),
        "fjet_clus_eta": pad(jets.eta, jets, MOST),
        "fjet_clus_phi": pad(jets.phi, jets, MOST),
        "fjet_clus_E": 1000 * pad(energy, jets, MOST),
        "fjet_pt": 1000 * sums.pt_gev,
        "fjet_eta": sums.eta,
        "fjet_phi": sums.phi,
        "fjet_m": 1000 * sums.mass_gev,
        "labels": LABELS,
    }
    for name in ("C2", "D2", "Tau1_wta", "Tau2_wta", "Tau3_wta"):
        arrays[f"fjet_{name}"] = np.arange(N)
    if weights:
        arrays[weights] = 1.0 + np.arange(N)
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            file.create_dataset(name, data=values.astype(np.float32), chunks=True, shuffle=True)
    return path


@pytest.mark.parametrize("weights", ["training_weights", "weights", None])
def test_atlas_top_tagging_in_mev_with_weights(
    tmp_path: Path, jets: Constituents, pad: Pad, weights: str | None
) -> None:
    data = load(atlas(tmp_path / "train_nominal_000.h5", jets, pad, weights))
    assert data.class_names == ("background", "top")
    assert_images(jets, data)
    if weights is None:
        assert data.train.weights is None
    else:
        number = data.train.observables["d2"]
        np.testing.assert_array_equal(data.train.weights, 1 + number)
        np.testing.assert_array_equal(data.train.labels, number.astype(int) % 2)
    mass = joined(data, lambda split: split.observables["mass_gev"])
    np.testing.assert_allclose(np.sort(mass), np.sort(jets.sums().mass_gev), rtol=1e-5)


def test_a_column_that_is_too_short_is_refused(
    tmp_path: Path, jets: Constituents, pad: Pad
) -> None:
    path = atlas(tmp_path / "a.h5", jets, pad, None)
    for name in ("labels", "fjet_clus_eta", "fjet_C2"):
        with h5py.File(path, "r+") as file:
            values = file[name][...]
            del file[name]
            file[name] = values[:-1]
        with pytest.raises(StriateError, match=rf"a\.h5: .*{name}' has (shape|59 entries)"):
            load(path)
        with h5py.File(path, "r+") as file:
            del file[name]
            file[name] = values


def test_a_value_that_makes_no_sense_is_named_with_its_entries(
    tmp_path: Path, jets: Constituents, pad: Pad
) -> None:
    path = atlas(tmp_path / "a.h5", jets, pad, None)
    with h5py.File(path, "r+") as file:
        file["fjet_clus_eta"][5, 0] = np.inf
    with pytest.raises(StriateError, match=r"a\.h5: entries 0 to 59: eta of particle \d+ is not a"):
        load(path)


def lhc_jets(path: Path, jets: Constituents, pad: Pad) -> Path:
    """Seventeen names for sixteen features, the last without a column, as in the real files."""
    features = [
        *("px", "py", "pz", "e", "erel", "pt", "ptrel", "eta", "etarel", "etarot", "phi"),
        *("phirel", "phirot", "deltaR", "costheta", "costhetarel", "pdgid"),
    ]
    particles = np.zeros((N, MOST, 16))
    for name, component in zip(("e", "px", "py", "pz"), jets.four_momenta(), strict=True):
        particles[:, :, features.index(name)] = pad(component, jets, MOST)
    columns = ["j_zlogz", "j_pt", "j_eta", "j_mass", "j_mass_mmdt", "j_multiplicity"]
    columns += ["j_g", "j_q", "j_w", "j_z", "j_t", "j_undef"]
    table = np.zeros((N, len(columns)))
    sums = jets.sums()
    table[:, 1], table[:, 2], table[:, 3] = sums.pt_gev, sums.eta, sums.mass_gev
    table[:, 4] = np.arange(N)
    table[np.arange(N), 6 + np.arange(N) % 5] = 1
    with h5py.File(path, "w") as file:
        file["jetConstituentList"] = particles
        file["jets"] = table
        file["jetFeatureNames"] = np.array(columns, "S")
        file["particleFeatureNames"] = np.array([f"j1_{name}" for name in features], "S")
        file["jetImage"] = np.random.default_rng(0).random((N, 10, 10))
    return path


def test_lhc_jets_of_hls4ml(tmp_path: Path, jets: Constituents, pad: Pad) -> None:
    path = lhc_jets(tmp_path / "jetImage_7_150p_0_10000.h5", jets, pad)
    data = load(path, image={"grid": 11, "channels": "et"})
    assert data.class_names == ("gluon", "quark", "W", "Z", "top")
    assert_images(jets, data, grid=11)
    number = data.train.observables["soft_drop_mass_gev"].astype(int)
    np.testing.assert_array_equal(data.train.labels, number % 5)


def test_stored_images_of_hls4ml(tmp_path: Path, jets: Constituents, pad: Pad) -> None:
    path = lhc_jets(tmp_path / "a.h5", jets, pad)
    data = load(path, stored="jetImage", limit=30)
    with h5py.File(path) as file:
        images = file["jetImage"][...]
    number = data.train.observables["soft_drop_mass_gev"].astype(int)
    np.testing.assert_allclose(data.train.images[..., 0], images[number], rtol=1e-6)
    with pytest.raises(StriateError, match="no images 'jetImages': did you mean 'jetImage'"):
        load(path, stored="jetImages")


def energyflow(path: Path, jets: Constituents, pad: Pad, **arrays: Any) -> Path:
    columns = (jets.pt_gev, jets.rapidity(), jets.phi % (2 * np.pi), jets.pdg_id)
    particles = np.stack([pad(np.asarray(c), jets, MOST) for c in columns], axis=2)
    np.savez_compressed(path, **({"X": particles, "y": LABELS.astype(float)} | arrays))
    return path


def test_energyflow_jets_have_rapidities_and_pdg_numbers(
    tmp_path: Path, jets: Constituents, pad: Pad
) -> None:
    path = energyflow(tmp_path / "QG_jets.npz", jets, pad)
    image = {"grid": 33, "width": 0.8, "channels": ["charged_pt", "neutral_pt"]}
    data = load(path, image=image)
    assert data.class_names == ("gluon", "quark")
    assert_images(jets, data, **image)
    mass = joined(data, lambda split: split.observables["mass_gev"])
    np.testing.assert_allclose(np.sort(mass), np.sort(jets.sums().mass_gev), rtol=1e-3, atol=0.01)


def test_images_with_four_columns_stay_images(tmp_path: Path) -> None:
    images = np.random.default_rng(0).random((20, 9, 4))
    np.savez(tmp_path / "a.npz", X=images, y=np.arange(20) % 2)
    assert not is_energyflow(tmp_path / "a.npz")
    assert load(tmp_path / "a.npz").image_shape == (9, 4, 1)
    with pytest.raises(StriateError, match="no file of jets, which takes no image="):
        load(tmp_path / "a.npz", image={"grid": 3})


def test_a_folder_of_energyflow_files(tmp_path: Path, make_jets: Make, pad: Pad) -> None:
    for i in range(3):
        energyflow(tmp_path / f"QG_jets_{i}.npz", make_jets(N, i), pad)
    data = load(tmp_path, test=0.5)
    assert len(data.train) + len(data.test) == 3 * N
    assert "layout" in data.provenance


@pytest.mark.parametrize("limit", [None, 10])
def test_a_damaged_npz_is_refused_whatever_is_wanted(
    tmp_path: Path, jets: Constituents, pad: Pad, limit: int | None
) -> None:
    """The checksum of an archive's member is at its end: it is read to there."""
    path = tmp_path / "a.npz"
    columns = (jets.pt_gev, jets.rapidity(), jets.phi, jets.pdg_id)
    particles = np.stack([pad(np.asarray(c), jets, MOST) for c in columns], axis=2)
    np.savez(path, X=particles, y=LABELS)  # not compressed: only the checksum tells
    content = bytearray(path.read_bytes())
    place = content.index(b"X.npy") + 200 + 8 * 4 * MOST * (N - 2)
    content[place] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(StriateError, match=r"a\.npz: 'X' is damaged in jets 0 to 59 or before"):
        load(path, limit=limit)


def test_a_damaged_chunk_of_hdf5_is_refused(tmp_path: Path, jets: Constituents, pad: Pad) -> None:
    path = top_tagging(tmp_path / "a.h5", jets, pad)
    with h5py.File(path) as file:
        chunk = file["table/table"].id.get_chunk_info(3)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset + 40 : chunk.byte_offset + 90] = bytes(50)
    path.write_bytes(bytes(content))
    with pytest.raises(StriateError, match=r"a\.h5: .*damaged") as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_a_damaged_chunk_of_constituents_is_named_with_its_entries(
    tmp_path: Path, jets: Constituents, pad: Pad, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = atlas(tmp_path / "a.h5", jets, pad, None)
    with h5py.File(path, "r+") as file:
        values = file["fjet_clus_pt"][...]
        del file["fjet_clus_pt"]
        file.create_dataset("fjet_clus_pt", data=values, chunks=(10, MOST), compression="gzip")
    with h5py.File(path) as file:
        chunk = file["fjet_clus_pt"].id.get_chunk_info(3)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset + 20 : chunk.byte_offset + 60] = bytes(40)
    path.write_bytes(bytes(content))
    monkeypatch.setattr("striate.data.jetfiles.BLOCK_BYTES", 10 * 4 * 4 * MOST)
    with pytest.raises(StriateError, match=r"a\.h5: damaged in the entries from 30: "):
        load(path)


def test_a_filter_that_is_not_there_is_named(tmp_path: Path, jets: Constituents, pad: Pad) -> None:
    """Filter 32001 is Blosc, which PyTables likes; the number is written into the file by hand."""
    path = lhc_jets(tmp_path / "a.h5", jets, pad)
    with h5py.File(path, "r+") as file:
        values = file["jetConstituentList"][...]
        del file["jetConstituentList"]
        kind = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        kind.set_chunk((10, MOST, 16))
        kind.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, (2, 2, 8, 25600, 5, 1, 1))
        h5py.h5d.create(
            file.id,
            b"jetConstituentList",
            h5py.h5t.IEEE_F64LE,
            h5py.h5s.create_simple(values.shape),
            dcpl=kind,
        )
    if h5py.h5z.filter_avail(32001):
        pytest.skip("Blosc is installed here")
    with pytest.raises(StriateError, match=r"compressed with HDF5 filter 32001.*hdf5plugin"):
        load(path)


@pytest.mark.parametrize("kind", ["hdf5", "npz"])
def test_files_larger_than_memory_are_streamed(
    tmp_path: Path, make_jets: Make, pad: Pad, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    from striate.data.jethdf5 import open_jets

    big = make_jets(12_000)
    if kind == "npz":
        path = energyflow(tmp_path / "a.npz", big, pad, y=np.arange(12_000) % 2)
        file = open_energyflow(path)
    else:
        monkeypatch.setattr(f"{__name__}.N", 12_000)
        monkeypatch.setattr(f"{__name__}.LABELS", np.arange(12_000) % 2)
        path = top_tagging(tmp_path / "a.h5", big, pad)
        with h5py.File(path) as opened:
            found = open_jets(opened, path)
            assert found is not None
            file = found
    images = JetImages([file], ImageOptions(grid=5, rotate=None, centre="axis"))
    monkeypatch.setattr("striate.data.jetfiles.BLOCK_BYTES", 200_000)
    monkeypatch.setattr("striate.data.energyflow.BLOCK_BYTES", 200_000)
    images.read(np.arange(10))
    tracemalloc.start()
    try:
        made = images.read(None)
        peak = tracemalloc.get_traced_memory()[1] - made.nbytes - 6 * 4 * len(made)
    finally:
        tracemalloc.stop()
    # Padded, the particles of the file take 4 numbers of at least 4 bytes.
    assert peak < 12_000 * MOST * 4 * 4 / 2


def test_options_of_jets_are_refused_for_images(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"], file["y"] = np.ones((4, 5, 5)), [0, 1, 0, 1]
    for option, value in (("image", {"grid": 3}), ("stored", "jetImage")):
        with pytest.raises(StriateError, match=f"no file of jets, which takes no {option}="):
            load(tmp_path / "a.h5", **{option: value})
