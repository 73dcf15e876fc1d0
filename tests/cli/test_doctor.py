import json
import os
import subprocess
import sys

import pytest

from striate.cli import checks
from striate.kernels import native, selftest
from striate.kernels.cases import CASES, POOLINGS, PRODUCTS


def test_all_is_well_here(process, home):
    status, out, err = process("doctor", JAX_COMPILATION_CACHE_DIR=None)
    assert status == 0, out + err
    assert err == ""
    assert out.splitlines()[-1] == "all is well"
    found = {line[:14].strip(): line[14:] for line in out.splitlines()}
    assert "jaxlib" in found["versions"]
    assert "right: differs from SciPy's" in found["convolution"]
    assert found["program cache"].startswith(" ok  works: ")
    assert "digits, jets, ox" in found["data sets"]
    # The program that was compiled to see whether it is found again is gone.
    left = [name for _, _, names in os.walk(home["XDG_CACHE_HOME"]) for name in names]
    assert not any("striate_doctor" in name for name in left)


def test_what_is_wrong_comes_with_its_remedy(process, tmp_path):
    # A cache that is a file can hold no programs, and data that are nowhere cannot be found.
    file = tmp_path / "file"
    file.touch()
    nowhere = str(tmp_path / "nowhere")
    status, out, _ = process(
        "doctor",
        "--json",
        XDG_CACHE_HOME=str(file),
        JAX_COMPILATION_CACHE_DIR=None,
        STRIATE_DATA=nowhere,
    )
    assert status == 1
    found = json.loads(out)
    assert found["well"] is False
    remedies = {check["name"]: check["remedy"] for check in found["checks"] if check["remedy"]}
    assert set(remedies) == {"program cache", "data sets"}
    assert f"make {file}/striate writable" in remedies["program cache"]
    assert remedies["data sets"] == f"STRIATE_DATA={nowhere} is no folder: mend it or unset it"


def test_the_kernels_are_named_and_what_chose_them(process):
    for variables, words in (
        ({"STRIATE_ISA": "baseline"}, "native, baseline (STRIATE_ISA=baseline)"),
        ({"STRIATE_KERNELS": "reference"}, "reference, in plain JAX: STRIATE_KERNELS=reference"),
    ):
        status, out, err = process("doctor", **variables)
        found = {line[:14].strip(): line[14:] for line in out.splitlines()}
        if not native.available() and "STRIATE_ISA" in variables:
            assert "no compiled kernels" in found["kernels"]
            continue
        assert status == 0, out + err
        assert words in found["kernels"]
        if "STRIATE_ISA" in variables:
            assert found["kernels"].endswith(f", build {native.build()}")


@pytest.mark.skipif(not native.available(), reason=str(native.why_not()))
def test_an_instruction_set_that_is_not_there_is_something_to_mend(process):
    status, out, _ = process("doctor", "--json", STRIATE_ISA="avx1024")
    assert status == 1
    (kernels,) = (c for c in json.loads(out)["checks"] if c["name"] == "kernels")
    assert kernels["finding"].startswith("none: STRIATE_ISA=avx1024: ")
    assert kernels["remedy"].startswith("unset STRIATE_ISA")


def test_training_without_compiled_kernels_says_that_it_is_slower(home, tmp_path):
    words = ["train", "digits", "--epochs", "1", "--no-report"]
    script = (
        "from striate.kernels import native; native._path = lambda: None\n"
        f"from striate.cli.main import main; raise SystemExit(main({words}))"
    )
    for switched_off in (False, True):
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=tmp_path,
            env=home | ({"STRIATE_KERNELS": "reference"} if switched_off else {}),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said = "slower than it could be: this installation has no compiled kernels" in done.stderr
        assert said is not switched_off


@pytest.mark.slow
def test_the_self_test_prints_a_line_for_each_case(process):
    status, out, err = process("doctor", "--self-test")
    assert status == 0, out + err
    lines = [line for line in out.splitlines() if line.startswith("self-test")]
    assert len(lines) == len(CASES) + len(POOLINGS) + len(PRODUCTS)
    assert all("exact" in line or " average" in line for line in lines)


def test_a_case_that_fails_is_said(monkeypatch):
    case = CASES[0]
    wrong = selftest.Outcome(case, "native", {"values": 0.0, "to images": 0.5})
    monkeypatch.setattr(selftest, "check", lambda case: wrong)
    first = next(checks.self_test())
    assert first.finding == f"{case.name}: differs by 5e-01 of the largest value; native"
    assert first.remedy == checks.WRONG
