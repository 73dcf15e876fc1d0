from __future__ import annotations

import json
import math
from datetime import datetime
from pathlib import Path

import pytest

from striate.errors import StriateError
from striate.runs import directory

NOW = datetime(2026, 2, 3, 4, 5, 6)


def test_each_run_gets_a_directory_of_its_own(tmp_path: Path) -> None:
    parent = tmp_path / "deep" / "runs"
    names = [directory.create(parent, "my data/7-net", None, NOW).name for _ in range(3)]
    stem = "my_data_7-net-20260203-040506"
    assert names == [stem, f"{stem}-2", f"{stem}-3"]
    assert directory.create(parent, "x", "mine", NOW) == parent / "mine"
    with pytest.raises(StriateError, match="mine exists already: choose another name"):
        directory.create(parent, "x", "mine", NOW)


@pytest.mark.parametrize("name", ["a/b", "..", ".", "/else", ".hidden", ""])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StriateError, match="is no name for a run"):
        directory.create(tmp_path, "x", name, NOW)


def test_a_place_that_cannot_be_written_is_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StriateError, match="file/runs: cannot be written: Not a directory"):
        directory.create(tmp_path / "file" / "runs", "x", None, NOW)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with directory.Log(tmp_path) as log:
        log.write("a line")
        assert directory.is_locked(tmp_path)
        assert directory.state_of(tmp_path) == "running"
        with pytest.raises(StriateError, match="is being trained by another process"):
            directory.Log(tmp_path)
    assert not directory.is_locked(tmp_path)
    assert directory.state_of(tmp_path) == "interrupted"
    with directory.Log(tmp_path) as log:
        log.write("another")
    lines = (tmp_path / "log.txt").read_text().splitlines()
    assert [line.split(" ", 2)[2] for line in lines] == ["a line", "another"]
    (tmp_path / "model.keras").write_bytes(b"")
    assert directory.state_of(tmp_path) == "finished"


def test_history_is_strict_json(tmp_path: Path) -> None:
    assert directory.read_history(tmp_path) == {}
    history = {"loss": [1 / 3, math.nan, math.inf], "accuracy": []}
    directory.write_history(tmp_path, history)
    stored = json.loads((tmp_path / "history.json").read_text(), parse_constant=pytest.fail)
    assert stored == {"loss": [1 / 3, None, None], "accuracy": []}
    read = directory.read_history(tmp_path)
    assert read["loss"][0] == 1 / 3
    assert math.isnan(read["loss"][1])


@pytest.mark.parametrize("text", ['{"loss": 3}', '{"loss": ["x"]}', "[1]", "{", ""])
def test_a_damaged_history_is_found(tmp_path: Path, text: str) -> None:
    (tmp_path / "history.json").write_text(text)
    with pytest.raises(StriateError, match=r"history\.json is damaged") as caught:
        directory.read_history(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_damaged_configuration_is_found(tmp_path: Path) -> None:
    with pytest.raises(StriateError, match="none: no such run"):
        directory.read_config(tmp_path / "none")
    with pytest.raises(StriateError, match=r"stopped before it began: no config\.json"):
        directory.read_config(tmp_path)
    (tmp_path / "config.json").write_text('{"dataset": {"name": "x"}, "model": []}')
    with pytest.raises(StriateError, match=r"is damaged: it says nothing of model\.name"):
        directory.read_config(tmp_path)
    (tmp_path / "config.json").write_bytes(b"\xff\xfe")
    with pytest.raises(StriateError, match="is damaged"):
        directory.read_config(tmp_path)
