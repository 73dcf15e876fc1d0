"""Blocks on Dask workers give the bits of one machine, also when a worker is killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import striate as st
from striate.cli import cluster_options
from striate.errors import StriateError
from striate.scans import BatchSystem, ScanObserver, resume
from striate.scans.cluster import Cluster, connected, library

distributed = pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
# Its scheduler and workers leave what they log, and their sockets, to their end.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

WORKERS = 3


def contents(scan: st.GridResult) -> dict[str, bytes]:
    """Return the table and the histories."""
    files = [scan.directory / "table.csv", *sorted((scan.directory / "histories").iterdir())]
    return {path.name: path.read_bytes() for path in files}


def started(folder: Path, name: str, *words: str) -> subprocess.Popen[bytes]:
    environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """A scheduler without workers and its address, and a function that starts a worker."""
    folder = tmp_path_factory.mktemp("cluster")
    said = folder / "scheduler.json"
    running = {
        "scheduler": started(
            folder, "scheduler", "distributed.cli.dask_scheduler", "--host", "127.0.0.1",
            "--port", "0", "--no-dashboard", "--scheduler-file", str(said),
        )
    }  # fmt: skip
    until = time.monotonic() + 60
    address = None
    while address is None:
        assert time.monotonic() < until, (folder / "scheduler.log").read_text()
        with contextlib.suppress(OSError, ValueError, KeyError):
            address = json.loads(said.read_text())["address"]
        time.sleep(0.05)

    def start(name: str) -> None:
        running[name] = started(
            folder, name, "distributed.cli.dask_worker", address, "--no-nanny", "--nthreads", "1",
            "--name", name, "--no-dashboard",
        )  # fmt: skip

    yield address, running, start
    for process in running.values():
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def workers(processes):
    """A client of the scheduler, which has three workers; by their names, their processes."""
    address, running, start = processes
    for number in range(WORKERS):
        start(f"worker-{number}")
    with distributed.Client(address, set_as_default=False) as client:
        client.wait_for_workers(WORKERS, timeout=90)
        yield client, running


class KillTheFirst(ScanObserver):
    """Kills the worker that is first heard to be in the middle of a block."""

    def __init__(self, client, processes):
        self.client, self.processes = client, processes
        self.killed = None
        self.done = []

    def on_epoch(self, block, training):
        if self.killed is None and training.epoch < training.epochs:
            information = self.client.scheduler_info(n_workers=-1)["workers"]
            for address, keys in self.client.processing().items():
                if any(str(key).endswith(f"-{block}") for key in keys):
                    self.killed = (block, information[address]["name"])
                    self.processes[self.killed[1]].kill()

    def on_block(self, block, result):
        self.done.append(block)


def test_a_killed_worker_costs_its_block_and_changes_no_bit(workers, tmp_path):
    client, processes = workers
    data = st.load("digits", limit=400)
    # Three blocks of one program, the last filled up; here they share it, there each has its own.
    settings = {"learning_rate": [0.01, 0.03, 0.1, 0.3], "l2": [0.0, 1e-3], "epochs": 100}
    settings |= {"batch_size": 50, "filters": 4, "directory": tmp_path}
    observer = KillTheFirst(client, processes)
    there = st.grid("oslo_digits", data, cluster=client, observer=observer, **settings)
    block, name = observer.killed
    assert processes[name].wait(10) == -signal.SIGKILL
    assert sorted(observer.done) == [0, 1, 2]
    assert block in observer.done
    here = st.grid("oslo_digits", data, side_by_side=WORKERS, **settings)
    assert there.config["blocks"] == here.config["blocks"]
    assert contents(there) == contents(here)


def test_functions_and_arrays_of_the_session_travel(workers, tmp_path):
    client, _ = workers
    random = np.random.default_rng(0)
    images, labels = random.random((60, 6, 6), np.float32), np.arange(60) % 3
    data = st.Dataset.from_arrays(images, labels, name="noise", seed=0)

    def small(neurons=4, l2=0.0):
        import keras

        model = keras.Sequential(
            [
                keras.layers.Input((6, 6, 1)),
                keras.layers.Flatten(),
                keras.layers.Dense(neurons, kernel_regularizer=keras.regularizers.L2(l2)),
                keras.layers.Dense(3, activation="softmax"),
            ]
        )
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    settings = {"l2": [0.0, 0.1], "epochs": 2, "batch_size": 20, "directory": tmp_path}
    there = st.grid(small, data, cluster=client, keep_models=True, **settings)
    here = st.grid(small, data, side_by_side=2, **settings)
    assert contents(there) == contents(here)
    assert (there.directory / "models" / "cell-001.keras").exists()


class StopAtOnce(ScanObserver):
    def on_start(self, grid):
        signal.raise_signal(signal.SIGTERM)


def test_a_scan_goes_on_elsewhere_than_it_began(workers, tmp_path):
    client, _ = workers
    data = st.load("digits", limit=400)
    settings = {"learning_rate": [0.01, 0.1], "epochs": 2, "directory": tmp_path}
    with pytest.raises(st.runs.Interrupted) as stopped:
        st.grid("oslo_digits", data, side_by_side=2, observer=StopAtOnce(), **settings)
    there = resume(stopped.value.directory, cluster=client)
    with pytest.raises(st.runs.Interrupted) as stopped:
        st.grid("oslo_digits", data, cluster=client, observer=StopAtOnce(), **settings)
    here = resume(stopped.value.directory)
    assert (there.finished, here.finished) == (True, True)
    # Begun here, programs have the threads of this process; begun there, one each.
    assert there.rows.keys() == here.rows.keys()
    for number, row in there.rows.items():
        for name, value in row.items():
            other = here.rows[number][name]
            if isinstance(value, float):
                assert value == pytest.approx(other, rel=1e-5), (number, name)
            else:
                assert value == other, (number, name)
    # Nobody computes what nobody wants.
    until = time.monotonic() + 30
    while any(client.processing().values()) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(client.processing().values())


def test_a_worker_with_other_versions_or_without_the_data_says_so(workers, tmp_path):
    client, _ = workers
    data = st.load("digits", limit=400)
    with pytest.raises(st.runs.Interrupted) as stopped:
        st.grid("oslo_digits", data, epochs=2, directory=tmp_path, observer=StopAtOnce())
    scan = stopped.value.directory / "scan.json"
    config = json.loads(scan.read_text())
    config["versions"]["jax"] = "0.1"
    with connected(client) as cluster:
        recipe = st.scans.plan.Recipe("oslo_digits", data, config["fixed"])
        with pytest.raises(StriateError, match=r"^the worker tcp://.* jax 0.1 \(here "):
            list(cluster.workers(recipe, config, [0]).events(lambda: False))
        config = json.loads(scan.read_text())
        config["dataset"]["load"] = {"name_or_path": str(tmp_path / "none.h5"), "options": {}}
        with pytest.raises(StriateError, match=r"^the worker tcp://.*none.h5"):
            list(cluster.workers(recipe, config, [0]).events(lambda: False))


def test_one_network_must_fit_into_the_thread_of_a_worker(workers, network, digits):
    client, _ = workers
    cluster = Cluster(client, slots=4)
    recipe = st.scans.plan.Recipe(network, digits, {"epochs": 2, "batch_size": 60, "seed": 0})
    cells = st.scans.space.product({"l2": [10.0**-n for n in range(9)]})
    needed = st.engine.bytes_per_model(network(), 60)
    blocks, side_by_side = cluster.blocks(recipe, cells, 2 * needed, None, lambda *_: None)
    assert side_by_side == 1
    assert max(len(block["cells"]) for block in blocks) <= 2
    with pytest.raises(StriateError, match="allow more memory, or use fewer threads"):
        cluster.blocks(recipe, cells, needed - 1, None, lambda *_: None)


def test_an_address_without_scheduler_or_workers_is_refused(processes, monkeypatch):
    address, running, _ = processes
    monkeypatch.setattr("striate.scans.cluster._ANSWER_SECONDS", 1)
    with pytest.raises(StriateError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        connected("tcp://127.0.0.1:9").__enter__()
    if len(running) == 1:
        with pytest.raises(StriateError, match=f"has no workers.*dask worker {address}"):
            connected(address).__enter__()


@pytest.mark.parametrize(("cluster", "message"), [(0, "too few"), (1.5, "is no cluster")])
def test_what_is_no_cluster_is_refused(cluster, message):
    with pytest.raises(StriateError, match=message):
        connected(cluster).__enter__()


def test_without_the_extra_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(StriateError, match=r"needs distributed.*pip install 'striate\[cluster\]'"):
        library("distributed")


def test_a_place_is_named_once(tmp_path):
    file = tmp_path / "job.yaml"
    assert cluster_options.chosen(None, None, None, None) is None
    assert cluster_options.chosen(2, None, None, None) == 2
    assert cluster_options.chosen(None, "tcp://a:1", None, None) == "tcp://a:1"
    assert cluster_options.chosen(9, None, file, None) == BatchSystem("slurm", file, 9)
    assert cluster_options.chosen(None, None, None, file) == BatchSystem("htcondor", file, 1)
    with pytest.raises(StriateError, match="--slurm and --htcondor"):
        cluster_options.chosen(None, None, file, file)
    with pytest.raises(StriateError, match="--dask and --workers"):
        cluster_options.chosen(2, "tcp://a:1", None, None)
