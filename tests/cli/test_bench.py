"""``striate bench`` runs the benchmarks as programs of their own."""

import json

from striate.cli import bench


def test_the_benchmarks_are_found():
    assert (bench._home() / "benchmarks" / "kernels.py").is_file()


def test_kernels_are_measured_on_this_machine(process, tmp_path):
    words = ("--quick", "--network", "N12", "--program", "striate-one-core", "--out", "results")
    status, out, err = process("bench", *words, cwd=tmp_path)
    assert status == 0, err
    assert "## Limits" in out
    (file,) = (tmp_path / "results").glob("kernels-*.json")
    assert {m["layer"] for m in json.loads(file.read_text())["measurements"]} == {"N12 conv"}


def test_what_the_benchmark_refuses_is_a_wrong_call(process):
    status, _, err = process("bench", "networks", "--network", "N2")
    assert status == 2
    assert "--networks: unknown network 'N2'" in err


def test_something_else_cannot_be_measured(striate):
    status, _, err = striate("bench", "kernel")
    assert status == 2
    assert "'networks', 'kernels', 'inference'" in err
