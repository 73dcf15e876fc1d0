from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import pytest

import striate as st
from striate.errors import StriateError
from striate.runs import loop

Train = Callable[..., st.Run]
SameBits = Callable[..., None]


class At(st.runs.Observer):
    """Does something at the end of an epoch, and keeps the messages."""

    def __init__(self, epoch: int, act: Callable[[], object]) -> None:
        self.epoch, self.act = epoch, act
        self.messages: list[str] = []

    def on_epoch(self, epoch: int, *_: Any) -> None:
        if epoch == self.epoch:
            self.act()

    def on_message(self, text: str) -> None:
        self.messages.append(text)


class Stop(st.runs.Observer):
    """Stops a training within an epoch."""

    def on_progress(self, progress: Any) -> None:
        if progress.epoch == 2:
            signal.raise_signal(signal.SIGTERM)


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory, train_in: Train) -> Path:
    """A run that Ctrl-C stopped after the third of its six epochs."""
    at = At(3, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(st.runs.Interrupted) as caught:
        train_in(tmp_path_factory.mktemp("stopped"), observer=at)
    return caught.value.directory


@pytest.fixture
def stopped(interrupted: Path, tmp_path: Path) -> Path:
    """A copy of it, to be resumed or damaged."""
    return shutil.copytree(interrupted, tmp_path / "run")


@contextlib.contextmanager
def trainer() -> Iterator[Callable[[Path], Iterator[tuple[str, int]]]]:
    """Give a function that trains in a process of its own and yields what ``trainer.py`` says."""
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("trainer.py"))],
        env=os.environ | {"KERAS_BACKEND": "jax"},  # Keras is imported before striate there
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin is not None and server.stdout is not None
        questions, answers = server.stdin, server.stdout

        def start(run: Path) -> Iterator[tuple[str, int]]:
            questions.write(f"{run}\n")
            questions.flush()
            for line in answers:
                what, number = line.split()
                yield what, int(number)
                if what == "exit":
                    return

        yield start
        questions.close()


@pytest.mark.slow
def test_killed_ten_times_at_random_moments(tmp_path: Path, same_bits: SameBits) -> None:
    chance = random.Random(1)  # noqa: S311
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    epoch = 0
    with trainer() as start:
        assert list(start(whole))[-1] == ("exit", 0)
        for _ in range(10):
            # A few epochs further than the last time, some of which are lost again.
            target = epoch + chance.randint(1, 12)
            answers = start(killed)
            _, process = next(answers)
            epoch = next(number for _, number in answers if number >= target)
            time.sleep(chance.uniform(0, 0.03))
            os.kill(process, signal.SIGKILL)
            assert list(answers)[-1] == ("exit", -signal.SIGKILL)
            assert st.Run.load(killed).state == "interrupted"
        assert list(start(killed))[-1] == ("exit", 0)
    same_bits(st.Run.load(killed), st.Run.load(whole))
    assert (killed / "log.txt").read_text().count("resumed") == 10
    assert not list(killed.rglob(".*"))


def test_ctrl_c_stops_with_a_checkpoint(
    train: Train, digits: st.Dataset, same_bits: SameBits
) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(st.runs.Interrupted, match="stopped by Ctrl-C after 3 of 6 epochs") as c:
        train(observer=At(3, lambda: signal.raise_signal(signal.SIGINT)))
    assert c.value.signal == signal.SIGINT
    assert str(c.value).endswith(f"go on with: striate train --resume {c.value.directory}")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    half = st.Run.load(c.value.directory)
    assert (half.state, half.epochs_done) == ("interrupted", 3)
    assert half.model.evaluate(
        digits.test.images, keras.utils.to_categorical(digits.test.labels), verbose=0
    )[0] == pytest.approx(half.history["val_loss"][-1], rel=1e-5)
    run = st.runs.resume(half.directory, digits)
    same_bits(run)
    assert run.config["timing"]["started"] == half.config["timing"]["started"]
    assert len(run.config["timing"]["resumed"]) == 1


