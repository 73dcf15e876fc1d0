from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import striate as st
from striate.errors import StriateError
from striate.runs import directory, list_runs


def test_runs_are_listed_with_their_state(tmp_path: Path, reference: st.Run) -> None:
    def copy(name: str, started: str) -> Path:
        path = shutil.copytree(reference.directory, tmp_path / name)
        config = json.loads((path / "config.json").read_text())
        config["timing"]["started"] = started
        (path / "config.json").write_text(json.dumps(config))
        return path

    copy("z-first", "2026-01-01T00:00:00+00:00")
    (copy("interrupted", "2026-01-02T00:00:00+00:00") / "model.keras").unlink()
    running = copy("running", "2026-01-03T00:00:00+00:00")
    (running / "model.keras").unlink()
    lost = copy("lost", "2026-01-04T00:00:00+00:00")
    (lost / "model.keras").unlink()
    for path in (lost / "checkpoints").iterdir():
        path.write_bytes(path.read_bytes()[:50])
    copy("seeds/seed-0", "2026-01-05T00:00:00+00:00")
    (tmp_path / "empty").mkdir()
    (copy("broken", "2026-01-06T00:00:00+00:00") / "config.json").write_text("{")
    (tmp_path / "a file").write_text("")

    with directory.Log(running):
        listed = {run.name: run for run in list_runs(tmp_path)}
    assert {name: run.state for name, run in listed.items()} == {
        "z-first": "finished",
        "interrupted": "interrupted",
        "running": "running",
        "lost": "damaged",
        "seeds/seed-0": "finished",
        "empty": "damaged",
        "broken": "damaged",
    }
    # In the order of their beginning; those that do not tell it by their directory's time: now.
    assert list(listed)[:5] == ["z-first", "interrupted", "running", "lost", "seeds/seed-0"]
    first = listed["z-first"]
    assert (first.dataset, first.model) == ("digits", "custom")
    assert (first.epochs_done, first.epochs) == (6, 6)
    assert first.accuracy == reference.accuracy
    assert first.started is not None
    assert first.started.year == 2026
    assert first.reason is None
    files = (tmp_path / "z-first").rglob("*")
    assert first.bytes == sum(path.stat().st_size for path in files if path.is_file())
    assert listed["lost"].epochs_done == 6
    assert "no sound checkpoint" in (listed["lost"].reason or "")
    assert "stopped before it began" in (listed["empty"].reason or "")
    assert "config.json is damaged" in (listed["broken"].reason or "")


def test_a_run_that_has_just_begun_is_running(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    with directory.Log(tmp_path / "new"):
        (run,) = list_runs(tmp_path)
    assert (run.state, run.reason) == ("running", None)


def test_no_folder_no_runs(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "runs") == []
    (tmp_path / "file").write_text("")
    with pytest.raises(StriateError, match="file: cannot be listed: Not a directory"):
        list_runs(tmp_path / "file")
