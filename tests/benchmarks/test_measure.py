from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import isolate, measure
from benchmarks.measurement import Failure
from benchmarks.programs import PROGRAMS, Program
from benchmarks.trainer import FirstStep, Trainer
from benchmarks.workloads import WORKLOADS, Inputs, Workload, make_inputs, save_inputs

ROOT = Path(__file__).parents[2]
SMALL = replace(WORKLOADS["N12"], images=300, epochs=2)


class Invented(Trainer):
    """Says that an epoch takes 10 ms, after half a second for each call."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def train(self, epochs: int, on_first_step: FirstStep | None = None) -> list[float]:
        if on_first_step is not None:
            on_first_step()
        self.calls.append(epochs)
        return [2.0] * epochs

    def seconds(self, epochs: int) -> float:
        self.train(epochs)
        return 0.01 * epochs


def test_throughput_is_of_long_calls_for_at_least_the_time() -> None:
    trainer = Invented()
    record = measure.throughput(trainer, images=1000, seconds=2.0)
    assert record["images_per_second"] == pytest.approx(100_000)
    assert record["seconds_timed"] >= 2.0
    assert 0.01 * record["epochs_a_call"] >= 0.5
    timed = [calls for calls in trainer.calls if calls == record["epochs_a_call"]]
    # The last warm-up call is as long as those that count.
    assert record["images_timed"] == 1000 * sum(timed[1:])


def test_the_job_comes_first_and_the_compared_losses_from_a_fresh_network() -> None:
    made: list[tuple[int, bool, Invented]] = []

    def prepare(workload: Workload, inputs: Inputs, *, shuffle: bool, **_: Any) -> Trainer:
        made.append((len(inputs.labels), shuffle, Invented()))
        return made[-1][2]

    record = measure.measure(
        prepare,
        SMALL,
        make_inputs(SMALL),
        options={},
        seconds=0.1,
        compare=True,
        started=0.0,
    )
    assert [(n, shuffle) for n, shuffle, _ in made] == [(300, True), (300, False)]
    assert made[0][2].calls[0] == SMALL.epochs
    assert made[1][2].calls == [measure.COMPARED_EPOCHS]
    assert record["losses"] == [2.0, 2.0]
    assert 0 < record["seconds_to_first_step"] <= record["seconds_job"]


def test_the_measuring_process_does_not_import_striate() -> None:
    # It would select the JAX backend of Keras for every peer.
    code = (
        "import benchmarks.measure, sys\n"
        "assert not {'striate', 'keras', 'jax', 'torch', 'tensorflow'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def outcome(program: Program, directory: Path, *, compare: bool = False) -> Any:
    save_inputs(make_inputs(SMALL), directory / "inputs.npz")
    return isolate.run(
        program,
        SMALL,
        1,
        inputs=directory / "inputs.npz",
        directory=directory,
        seconds=0.01,
        compare=compare,
        limit=120,
    )


def test_a_failing_program_gives_its_reason(tmp_path: Path) -> None:
    wrong = replace(PROGRAMS["jax-lax"], options={"convolution": "guess"})
    result = outcome(wrong, tmp_path)
    assert isinstance(result, Failure)
    assert "exit status 1: KeyError: 'guess'" in result.reason


def test_keras_on_another_backend_than_asked_is_a_failure(tmp_path: Path) -> None:
    # striate selects JAX whatever the environment says.
    wrong = replace(PROGRAMS["striate-fit"], backend="tensorflow")
    result = outcome(wrong, tmp_path)
    assert isinstance(result, Failure)
    assert result.reason == "Keras ran on 'jax' instead of 'tensorflow'"


def test_the_environment_keeps_caches_apart_and_drops_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("KERAS_BACKEND", "numpy")
    ours = isolate.environment(PROGRAMS["torch-eager-nchw"], tmp_path)
    other = isolate.environment(PROGRAMS["striate-fit"], tmp_path)
    assert not {"OMP_NUM_THREADS", "KERAS_BACKEND"} & set(ours)
    assert other["KERAS_BACKEND"] == "jax"
    assert ours["XDG_CACHE_HOME"] != other["XDG_CACHE_HOME"]


@pytest.mark.parametrize("program", ["jax-patches", "jax-lax", "jax-shifts", "torch-eager-nhwc"])
def test_a_program_written_by_hand_trains_as_keras_does(program: str) -> None:
    chosen = PROGRAMS[program]
    if chosen.missing():
        pytest.skip(f"{chosen.missing()[0]} is not installed (extra: bench)")
    import importlib

    from benchmarks.peers import striate_program

    workload = replace(WORKLOADS["N12"], images=250)
    inputs = make_inputs(workload)
    module = importlib.import_module(chosen.module)
    losses = module.prepare(workload, inputs, shuffle=False, **chosen.options).train(2)
    expected = striate_program.prepare(workload, inputs, shuffle=False, way="fit").train(2)
    np.testing.assert_allclose(losses, expected, rtol=1e-6)
    assert losses[1] < losses[0]
