import json

import numpy as np
import pytest

import striate as st


def test_list_says_where_each_dataset_is(striate):
    status, out, _ = striate("data", "list")
    assert status == 0
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert "bundled" in lines["digits"]
    assert "striate data fetch mnist" in lines["mnist"]
    assert not any(line.endswith(" ") for line in out.splitlines())


def test_list_as_json(striate):
    out = json.loads(striate("data", "list", "--json").out)
    known = {entry["name"]: entry for entry in out["datasets"]}
    assert known["digits"]["here"] is True
    assert known["mnist"]["here"] is False
    assert known["mnist"]["download_bytes"] > 10_000_000


def test_info_counts_images_by_class(striate):
    out = striate("data", "info", "digits").out
    assert out.startswith("digits: 1,437 train + 360 test images, 8 x 8 x 1, 10 classes\n")
    assert st.load("digits").fingerprint in out


def test_info_of_a_file_as_json(striate, tmp_path):
    x = np.zeros((40, 6, 6), np.uint8)
    x[::2, 2] = 255
    np.savez(
        tmp_path / "stripes.npz",
        x_train=x,
        y_train=np.arange(40) % 2,
        x_test=x[:10],
        y_test=np.arange(10) % 2,
    )
    facts = json.loads(striate("data", "info", "stripes.npz", "--json").out)
    assert facts["sizes"] == {"train": 40, "test": 10}
    assert facts["images_by_class"]["train"] == {"0": 20, "1": 20}
    assert facts["image_shape"] == [6, 6, 1]


def test_info_of_what_is_not_here_downloads_nothing(striate):
    status, out, err = striate("data", "info", "mnist")
    assert (status, out) == (2, "")
    assert err == "striate: mnist is not here: striate data fetch mnist (12 MB)\n"


def test_fetching_what_comes_with_striate(striate):
    assert striate("data", "fetch", "ox") == (0, "ox comes with striate\n", "")


@pytest.mark.data
def test_fetching_what_is_here_gives_its_folder(striate, monkeypatch, data_directory):
    monkeypatch.setenv("STRIATE_DATA", str(data_directory))
    assert striate("data", "fetch", "mnist") == (0, f"mnist: {data_directory}/mnist\n", "")
