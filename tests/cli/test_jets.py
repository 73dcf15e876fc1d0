"""``striate jets``, as a process and in this one."""

import json
import sys

import pytest

pytest.importorskip("pythia8mc")
pytest.importorskip("fastjet")

QUICK = ("jets", "generate", "-n", "3", "--no-mpi", "--grid", "9", "--workers", "1")


def test_generating_says_what_came_out_and_the_file_repeats_its_command(process, striate, tmp_path):
    status, out, err = process(*QUICK, "--out", "jets.h5", cwd=tmp_path)
    assert status == 0, err
    assert "W: 3 jets" in out
    assert "pb" in out
    assert "file: jets.h5" in out
    assert "FastJet" not in out
    assert "jets/s" in err
    found = json.loads(striate("data", "info", "jets.h5", "--json").out)
    command = found["provenance"]["simulation"]["command"].split()
    assert command[:3] == ["striate", "jets", "generate"]
    again = striate(*command[1:-1], "again.h5", "--quiet", "--json")
    assert again.err == ""
    assert json.loads(again.out)["sha256"] in out
    status, out, _ = striate("jets", "compare", "jets.h5", "again.h5")
    assert status == 0
    assert "tau_21" in out
    assert "'normal' loses 0 of 3 jets" in out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--pt", "300:250"), "the pT window 300:250 GeV is reversed or empty"),
        (("--pt", "300"), "--pt 300: write LOW:HIGH in GeV"),
        (("--signal", "topp"), "unknown signal 'topp': did you mean 'top'?"),
        (("--background", "gloun"), "unknown background 'gloun': did you mean 'gluon'?"),
        (("--channels", "et,charge_pt"), "did you mean 'charged_pt'"),
        (("--dask", "tcp://127.0.0.1:1", "--workers", "2"), "leave it out with --dask"),
        (("--out", "jets.root"), "name it jets.h5"),
    ],
)
def test_a_mistake_is_one_line(striate, tmp_path, words, line):
    status, out, err = striate("jets", "generate", "--out", "jets.h5", *words)
    assert (status, out) == (2, "")
    assert line in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_it_says_how_to_install_it(striate, monkeypatch):
    monkeypatch.setitem(sys.modules, "pythia8mc", None)
    status, out, err = striate("jets", "generate", "--out", "jets.h5")
    assert (status, out) == (2, "")
    assert err == "striate: generating jets needs pythia8mc: pip install 'striate[jets]'\n"
