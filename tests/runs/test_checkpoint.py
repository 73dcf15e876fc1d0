from __future__ import annotations

import math
import shutil
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from striate.errors import StriateError
from striate.runs import checkpoint
from striate.runs.checkpoint import Checkpoint


def some(epoch: int = 3, step: int = 0) -> Checkpoint:
    rng = np.random.default_rng(epoch)
    return Checkpoint(
        epoch,
        step,
        (
            [rng.normal(size=(3, 3, 1, 2)).astype(np.float32), np.zeros((0, 4), np.float32)],
            [rng.normal(size=5).astype(ml_dtypes.bfloat16), np.array([1, 2], np.uint32)],
            [np.array(7, np.int32), np.array(True)],
            [np.array(math.inf, np.float32)],
        ),
        {"loss": [0.1, math.nan, -math.inf], "val_a/b": [1 / 3]},
        {"before": 1.5, "first_step": None},
    )


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    written = some(3, 12)
    path = checkpoint.write(tmp_path, written)
    assert path.name == "epoch-000003-step-00000012.npz"
    read = checkpoint.read(path)
    assert (read.epoch, read.step, read.times) == (3, 12, written.times)
    for ours, theirs in zip(read.state, written.state, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    assert list(read.history) == ["loss", "val_a/b"]
    for name, values in written.history.items():
        np.testing.assert_array_equal(read.history[name], values)
    # Any NumPy reads it, without pickles.
    with np.load(path, allow_pickle=False) as plain:
        np.testing.assert_array_equal(plain["trainable/0"], written.state[0][0])


def test_many_variables_keep_their_order(tmp_path: Path) -> None:
    state = ([np.array(i) for i in range(25)], [], [], [])
    read = checkpoint.read(checkpoint.write(tmp_path, Checkpoint(0, 0, state)))
    assert [int(value) for value in read.state[0]] == list(range(25))


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    for epoch, step in [(0, 0), (9, 0), (10, 0), (10, 5)]:
        checkpoint.write(tmp_path, some(epoch, step))
    assert [path.name for path in checkpoint.files(tmp_path)] == [
        "epoch-000010-step-00000005.npz",
        "epoch-000010-step-00000000.npz",
    ]


def test_every_flipped_bit_that_matters_is_found(tmp_path: Path) -> None:
    path = checkpoint.write(tmp_path, some())
    content = path.read_bytes()
    good = checkpoint.read(path)
    found = 0
    for place in range(0, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :])
        try:
            read = checkpoint.read(path)
        except StriateError as error:
            assert str(error).startswith(f"{path.name} is damaged: ")
            assert "\n" not in str(error)
            found += 1
            continue
        # The bit is of the archive's own (a date, a comment): what is read is what was written.
        for ours, theirs in zip(read.state, good.state, strict=True):
            assert [a.tobytes() for a in ours] == [b.tobytes() for b in theirs]
        assert (read.epoch, read.step) == (good.epoch, good.step)
    assert found > len(content) / 7 / 2


@pytest.mark.parametrize("kept", [0, 1, 100, -1])
def test_a_truncated_one_is_found(tmp_path: Path, kept: int) -> None:
    path = checkpoint.write(tmp_path, some())
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(StriateError, match="is damaged: it is cut short"):
        checkpoint.read(path)


def test_contents_of_another_are_found(tmp_path: Path) -> None:
    path = checkpoint.write(tmp_path, some())
    with np.load(path) as stored:
        arrays = dict(stored)
    arrays["trainable/0"] = arrays["trainable/0"] + 1
    np.savez(path, **arrays)
    with pytest.raises(StriateError, match="its contents do not match its SHA-256"):
        checkpoint.read(path)
    del arrays["sha256"]
    np.savez(path, **arrays)
    with pytest.raises(StriateError, match="its contents do not match its SHA-256"):
        checkpoint.read(path)


def test_pickles_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / some().file_name
    np.savez(path, head=np.array([{"a": 1}], dtype=object))
    with pytest.raises(StriateError, match="is damaged: Object arrays cannot be loaded"):
        checkpoint.read(path)


def test_the_newest_sound_one_is_used(tmp_path: Path) -> None:
    old, new = (checkpoint.write(tmp_path, some(epoch)) for epoch in (1, 2))
    assert checkpoint.newest_good(tmp_path)[0].epoch == 2
    new.write_bytes(b"PK")
    found, damaged = checkpoint.newest_good(tmp_path)
    assert found.epoch == 1
    assert [path for path, _ in damaged] == [new]
    shutil.copy(new, old)
    with pytest.raises(StriateError, match=r"no sound checkpoint: epoch-000002.*; epoch-000001"):
        checkpoint.newest_good(tmp_path)
    old.unlink()
    new.unlink()
    with pytest.raises(StriateError, match="holds no checkpoint"):
        checkpoint.newest_good(tmp_path)
