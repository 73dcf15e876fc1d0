"""One hash, whoever makes the blocks, and however often the making was killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from striate.errors import StriateError
from striate.jets.blocks import Block
from striate.jets.comparison import compare
from striate.jets.file import is_jets_file, read_header, read_jets
from striate.jets.generate import Plan, generate
from striate.jets.sample import SPLITS, STEP_GEV, read_sample, write_sample
from striate.jets.simulation import Simulation

pytest.importorskip("pythia8mc")
pytest.importorskip("fastjet")

N, BLOCK = 14, 7


def plan(seed: int = 4, **settings) -> Plan:
    """Quick collisions, without multi-parton interactions, in small blocks."""
    common = {"mpi": False, "images": {"grid": 9}} | settings
    return Plan(Simulation("gluon", **common), Simulation("W", **common), N, seed, BLOCK)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The file that one worker makes in one go."""
    path = tmp_path_factory.mktemp("one") / "jets.h5"
    told = []
    done = generate(plan(), path, command="a command", progress=lambda *p: told.append(p))
    assert told[0] == (0, 2 * N)
    assert told[-1] == (2 * N, 2 * N)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    return done


def test_a_file_holds_jets_and_how_they_were_made(made):
    assert is_jets_file(made.path)
    assert list(made.path.parent.iterdir()) == [made.path]
    jets = read_jets(made.path)
    header = read_header(made.path)
    assert dict(made.header) == header == jets.header
    assert jets.labels.tolist() == [0] * N + [1] * N
    assert jets.images.shape == (2 * N, 9, 9, 1)
    assert len(jets.constituents) == len(jets.observables["tau_21"]) == 2 * N
    pt = jets.constituents.sums().pt_gev
    assert ((pt >= 250) & (pt < 300)).all()
    np.testing.assert_allclose(jets.observables["pt_gev"], pt, rtol=1e-6)
    np.testing.assert_allclose(
        jets.images.sum(axis=(1, 2, 3)),
        jets.constituents.jet_sum(jets.constituents.pt_gev),
        rtol=0.05,
    )
    groomed = jets.constituents.keep(jets.in_groomed).sums().mass_gev
    np.testing.assert_allclose(jets.observables["groomed_mass_gev"], groomed, rtol=1e-4, atol=1e-2)
    assert header["class_names"] == ["gluon", "W"]
    assert header["command"] == "a command"
    assert header["seed"] == 4
    assert header["versions"]["pythia8mc"]
    assert "PartonLevel:MPI = off" in header["pythia"][1]
    for counts in header["counts"]:
        assert counts["jets"] == N
        assert counts["cross_section_pb"] > 3 * counts["cross_section_error_pb"] > 0
        assert counts["tried"] >= counts["collisions"] >= counts["accepted"] >= N


def test_two_workers_make_the_same(made, tmp_path):
    assert (
        generate(plan(), tmp_path / "two.h5", workers=2).header["sha256"] == made.header["sha256"]
    )


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_generate import plan
from striate.jets.generate import generate
if __name__ == "__main__":
    generate(plan(), Path(sys.argv[1]), workers=2)
"""


def test_killed_and_resumed_makes_the_same(made, tmp_path):
    out = tmp_path / "jets.h5"
    folder = tmp_path / "jets.h5.blocks"
    script = tmp_path / "make.py"
    script.write_text(KILLED)
    process = subprocess.Popen(
        [sys.executable, script, out, Path(__file__).parent], start_new_session=True
    )
    until = time.monotonic() + 300
    while not list(folder.glob("[!.]*.npz")) and time.monotonic() < until:
        assert process.poll() is None
        time.sleep(0.005)
    process.kill()
    process.wait()
    there = {path.name for path in folder.glob("[!.]*.npz")}
    assert 0 < len(there) < 2 * N / BLOCK
    assert not out.exists()
    assert not still_alive(process.pid)
    with pytest.raises(StriateError, match="holds what was begun: add --resume"):
        generate(plan(), out)
    with pytest.raises(StriateError, match=r"other settings \(seed: 4, now 5\)"):
        generate(plan(seed=5), out, resume=True)
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("[!.]*.npz")}
    seen = []

    def look(done: int, total: int) -> None:
        seen.append(done)
        for path in folder.glob("[!.]*.npz"):
            if path.name in before:
                assert path.stat().st_mtime_ns == before[path.name], "a block was made again"

    done = generate(plan(), out, resume=True, progress=look)
    assert seen[0] == BLOCK * len(before)
    assert done.header["sha256"] == made.header["sha256"]
    assert not folder.exists()


def still_alive(group: int) -> bool:
    """Return whether a process of the group lives on after some seconds."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.1)
    os.killpg(group, signal.SIGKILL)
    return True


def test_more_jets_can_be_made_of_what_is_there(made, tmp_path):
    out = tmp_path / "jets.h5"
    few = replace(plan(), n=BLOCK + 2)

    class Stopped(Exception):  # noqa: N818
        pass

    def stop(done: int, total: int) -> None:
        if done >= BLOCK:
            raise Stopped

    with pytest.raises(Stopped):
        generate(few, out, progress=stop)
    more = generate(plan(), out, resume=True)
    assert more.header["sha256"] == made.header["sha256"]


@pytest.mark.slow
def test_workers_of_a_dask_cluster_make_the_same(made, tmp_path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, processes=True
    ) as cluster:
        done = generate(plan(), tmp_path / "dask.h5", dask=cluster.scheduler_address)
    assert done.header["sha256"] == made.header["sha256"]


