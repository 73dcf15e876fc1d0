"""The commands that draw convolution: their numbers, their files, and a user's mistakes."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import signal

O_MAP = ["1  −1  −2  −1", "−1  −2  −1  −2", "−2  −1  −2  −1", "−1  −2  −1   1"]


def files() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def test_convolution_writes_all_formats_and_prints_the_map(striate):
    status, out, err = striate("explain", "convolution", "--bias", "-2")
    assert (status, err) == (0, "")
    lines = [line.strip() for line in out.splitlines()]
    assert lines[:4] == O_MAP
    names = [f"explain-convolution.{suffix}" for suffix in ("gif", "html", "pdf", "png")]
    assert files() == names
    assert sorted(lines[5:]) == names


def test_convolution_of_a_typed_kernel_with_stride_and_padding(striate):
    words = ["--image", "ramp", "--kernel", "1 2; 3 4", "--stride", "2x1", "--padding", "1"]
    out = json.loads(striate("explain", "convolution", *words, "--json", "--out", "a.html").out)
    ramp = np.pad(np.add.outer(np.arange(6), np.arange(6)), 1)
    expected = signal.correlate2d(ramp, [[1, 2], [3, 4]], "valid")[::2]
    assert out["feature_map"] == expected.tolist()
    assert out["figures"] == ["a.html"]


def test_flip_is_the_convolution_and_compare_shows_both(striate):
    words = ["explain", "convolution", "--image", "edges", "--kernel", "sobel", "--json"]
    turned = json.loads(striate(*words, "--flip", "--out", "a.html").out)["feature_map"]
    given = json.loads(striate(*words, "--compare", "--out", "b.html").out)["feature_map"]
    assert turned == (-np.array(given)).tolist()
    page = Path("b.html").read_text()
    assert "Convolution: the kernel turned" in page
    assert "The results differ by up to 80." in page


def test_worked_example_prints_w1_and_w2(striate):
    status, out, _ = striate("explain", "worked-example", "--no-dense", "--out", "w.html")
    assert status == 0
    first, second = out.split("--- X ---")
    squeezed = [" ".join(line.split()) for line in first.splitlines()]
    for heading, rows in (
        ("feature map, bias -2", [" ".join(row.split()) for row in O_MAP]),
        ("max pooled", ["1 0", "0 1"]),
        ("average pooled", ["0.25 0.00", "0.00 0.25"]),
        ("flattened", ["1 0 0 1"]),
    ):
        at = squeezed.index(heading)
        assert squeezed[at + 1 : at + 1 + len(rows)] == rows
    assert re.search(r"average pooled\s+0.0\s+0.5\s+0.5\s+0.0", second)
    assert files() == ["w-x.html", "w.html"]


@pytest.mark.slow
def test_worked_example_ends_with_a_learned_dense_layer(striate):
    status, out, _ = striate("explain", "worked-example", "--json", "--out", "w.html")
    assert status == 0
    found = json.loads(out)
    assert found["accuracy"] > 0.95
    for letter in "OX":
        assert found[letter]["probabilities"][letter] > 0.9


def test_padding_prints_w4_and_its_misprints(striate):
    out = json.loads(striate("explain", "padding", "--json", "--out", "p.html").out)
    assert out["feature_map"][3][0] == -11
    assert out["feature_map"][4][4] == 11
    assert out["misprints"] == [
        {"row": 4, "column": 1, "printed": 11},
        {"row": 5, "column": 5, "printed": 10},
    ]


def test_matrix_is_that_of_c5_and_states_its_memory(striate):
    status, out, _ = striate("explain", "matrix", "--out", "m.html")
    assert status == 0
    assert out.splitlines()[:3] == [
        "W' is 4 x 9, 16 of 36 entries are stored",
        "28 x 28 pixels, 32 kernels: W' 21,632 x 784, 194,688 entries: 135.7 MB dense, 2.4 MB "
        "sparse; the kernel alone 2.3 kB",
        "product of the polynomials: 2 4 1 1 5 3",
    ]
    assert files() == ["m-toeplitz.html", "m.html"]


def test_fourier_says_error_and_overshoot(striate):
    out = striate("explain", "fourier", "--terms", "40", "--out", "f.png").out
    assert re.search(r"40 terms: error 0\.\d+ N, overshoot (8\.9|9\.)\d*% of the jump", out)
    assert files() == ["f-oscillator.pdf", "f-oscillator.png", "f.pdf", "f.png"]


def test_blur_says_where_fft_wins(striate):
    words = ["--image", "disc", "--sigma", "0.5 1", "--out", "b.png", "--json"]
    out = json.loads(striate("explain", "blur", *words).out)
    assert list(out["differences"]) == ["0.5", "1"]
    assert max(out["differences"].values()) < 1e-12
    assert len(out["direct_seconds"]) == len(out["fft_seconds"]) == len(out["kernel_sides"])


def test_arithmetic_and_pooling(striate):
    out = striate("explain", "arithmetic", "--size", "7x5", "--out", "a.html").out
    assert "stride 2: 3 x 2" in out
    found = json.loads(striate("explain", "pooling", "--json", "--out", "p.html").out)
    assert found["max"] == [[2, 5, 5], [6, 9, 4], [6, 7, 7]]
    assert found["positions"][0][0] == [0, 1]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["convolution", "--kernel", "sobl"], "unknown kernel 'sobl': did you mean 'sobel'"),
        (["convolution", "--kernel", "1 0; 1"], "row 2 has 1 numbers, row 1 has 2"),
        (["convolution", "--image", "edgs"], "unknown image 'edgs': did you mean 'edges'"),
        (["convolution", "--image", "none.png"], "no file none.png"),
        (["convolution", "--image", "photo"], "shrink the image to 40 or fewer"),
        (["convolution", "--image", "digits:999"], "give a number from 0 to 359"),
        (["convolution", "--image", "count", "--kernel", "gaussian"], "no output remains"),
        (["convolution", "--stride", "0"], "stride must be 1 or more"),
        (["convolution", "--stride", "a"], "--stride 'a': write a number"),
        (["convolution", "--padding", "sme"], "did you mean 'same'"),
        (["convolution", "--bias", "nan"], "--bias must be a number"),
        (["convolution", "--step", "17"], "the window makes 16"),
        (["convolution", "--out", "a.jpg"], ".jpg is not written"),
        (["convolution", "--flip", "--compare"], "leave out --flip"),
        (["convolution", "--image", "rgb", "--compare"], "give a grey one"),
        (["matrix", "--alpha", "a"], "--alpha 'a': write numbers"),
        (["matrix", "--alpha", "inf"], "--alpha 'inf': write numbers"),
        (["matrix", "--image", "disc"], "shrink the image"),
        (["fourier", "--width", "3"], "width must be above 0 and below the period"),
        (["fourier", "--damping", "0"], "damping must be above 0"),
        (["arithmetic", "--size", "40"], "drawn up to 12"),
        (["pooling", "--window", "9"], "no output remains"),
        (["blur", "--sigma", "-1"], "sigma"),
        (["blur", "--out", "a.gif", "--image", "disc"], "does not move"),
    ],
)
def test_a_mistake_is_status_2_and_one_line(striate, words, line):
    status, out, err = striate("explain", *words)
    assert (status, out) == (2, "")
    assert line in err
    assert err.count("\n") == 1
    assert files() == []


@pytest.mark.slow
def test_the_gallery_has_every_picture_with_its_command(striate):
    status, out, _ = striate("explain", "gallery", "--no-run", "--out", "g")
    assert (status, out) == (0, "g/index.html\n")
    page = Path("g/index.html").read_text()
    for command in ("convolution", "padding", "arithmetic", "matrix", "pooling", "fourier", "blur"):
        assert f"striate explain {command}" in page
    assert "striate explain model heidelberg" in page
    for address in re.findall(r'(?:src|href)="([^"#]+)"', page):
        assert (Path("g") / address).is_file()
