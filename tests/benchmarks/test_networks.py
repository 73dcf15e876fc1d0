from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import networks
from benchmarks.comparison import Comparison


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--programs", "keras-jaks"], "unknown program 'keras-jaks'"),
        (["--networks", "N2"], "unknown network 'N2'"),
        (["--images", "10", "--programs", "jax-lax"], "needs at least 192"),
        (["--repetitions", "-1"], "must be above zero"),
        (["--seconds", "0"], "must be above zero"),
        (["--from", "no-such-file.json"], "no such file"),
    ],
)
def test_a_wrong_call_is_one_line_and_status_2(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert networks.main([*arguments, "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_help_names_every_network_and_program(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        networks.main(["--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in (*networks.WORKLOADS, *networks.PROGRAMS))


@pytest.mark.slow
def test_two_programs_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["--quick", "--networks", "N12", "--programs", "striate-fit", "jax-shifts"]
    assert networks.main([*call, "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "[1/2] N12 repetition 1 of 1: striate-fit ..." in said
    assert "first losses of 2 programs agree" in said
    names = sorted(path.suffix for path in tmp_path.iterdir())
    assert names == [".csv", ".json", ".md", ".png"]
    (path,) = tmp_path.glob("*.json")
    comparison = Comparison.load(path)
    assert [m.program for m in comparison.measurements] == ["striate-fit", "jax-shifts"]
    assert not comparison.void
    assert "XLA_FLAGS" not in comparison.measurements[0].environment["variables"]

    before = path.with_suffix(".md").read_text()
    path.with_suffix(".md").unlink()
    assert networks.main(["--from", str(path)]) == 0
    assert path.with_suffix(".md").read_text() == before