def test_sigterm_stops_within_an_epoch(
    train: Train, digits: st.Dataset, same_bits: SameBits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "PROGRESS_SECONDS", 0.0)
    with pytest.raises(
        st.runs.Interrupted, match=r"SIGTERM after 2 of 6 epochs and 1 of 6 steps"
    ) as c:
        train(observer=Stop())
    assert c.value.signal == signal.SIGTERM
    assert st.Run.load(c.value.directory).epochs_done == 2
    same_bits(st.runs.resume(c.value.directory, digits))


def test_seeds_go_on_together(
    tmp_path: Path, train: Train, digits: st.Dataset, same_bits: SameBits
) -> None:
    whole = train(seeds=2, name="whole")
    with pytest.raises(st.runs.Interrupted, match=r"--resume .*/half") as caught:
        at = At(3, lambda: signal.raise_signal(signal.SIGINT))
        train(seeds=2, name="half", observer=at)
    half = caught.value.directory
    assert half == tmp_path / "half"
    # As if a kill had come between the checkpoints of the two.
    newest = max((half / "seed-4" / "checkpoints").iterdir())
    newest.unlink()
    alone = shutil.copytree(half / "seed-3", tmp_path / "alone")
    with pytest.raises(StriateError, match="one program with seed-3, seed-4, which must lie in"):
        st.runs.resume(alone, digits)
    one = st.runs.resume(half / "seed-4", digits)
    assert one.directory == half / "seed-4"
    both = st.runs.resume(half, digits)  # finished by now
    for mine, yours in zip(both, whole, strict=True):
        same_bits(mine, yours)


def test_a_second_ctrl_c_stops_at_once(
    train: Train, tmp_path: Path, digits: st.Dataset, same_bits: SameBits
) -> None:
    def twice() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as caught:
        train(observer=At(3, twice))
    assert not isinstance(caught.value, st.runs.Interrupted)
    same_bits(st.runs.resume(tmp_path / "run", digits))


def test_a_signal_during_the_last_epoch_is_not_swallowed(train: Train, same_bits: SameBits) -> None:
    with pytest.raises(st.runs.Interrupted, match="the run was finished") as caught:
        train(observer=At(6, lambda: signal.raise_signal(signal.SIGINT)))
    run = st.Run.load(caught.value.directory)
    assert run.state == "finished"
    same_bits(run)


def test_signals_are_left_alone_outside_the_main_thread(train: Train) -> None:
    seen: list[Any] = []
    at = At(1, lambda: seen.append(signal.getsignal(signal.SIGINT)))
    thread = threading.Thread(target=train, kwargs={"epochs": 1, "observer": at})
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]


def test_an_ignored_signal_stays_ignored(train: Train) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        train(epochs=2, observer=At(1, lambda: signal.raise_signal(signal.SIGINT)))
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("size", [4096, 300])
def test_a_full_disk_is_said_and_survived(
    train: Train, tmp_path: Path, digits: st.Dataset, same_bits: SameBits, size: int
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill() -> None:
        # No file may grow beyond this; a checkpoint is larger than the one, the log than the other.
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))

    try:
        with pytest.raises(StriateError, match="run: cannot be written: File too large") as caught:
            train(observer=At(4, fill))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "run" / "checkpoints").glob(".*"))
    same_bits(st.runs.resume(tmp_path / "run", digits))


def test_a_damaged_checkpoint_is_set_aside(
    stopped: Path, digits: st.Dataset, same_bits: SameBits
) -> None:
    newest, before = sorted((stopped / "checkpoints").iterdir(), reverse=True)
    newest.write_bytes(newest.read_bytes()[:-100])
    told = At(0, lambda: None)
    run = st.runs.resume(stopped, digits, observer=told)
    same_bits(run)
    (message,) = told.messages
    assert message.startswith(f"{newest.name} is damaged: it is cut short")
    assert message.endswith(f"set aside, going on from {before.name}")
    assert message in (stopped / "log.txt").read_text()
    assert newest.with_suffix(".damaged").exists()