def test_a_scheduler_without_workers_is_a_line(tmp_path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=None) as cluster,
        pytest.raises(StriateError, match="has no workers: start some with: dask worker tcp://"),
    ):
        generate(plan(), tmp_path / "jets.h5", dask=cluster.scheduler_address)


def test_no_scheduler_is_a_line(tmp_path):
    pytest.importorskip("distributed")
    with pytest.raises(StriateError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1"):
        generate(plan(), tmp_path / "jets.h5", dask="tcp://127.0.0.1:1")


def test_what_is_there_is_not_written_over(made, tmp_path):
    with pytest.raises(StriateError, match="exists: choose another name"):
        generate(plan(), made.path)
    with pytest.raises(StriateError, match=r"name it jets\.h5"):
        generate(plan(), tmp_path / "jets.root")
    with pytest.raises(StriateError, match="number of jets must be 1 or more"):
        replace(plan(), n=0)


def test_a_setting_that_pythia_does_not_know_leaves_no_trace_in_the_way(tmp_path):
    wrong = plan(pythia=("Beams:eMC = 1",))
    for _ in range(2):
        with pytest.raises(StriateError, match="does not know the setting 'Beams:eMC = 1'"):
            generate(wrong, tmp_path / "jets.h5")


def test_a_block_survives_its_file(made, tmp_path):
    jets = read_jets(made.path)
    block = Block(
        jets.constituents,
        jets.in_groomed,
        jets.images,
        jets.observables,
        jets.parton_pt_gev,
        {"a": 1.0},
    )
    block.save(tmp_path / "block.npz")
    again = Block.load(tmp_path / "block.npz")
    np.testing.assert_array_equal(again.constituents.charge, jets.constituents.charge)
    np.testing.assert_array_equal(again.observables["d2"], jets.observables["d2"])
    assert again.counts == {"a": 1.0}
    (tmp_path / "block.npz").write_bytes((tmp_path / "block.npz").read_bytes()[:-200])
    with pytest.raises(StriateError, match=r"block\.npz: damaged"):
        Block.load(tmp_path / "block.npz")


def test_damage_is_found(made, tmp_path):
    path = tmp_path / "jets.h5"
    path.write_bytes(made.path.read_bytes())
    with h5py.File(path, "r+") as file:
        file["observables/tau_21"][3] += 0.1
    with pytest.raises(StriateError, match="do not have the hash in the header"):
        read_jets(path)
    with h5py.File(path, "r+") as file:
        file.attrs["version"] = 99
    with pytest.raises(StriateError, match="later version of striate"):
        read_header(path)
    path.write_bytes(b"no HDF5")
    with pytest.raises(StriateError, match="not a file of jets"):
        read_header(path)
    with pytest.raises(StriateError, match="no such file"):
        read_header(tmp_path / "none.h5")


def test_a_sample_is_sparse_and_nearly_the_same(made, tmp_path):
    jets = read_jets(made.path)
    write_sample(tmp_path / "sample.npz", jets)
    sample = read_sample(tmp_path / "sample.npz")
    np.testing.assert_allclose(sample.images, jets.images, atol=STEP_GEV / 2)
    np.testing.assert_array_equal(sample.labels, jets.labels)
    np.testing.assert_array_equal(sample.observables["c2"], jets.observables["c2"])
    assert dict(sample.header) == dict(jets.header)
    for label in (0, 1):
        counts = np.bincount(sample.splits[jets.labels == label], minlength=len(SPLITS))
        assert counts.tolist() == [10, 1, 3]
    (tmp_path / "sample.npz").write_bytes(b"PK")
    with pytest.raises(StriateError, match="damaged"):
        read_sample(tmp_path / "sample.npz")


def test_a_sample_of_large_images_has_long_gaps(made, tmp_path):
    jets = read_jets(made.path)
    images = np.zeros((2 * N, 40, 40, 1), np.float32)
    images[::3, -1, -1] = 300.0
    images[1, 0, 0], images[1, 6, 15], images[1, 6, 16] = 1.0, 2.0, 3.0  # 0, 255, 256
    images[4, 12, 30], images[4, 30, 3] = 0.5, 7.0
    write_sample(tmp_path / "sample.npz", replace(jets, images=images))
    np.testing.assert_array_equal(read_sample(tmp_path / "sample.npz").images, images)


def test_jets_of_two_seeds_are_others_and_alike(made, tmp_path):
    same = generate(plan(seed=7, preselection="wide"), tmp_path / "same.h5")
    assert same.header["sha256"] != made.header["sha256"]
    first, second = read_jets(made.path), read_jets(same.path)
    gluon, w = compare(first, second)
    assert (gluon.name, w.name) == ("gluon", "W")
    assert gluon.outside[0] == w.outside[0] == 0
    assert gluon.outside[1] <= 3
    assert gluon.jets == (N, N)
    assert min(*gluon.probabilities.values(), *w.probabilities.values()) > 1e-3
    mixed = replace(second, labels=1 - second.labels)
    assert min(compare(first, mixed)[0].probabilities.values()) < 1e-3
    with pytest.raises(StriateError, match="other classes"):
        compare(first, replace(second, header={"class_names": ["QCD", "Z"]}))


def test_a_worker_that_is_killed_is_a_line(tmp_path):
    out = tmp_path / "jets.h5"

    def kill(done: int, total: int) -> None:
        for worker in multiprocessing.active_children():
            os.kill(worker.pid, signal.SIGKILL)

    with pytest.raises(StriateError, match=r"a worker was killed.*--resume"):
        generate(plan(), out, progress=kill)
    assert not out.exists()
