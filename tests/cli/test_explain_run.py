"""``striate explain run`` on a run that is finished, and on what is none."""

import json
import shutil

import pytest

import striate as st


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A training of a lecture network on the digits."""
    data = st.load("digits")
    return st.train(
        "oslo_digits", data, epochs=3, batch_size=100, directory=tmp_path_factory.mktemp("runs")
    )


def test_a_run_is_explained(striate, run):
    status, out, err = striate("explain", "run", str(run.directory), "--image", "7")
    assert (status, err) == (0, "")
    folder = run.directory / "explain-image-7"
    names = {"pixels", "feature_maps", "kernels_conv", "patches_conv"}
    assert {path.name for path in folder.iterdir()} == {
        name + suffix for name in names for suffix in (".png", ".pdf")
    }
    assert str(folder / "pixels.png") in out
    true = st.load("digits").test.labels[7]
    assert f"test image 7: true class {true}, predicted " in out
    line = next(line for line in out.splitlines() if line.startswith("integrated-gradients"))
    assert " complete within 1 %" in line


def test_one_method_another_class_and_json(striate, run, tmp_path):
    words = ["--class", "3", "--method", "occlusion", "--patch", "2", "--score", "log-probability"]
    out = striate("explain", "run", str(run.directory), *words, "--out", "there", "--json").out
    told = json.loads(out)
    assert (told["image"], told["explained"]) == (0, "3")
    assert told["score"]["kind"] == "log-probability"
    assert [(m["method"], m["patch"]) for m in told["methods"]] == [("occlusion", 2)]
    assert "there/pixels.png" in told["figures"]
    assert (tmp_path / "there" / "pixels.pdf").is_file()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--image", "360"], "image 360 is not among the 360 test images of 'digits'"),
        (["--class", "ten"], "no class 'ten'"),
        (["--layer", "cnv"], "did you mean 'conv'?"),
        (["--method", "saliency"], "'saliency' is not one of"),
        (["--baseline", "3"], "write a value from 0 to 1, mean or blur"),
        (["--patch", "9"], "does not fit into an image of 8 x 8"),
    ],
)
def test_wrong_words_are_one_line(striate, run, words, part):
    status, out, err = striate("explain", "run", str(run.directory), *words)
    assert (status, out) == (2, "")
    assert part in err
    assert err.count("\n") == 1


def test_a_run_that_is_not_finished_is_refused(striate, run, tmp_path):
    begun = tmp_path / "begun"
    shutil.copytree(run.directory, begun)
    (begun / "model.keras").unlink()
    status, out, err = striate("explain", "run", str(begun))
    assert (status, out) == (2, "")
    assert "is not finished (3 of 3 epochs): striate train --resume" in err
    assert striate("explain", "run", "last").status == 2
