import json
import math
from pathlib import Path

from striate.cli import output


def test_what_json_cannot_hold_is_null(capsys):
    output.say_json({"loss": [1.5, math.nan, (math.inf, "x")], 3: None})
    assert json.loads(capsys.readouterr().out) == {"loss": [1.5, None, [None, "x"]], "3": None}


def test_a_table_has_no_trailing_spaces_and_folds_nothing(capsys):
    long = "word " * 60
    output.say_table(("name", "n", "what"), [("a", "1", long), ("bc", "10", "")], numbers=(1,))
    lines = capsys.readouterr().out.splitlines()
    assert [line == line.rstrip() for line in lines] == [True] * 4
    assert lines[2].split() == ["a", "1", *long.split()]
    assert lines[3].split() == ["bc", "10"]


def test_a_path_is_shown_from_here_where_that_is_shorter(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert output.from_here(tmp_path / "runs" / "a") == "runs/a"
    assert output.from_here("runs/a") == "runs/a"
    assert output.from_here(Path("/elsewhere/a")) == "/elsewhere/a"