def test_without_a_sound_checkpoint_it_says_so(stopped: Path, digits: st.Dataset) -> None:
    for path in (stopped / "checkpoints").iterdir():
        path.write_bytes(b"")
    with pytest.raises(StriateError, match=r"holds no sound checkpoint: .*started anew: st\.train"):
        st.runs.resume(stopped, digits)
    assert st.runs.list_runs(stopped.parent)[0].state == "damaged"
    shutil.rmtree(stopped / "checkpoints")
    with pytest.raises(StriateError, match=r"holds no checkpoint; .*started anew: st\.train"):
        st.runs.resume(stopped, digits)


def test_a_run_killed_before_its_first_step_starts_at_the_beginning(
    stopped: Path, digits: st.Dataset, same_bits: SameBits, reference: st.Run, train: Train
) -> None:
    def fail() -> None:
        raise RuntimeError("as if it were killed")

    with pytest.raises(RuntimeError):
        train(name="early", observer=At(1, fail))
    early = stopped.parent / "early"
    assert [path.name for path in (early / "checkpoints").iterdir()] == [
        "epoch-000000-step-00000000.npz"
    ]
    same_bits(st.runs.resume(early, digits))


def test_a_finished_run_is_returned(reference: st.Run) -> None:
    told = At(0, lambda: None)
    changed = (reference.directory / "log.txt").stat().st_mtime_ns
    run = st.runs.resume(reference.directory, observer=told)
    assert run.history == reference.history
    assert told.messages == [f"{reference.directory} is finished, there is nothing to go on with"]
    assert (reference.directory / "log.txt").stat().st_mtime_ns == changed


def test_other_data_are_refused(stopped: Path) -> None:
    with pytest.raises(StriateError, match="was trained on other data: 'digits' with fingerprint"):
        st.runs.resume(stopped, st.load("digits", limit=401))


def test_data_are_loaded_again_with_their_options(
    stopped: Path, digits: st.Dataset, same_bits: SameBits
) -> None:
    assert digits.provenance["load"]["options"]  # the run had some of the digits only
    same_bits(st.runs.resume(stopped))


def test_data_in_memory_must_be_given(stopped: Path) -> None:
    _edit(stopped / "config.json", "dataset", name="mine", load=None)
    with pytest.raises(StriateError, match=r"'mine' in memory: give .*resume\('.*run', data\)"):
        st.runs.resume(stopped)


@pytest.mark.parametrize("name", ["striate", "jax", "keras", "numpy"])
def test_other_versions_are_refused(stopped: Path, digits: st.Dataset, name: str) -> None:
    _edit(stopped / "config.json", "versions", **{name: "0.0.1"})
    with pytest.raises(StriateError, match=rf"was made with {name} 0\.0\.1 \(here \d"):
        st.runs.resume(stopped, digits)


def test_another_machine_is_said(stopped: Path, digits: st.Dataset) -> None:
    _edit(stopped / "config.json", "machine", cores=1000)
    told = At(0, lambda: None)
    st.runs.resume(stopped, digits, observer=told)
    assert "the run began with cores 1000 (here " in told.messages[0]


def test_another_build_of_the_kernels_is_said(stopped: Path, digits: st.Dataset) -> None:
    _edit(stopped / "config.json", "versions", **{"build of the kernels": "0123456789ab"})
    told = At(0, lambda: None)
    st.runs.resume(stopped, digits, observer=told)
    assert "the run began with build of the kernels 0123456789ab (here " in told.messages[0]


def test_what_is_no_run_is_refused(tmp_path: Path, stopped: Path) -> None:
    with pytest.raises(StriateError, match="nothing: no such run"):
        st.runs.resume(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(StriateError, match="was stopped before it began"):
        st.runs.resume(tmp_path / "empty")
    with pytest.raises(StriateError, match="holds several runs: name one of run"):
        st.runs.resume(tmp_path)
    (stopped / "network.json").write_text('{"module": "keras", "class_name": "Nothing"}')
    with pytest.raises(
        StriateError, match=r"network\.json is damaged: it holds no compiled network"
    ):
        st.runs.resume(stopped, st.load("digits", limit=400))
    (stopped / "config.json").write_text("{")
    with pytest.raises(StriateError, match=r"config\.json is damaged"):
        st.runs.resume(stopped)


def _edit(path: Path, section: str, **values: Any) -> None:
    config = json.loads(path.read_text())
    config[section] |= values
    path.write_text(json.dumps(config))
