import subprocess
import sys

import pytest

import striate as st
from striate.cli import data
from striate.cli.main import main


def test_without_a_command_the_help_is_shown(striate):
    status, out, err = striate()
    assert status == 0
    assert out.startswith("Usage: striate")
    assert err == ""


def test_version(striate):
    assert striate("--version") == (0, f"{st.__version__}\n", "")


def test_python_m_striate_is_the_same_command(process):
    status, out, err = process("--help")
    assert status == 0
    assert out.startswith("Usage: striate [OPTIONS] COMMAND")
    assert err == ""


@pytest.mark.parametrize(
    "words", [(), ("--help",), ("train", "--help"), ("data", "list", "--help")]
)
def test_help_imports_nothing_heavy(home, words):
    code = (
        "import sys\n"
        "from striate.cli.main import main\n"
        f"main({list(words)})\n"
        "heavy = {'keras', 'jax', 'numpy', 'matplotlib', 'sklearn', 'rich', 'pooch'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=home, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ("explian",),
            "striate: No such command 'explian'. Did you mean 'explain'? (see 'striate --help')",
        ),
        (("data", "info"), "striate: Missing argument 'NAME'. (see 'striate data info --help')"),
        (("--frobnicate",), "striate: No such option: --frobnicate (see 'striate --help')"),
        (
            ("data", "info", "digitz"),
            "striate: unknown dataset 'digitz': did you mean 'digits'?",
        ),
    ],
)
def test_a_wrong_call_is_status_2_and_one_line(striate, words, line):
    assert striate(*words) == (2, "", line + "\n")


def test_a_users_mistake_shows_no_traceback_in_a_process(process):
    status, out, err = process("explain", "model", "heidelbrg")
    assert (status, out) == (2, "")
    assert err.startswith("striate: unknown model 'heidelbrg': did you mean 'heidelberg'")
    assert err.count("\n") == 1


def test_a_failure_of_ours_is_status_1_with_a_traceback(striate, monkeypatch):
    def fail(_name):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(data.datasets, "fetch", fail)
    status, out, err = striate("data", "fetch", "digits")
    assert (status, out) == (1, "")
    assert "Traceback" in err
    assert "ZeroDivisionError: a bug" in err
    assert err.splitlines()[-1].startswith("striate: this is a failure of striate")


def test_a_refusal_of_the_system_is_one_line(striate, monkeypatch):
    def fail(_name):
        raise PermissionError(13, "Permission denied", "/somewhere/file")

    monkeypatch.setattr(data.datasets, "fetch", fail)
    assert striate("data", "fetch", "digits") == (
        2,
        "",
        "striate: /somewhere/file: Permission denied\n",
    )


def test_ctrl_c_is_status_130(striate, monkeypatch):
    def fail(_name):
        raise KeyboardInterrupt

    monkeypatch.setattr(data.datasets, "fetch", fail)
    assert striate("data", "fetch", "digits").status == 130


def test_a_reader_that_goes_away_is_no_failure(home):
    # The reader takes nothing at all, so that the first line already finds it gone.
    shell = f"{sys.executable} -m striate data list | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", shell], env=home, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert done.stdout.strip() == "141"


def test_main_takes_the_words_of_the_process(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["striate", "--version"])
    assert main() == 0
    assert capsys.readouterr().out == f"{st.__version__}\n"
