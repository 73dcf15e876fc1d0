"""Training, and what is done with a run afterwards; most tests share one run of a process."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from striate.cli import datasets, options
from striate.cli.train import Plan
from striate.models import REGISTRY


class Trained(NamedTuple):
    place: Path
    directory: Path
    out: str
    err: str


@pytest.fixture(scope="module")
def trained(process, tmp_path_factory) -> Trained:
    """``striate train digits`` for 20 epochs, in a folder of its own."""
    place = tmp_path_factory.mktemp("trained")
    status, out, err = process("train", "digits", "--epochs", "20", cwd=place)
    assert status == 0, err
    (directory,) = (place / "runs").iterdir()
    return Trained(place, directory, out, err)


@pytest.fixture
def beside(trained, striate, monkeypatch):
    """The command in this process, in the folder that holds the run."""
    monkeypatch.chdir(trained.place)
    return striate


@pytest.fixture
def stripes(tmp_path) -> Path:
    """Very few images, so that an epoch is over in a moment."""
    images = np.zeros((64, 6, 6), np.uint8)
    images[::2, 2] = images[1::2, :, 3] = 255
    labels = np.arange(64) % 2
    path = tmp_path / "stripes.npz"
    np.savez(path, x_train=images, y_train=labels, x_test=images[:8], y_test=labels[:8])
    return path


def test_the_data_and_the_network_are_said_first(trained):
    lines = trained.out.splitlines()
    assert lines[0] == "digits: 1,437 train + 360 test images, 8 x 8 x 1, 10 classes"
    assert lines[2].startswith("oslo_digits: Conv 10, pool, dense 50")
    assert lines[2].endswith("epochs 20, batch size 100")


def test_the_result_comes_last_and_ends_with_the_report(trained):
    first, summary, run, report = trained.out.splitlines()[-4:]
    assert re.fullmatch(r"first four test images: predicted( \d){4} \(true 0 6 3 8\)", first)
    assert re.match(
        r"test accuracy 0\.\d{4} \[0\.\d{4}, [01]\.\d{4}\] \(95 % interval\), "
        r"verdict (good|underfit|overtrained), [\d.]+ m?s, [\d,]+ images/s$",
        summary,
    )
    assert run == f"run: runs/{trained.directory.name}"
    assert report == f"report: runs/{trained.directory.name}/report.html"
    assert (trained.place / report.removeprefix("report: ")).is_file()


def test_progress_is_plain_lines_where_there_is_no_terminal(trained):
    epochs = re.findall(r"^epoch (\d+)/20: loss \d", trained.err, re.MULTILINE)
    assert epochs[0] == "1"
    assert epochs[-1] == "20"
    assert {"2", "10", "18"} <= set(epochs)
    assert "\x1b" not in trained.err + trained.out


def test_the_run_repeats_with_its_command(trained):
    config = json.loads((trained.directory / "config.json").read_text())
    assert config["command"] == (
        "striate train digits --model oslo_digits --epochs 20 --batch-size 100 --seed 0"
    )


def test_evaluate_says_all_of_it_and_writes_it_down(trained, beside):
    (trained.directory / "evaluation.json").unlink()
    status, out, err = beside("evaluate", "last")
    assert (status, err) == (0, "")
    summary = trained.out.splitlines()[-3]
    accuracy = summary.removeprefix("test accuracy ").split(" (")[0]
    assert f"accuracy  {accuracy} (95 % interval)" in out
    assert "loss      0." in out
    assert "of the way from guessing" in out
    assert len(re.findall(r"^\d +3[5-7] +[\d.-]+ +[\d.-]+ +[\d.-]+ +[\d.]+$", out, re.M)) == 10
    assert " taken for " in out
    assert trained.out.splitlines()[-4] in out
    written = json.loads((trained.directory / "evaluation.json").read_text())
    assert f"{written['accuracy']['value']:.4f}" == accuracy.split()[0]


def test_evaluate_as_json_is_what_is_written_down(trained, beside):
    out = json.loads(beside("evaluate", str(trained.directory), "--json").out)
    assert out.pop("run") == str(trained.directory)
    assert out == json.loads((trained.directory / "evaluation.json").read_text())
    assert out["first_predictions"]["true"] == ["0", "6", "3", "8"]


def test_evaluate_on_other_data_leaves_the_evaluation_of_the_run(trained, beside):
    from sklearn.datasets import load_digits

    digits = load_digits()
    x, y = np.uint8(digits.images * 15.9375), digits.target
    np.savez("others.npz", x_train=x[:500], y_train=y[:500], x_test=x[500:700], y_test=y[500:700])
    before = (trained.directory / "evaluation.json").read_bytes()
    out = beside("evaluate", trained.directory.name, "--data", "others.npz").out
    assert "oslo_digits, 200 test images" in out
    assert "note: The run was trained on other data" in out
    assert (trained.directory / "evaluation.json").read_bytes() == before
    other = json.loads((trained.directory / "evaluation-others.json").read_text())
    assert other["images"] == 200


def test_report_is_written_anew(trained, beside):
    page = trained.directory / "report.html"
    page.unlink()
    assert beside("report", "last") == (
        0,
        f"report: runs/{trained.directory.name}/report.html\n",
        "",
    )
    assert "oslo_digits" in page.read_text()


def run_accuracy(trained) -> float:
    return json.loads((trained.directory / "history.json").read_text())["val_accuracy"][-1]


def test_runs_are_listed(trained, beside):
    status, out, _ = beside("runs")
    assert status == 0
    row = next(line for line in out.splitlines() if line.startswith(trained.directory.name))
    assert row.split()[1:5] == ["finished", "20/20", f"{run_accuracy(trained):.4f}", "oslo_digits"]
    (run,) = json.loads(beside("runs", "--json").out)["runs"]
    assert run["state"] == "finished"
    assert run["epochs_done"] == 20
    assert run["directory"] == f"runs/{trained.directory.name}"


def test_resuming_what_is_finished_does_no_harm(trained, beside):
    model = (trained.directory / "model.keras").read_bytes()
    status, out, err = beside("train", "--resume", "last", "--no-report")
    assert status == 0
    assert "is finished" in err
    assert out.splitlines()[-1] == f"run: runs/{trained.directory.name}"
    assert (trained.directory / "model.keras").read_bytes() == model


def test_runs_where_there_are_none(striate):
    assert striate("runs") == (0, "no runs in runs: begin one, as in striate train digits\n", "")
    assert json.loads(striate("runs", "--json").out) == {"runs": [], "scans": []}


def test_settings_reach_network_and_optimizer_and_json_is_all_of_stdout(striate):
    words = ["--epochs", "2", "--batch-size", "200", "--seed", "3", "--learning-rate", "0.25"]
    words += ["--set", "filters=3", "--set", "beta_1=0.8", "--out", "elsewhere"]
    words += ["--no-report"]
    status, out, err = striate("train", "ox", "--json", *words)
    assert status == 0, err
    found = json.loads(out)
    assert found["training"]["batch_size"] == 200
    assert found["training"]["seed"] == 3
    assert found["training"]["learning_rate"] == 0.25
    assert found["training"]["optimizer_settings"] == {"beta_1": 0.8}
    assert found["model"]["arguments"] == {"filters": 3}
    assert len(found["history"]["loss"]) == 2
    assert found["evaluation"]["images"] == 400
    assert Path(found["run"]).parent == Path("elsewhere")
    assert found["report"] is None
    assert "ox: 1,600 train + 400 test images" in err
    command = json.loads((Path(found["run"]) / "config.json").read_text())["command"]
    assert "--set filters=3" in command
    assert "--set learning_rate=0.25" in command


def test_quiet_shows_the_result_only(striate, stripes):
    status, out, err = striate("train", str(stripes), "--epochs", "1", "--no-report", "-q")
    assert (status, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == ["first", "test", "run:"]


def test_several_seeds_end_with_their_mean(striate, stripes):
    words = ["train", str(stripes), "--epochs", "1", "--seeds", "2", "--seed", "5", "--no-report"]
    status, out, err = striate(*words, "--json")
    assert status == 0, err
    found = json.loads(out)
    assert [run["training"]["seed"] for run in found["runs"]] == [5, 6]
    assert found["test_accuracy"]["n"] == 2
    out = striate(*words).out
    assert re.fullmatch(r"mean test accuracy: [\d.]+ \+- [\d.]+ \(2 seeds\)", out.splitlines()[-1])


def test_a_run_that_is_stopped_says_how_it_is_resumed(process, home, stripes):
    place = stripes.parent
    words = ["train", "stripes.npz", "--epochs", "1500", "--no-report"]
    for number, name, status in ((signal.SIGINT, "Ctrl-C", 130), (signal.SIGTERM, "SIGTERM", 143)):
        with subprocess.Popen(
            [sys.executable, "-m", "striate", *words],
            cwd=place,
            env=home,
            stderr=subprocess.PIPE,
            text=True,
        ) as running:
            assert running.stderr is not None
            # Any line on an epoch says that it trains.
            next(line for line in running.stderr if line.startswith("epoch"))
            running.send_signal(number)
            rest = running.stderr.read()
        assert running.returncode == status
        line = rest.splitlines()[-1]
        assert re.match(rf"striate: stopped by {name} after \d+ of 1500 epochs", line)
        (listed,) = json.loads(process("runs", "--json", cwd=place).out)["runs"]
        assert listed["state"] == "interrupted"
        words = line.partition("go on with: striate ")[2].split()
        assert words[:2] == ["train", "--resume"]
    status, _, err = process(*words, "--no-report", cwd=place)
    assert status == 0, err
    assert "epoch 1500/1500" in err
    (listed,) = json.loads(process("runs", "--json", cwd=place).out)["runs"]
    assert listed["state"] == "finished"


def test_a_terminal_gets_a_bar(home, stripes):
    """Standard error is a terminal of 100 columns here; NO_COLOR leaves the bar without colour."""
    ours, theirs = pty.openpty()
    words = ["train", "stripes.npz", "--epochs", "300", "--no-report"]
    with subprocess.Popen(
        [sys.executable, "-m", "striate", *words],
        cwd=stripes.parent,
        env=home | {"COLUMNS": "100", "TERM": "xterm", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    ) as running:
        os.close(theirs)
        drawn = b""
        try:
            while piece := os.read(ours, 65536):
                drawn += piece
        except OSError:  # what Linux answers when the other side is closed
            pass
        assert running.stdout is not None
        out = running.stdout.read()
    os.close(ours)
    shown = drawn.decode()
    assert running.returncode == 0, shown
    assert "loading Keras" in shown
    assert "━" in shown
    assert "epoch 300/300: loss" in shown
    assert not re.search(r"\x1b\[[\d;]*3\dm", shown)  # no colour
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ((), "train needs a dataset, as in: striate train digits"),
        (("digitz",), "unknown dataset 'digitz': did you mean 'digits'?"),
        (("nowhere.npz",), "nowhere.npz: no such file or folder"),
        (("digits", "--model", "isg"), "unknown model 'isg': did you mean 'isgc'?"),
        (("digits", "--model", "oslo_cifar10"), "needs images of at least 18 x 18 pixels"),
        (("digits", "--set", "fliters=3"), "did you mean 'filters'?"),
        (("digits", "--epochs", "0"), "Invalid value for '--epochs'"),
        (("digits", "--learning-rate", "fast"), "Invalid value for '--learning-rate'"),
        (("--resume", "last"), "runs/ holds no run"),
        (("--resume", "nowhere"), "no run 'nowhere', neither a path nor in runs/"),
        (("digits", "--resume", "last"), "leave out dataset and settings"),
        (("digits", "--out", "/proc/runs"), "/proc/runs"),
        (("digits", "--load", "limit"), "--load limit: write NAME=VALUE, as --load layout="),
        (("digits", "--load", "limit=4", "--load", "limit.x=4"), "--load limit.x=4: write NAME"),
        (("digits", "--load", "limits=4"), "takes no option 'limits': did you mean 'limit'"),
        (("--resume", "last", "--load", "limit=4"), "leave out dataset and settings"),
    ],
)
def test_a_mistake_is_status_2_and_one_line(striate, words, part):
    status, out, err = striate("train", *words, *(["-q"] if words else []))
    assert (status, out) == (2, "")
    assert part in err
    assert err.startswith("striate: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["evaluate", "report"])
def test_a_run_that_is_none_is_one_line(striate, command, tmp_path):
    (tmp_path / "runs").mkdir()
    assert striate(command, "runs") == (2, "", "striate: runs is no run: it holds no config.json\n")
    status, _, err = striate(command, "last")
    assert status == 2
    assert "begin one" in err


def test_settings_are_read_and_written_alike():
    pairs = ["a=1", "b=0.5", "c=true", "d=null", "e=same", 'f="1"', "g=1e-3", "h=x=y"]
    found = options.settings(pairs)
    assert found == {
        "a": 1,
        "b": 0.5,
        "c": True,
        "d": None,
        "e": "same",
        "f": "1",
        "g": 0.001,
        "h": "x=y",
    }
    again = options.settings([f"{name}={options.written(value)}" for name, value in found.items()])
    assert again == found


def test_how_data_are_read_is_read_and_written_alike():
    words = ["layout=mine.toml", "arrays.x=images", "arrays.y=is_gluon", "image.grid=33"]
    found = options.loading(words)
    assert found == {
        "layout": "mine.toml",
        "arrays": {"x": "images", "y": "is_gluon"},
        "image": {"grid": 33},
    }
    assert options.loading_words(found) == [word for one in words for word in ("--load", one)]
    plan = Plan.of("jets.npz", REGISTRY["heidelberg"], None, None, {}, found)
    assert plan.command(0, None).endswith("--load arrays.y=is_gluon --load image.grid=33")


def test_arrays_are_named_on_the_command_line(striate, tmp_path):
    images = np.random.default_rng(0).random((20, 5, 5)).astype(np.float32)
    np.savez(tmp_path / "a.npz", pictures=images, is_w=np.arange(20) % 2, other=np.ones((20, 3)))
    status, _, err = striate("train", "a.npz", "-q")
    assert status == 2
    assert err.endswith("here: --load arrays.x=NAME --load arrays.y=NAME\n")
    assert err.count("\n") == 1
    data = datasets.loaded_as("a.npz", options.loading(["arrays.x=pictures", "arrays.y=is_w"]))
    assert data.image_shape == (5, 5, 1)
    assert data.classes == 2


def test_the_plan_takes_from_the_lecture_what_is_not_given():
    plan = Plan.of("digits", REGISTRY["oslo_digits"], None, 50, {}, {})
    assert (plan.model, plan.epochs, plan.batch_size) == ("oslo_digits", 100, 50)
    assert plan.command(0, 3).endswith("--epochs 100 --batch-size 50 --seed 0 --seeds 3")


@pytest.mark.data
@pytest.mark.slow
def test_the_first_four_test_images_of_mnist(process, data_directory, tmp_path):
    words = ["train", "mnist", "--model", "heidelberg", "--epochs", "1", "--no-report"]
    status, out, err = process(*words, cwd=tmp_path, STRIATE_DATA=str(data_directory))
    assert status == 0, err
    assert "first four test images: predicted 7 2 1 0 (true 7 2 1 0)" in out.splitlines()
