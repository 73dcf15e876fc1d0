"""Images to explain with: built in, from files, of datasets."""

import numpy as np
import pytest
from PIL import Image

import striate as st
from striate.errors import StriateError
from striate.explain.images import IMAGES, shrunk, source


@pytest.mark.parametrize("name", IMAGES)
def test_the_built_in_images_are_there(name):
    pixels = source(name, st.load).pixels
    sides = IMAGES[name][0].rsplit(", ", 1)[-1].split(" ")[0]
    assert "x".join(map(str, pixels.shape[:2])) == sides


def test_an_image_of_a_dataset():
    found = source("digits:3", st.load)
    np.testing.assert_array_equal(found.pixels, st.load("digits").test.images[3, ..., 0])
    assert found.name == "digits, test image 3"


def test_pictures_are_read_in_grey_and_in_colour(tmp_path):
    values = np.random.default_rng(6).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    Image.fromarray(values).save(tmp_path / "colour.png")
    Image.fromarray(values[..., 0]).save(tmp_path / "grey.png")
    np.testing.assert_allclose(source(str(tmp_path / "colour.png"), st.load).pixels, values / 255)
    np.testing.assert_allclose(
        source(str(tmp_path / "grey.png"), st.load).pixels, values[..., 0] / 255
    )
    np.testing.assert_allclose(
        source(str(tmp_path / "colour.png"), st.load).grey.pixels, values.mean(axis=2) / 255
    )


def test_arrays_are_read_as_they_are(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(6).reshape(2, 3, 1))
    pixels = source(str(tmp_path / "a.npy"), st.load).pixels
    assert pixels.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert pixels.dtype.kind == "i"


def test_shrinking_averages():
    image = source("checker", st.load)
    np.testing.assert_allclose(shrunk(image, 3).pixels, np.full((3, 3), 0.5))
    assert shrunk(image, 6) is image
    assert shrunk(source("photo", st.load), 20).pixels.shape == (13, 20, 3)


def _files(folder):
    (folder / "broken.png").write_bytes(b"no picture")
    (folder / "broken.npy").write_bytes(b"no array")
    np.save(folder / "nan.npy", np.array([[np.nan]]))
    np.save(folder / "row.npy", np.arange(4))
    np.save(folder / "words.npy", np.array([["a"]]))
    np.save(folder / "objects.npy", np.array([[{}]], dtype=object), allow_pickle=True)


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("edge", "did you mean 'edges'"),
        ("digits:x", "write a dataset and a number"),
        ("digits:999999", "give a number from 0 to 359"),
        ("digitz:1", "did you mean 'digits'"),
        ("missing.png", "no file missing.png"),
        ("broken.png", "cannot be read as a picture"),
        ("broken.npy", "cannot be read as an array"),
        ("objects.npy", "cannot be read as an array"),
        ("nan.npy", "NaN or infinity"),
        ("row.npy", "has shape"),
        ("words.npy", "no array of numbers"),
    ],
)
def test_a_wrong_image_is_one_line(word, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _files(tmp_path)
    with pytest.raises(StriateError, match=words) as raised:
        source(word, st.load)
    assert "\n" not in str(raised.value)
