"""Grids of images: samples, predictions, mistakes."""

import numpy as np
import pytest

from striate import StriateError, plots

RNG = np.random.default_rng(2)
GREY = RNG.random((60, 6, 6, 1))


def _cells(figure):
    """Return for each image: picture, texts, line style and line width of its frame."""
    (canvas,) = figure.axes
    cells = []
    for image, frame in zip(canvas.get_images(), canvas.patches, strict=True):
        left, right, lower, upper = image.get_extent()
        assert frame.get_bbox().extents == pytest.approx([left, upper, right, lower])
        words = [
            text.get_text()
            for text in canvas.texts
            if left < text.xy[0] < right and text.xy[1] in {lower, upper}
        ]
        picture = np.asarray(image.get_array())
        cells.append((picture, words, frame.get_linestyle(), frame.get_linewidth()))
    return cells


def test_samples_are_images_with_the_names_of_their_own_classes() -> None:
    labels = RNG.integers(0, 3, 60)
    cells = _cells(plots.samples(GREY, labels, ["up", "down", "charm"], n=12, seed=4))
    assert len(cells) == 12
    chosen = []
    for picture, (name,), *_ in cells:
        (index,) = np.flatnonzero((GREY[..., 0] == picture).all(axis=(1, 2)))
        chosen.append(index)
        assert name == ["up", "down", "charm"][labels[index]]
    assert len(set(chosen)) == 12


def test_samples_depend_on_the_seed_alone() -> None:
    labels = np.zeros(60, int)

    def pictures(seed: int) -> list[bytes]:
        figure = plots.samples(GREY, labels, ["a"], n=5, seed=seed)
        return [picture.tobytes() for picture, *_ in _cells(figure)]

    assert pictures(1) == pictures(1)
    assert pictures(1) != pictures(2)


def test_fewer_images_than_asked_for() -> None:
    assert len(_cells(plots.samples(GREY[:3], np.zeros(3, int), ["a"]))) == 3


def test_bytes_and_numbers_give_the_same_picture() -> None:
    pixels = RNG.integers(0, 256, (4, 5, 5, 3), dtype=np.uint8)
    labels = np.zeros(4, int)
    of_bytes = _cells(plots.samples(pixels, labels, ["a"]))
    of_numbers = _cells(plots.samples(pixels / 255.0, labels, ["a"]))
    for (one, *_), (other, *_) in zip(of_bytes, of_numbers, strict=True):
        np.testing.assert_allclose(one, other)
        assert one.shape == (5, 5, 3)


def test_two_channels_are_averaged_and_that_is_said() -> None:
    images = RNG.random((2, 4, 4, 2))
    figure = plots.samples(images, np.zeros(2, int), ["a"], seed=0)
    assert "mean over 2 channels" in figure.texts[0].get_text()
    shown = {_cells(figure)[i][0].tobytes() for i in range(2)}
    assert shown == {image.mean(axis=-1).tobytes() for image in images}


def test_predictions_say_what_was_predicted_how_surely_and_what_is_true(evaluated) -> None:
    evaluation = evaluated(4, names=("up", "down", "charm", "strange"))
    cells = _cells(plots.predictions(evaluation, GREY, n=40))
    assert len(cells) == 40
    assert not evaluation.correct[:40].all()
    for i, (picture, texts, line, width) in enumerate(cells):
        np.testing.assert_array_equal(picture, GREY[i, ..., 0])
        right = bool(evaluation.correct[i])
        name = evaluation.class_names[evaluation.predictions[i]]
        chance = float(texts[0].rstrip(" %"))
        assert chance == pytest.approx(100 * evaluation.probabilities[i].max(), abs=0.06)
        assert texts[1] == f"{'✓' if right else '✗'} {name}"
        truth = f"is {evaluation.class_names[evaluation.labels[i]]}"
        assert texts[2:] == ([] if right else [truth])
        # Told apart without colour: by the sign, by the width and by the dashes of the frame.
        assert (width < 2) == right
        assert (line == "-") == right


def test_the_images_asked_for_are_drawn_in_that_order(evaluated) -> None:
    cells = _cells(plots.predictions(evaluated(4), GREY, indices=[7, 3, 50]))
    for (picture, *_), i in zip(cells, (7, 3, 50), strict=True):
        np.testing.assert_array_equal(picture, GREY[i, ..., 0])


def test_mistakes_are_wrong_and_the_surest_comes_first(evaluated) -> None:
    evaluation = evaluated(4)
    cells = _cells(plots.mistakes(evaluation, GREY, n=6))
    assert len(cells) == 6
    surest = evaluation.surest_mistakes(6)
    for (picture, texts, *_), i in zip(cells, surest, strict=True):
        np.testing.assert_array_equal(picture, GREY[i, ..., 0])
        assert texts[1].startswith("✗")
    chances = [float(texts[0].rstrip(" %")) for _, texts, *_ in cells]
    assert chances == sorted(chances, reverse=True)


def test_an_image_without_an_answer_is_wrong(evaluated) -> None:
    (cell,) = _cells(plots.predictions(evaluated(4, unanswered=(0,)), GREY, indices=[0]))
    assert cell[1] == ["✗ no answer", "is class 0"]


def test_mistakes_of_the_user(evaluated) -> None:
    with pytest.raises(StriateError, match="59 images"):
        plots.predictions(evaluated(4), GREY[:59])
    with pytest.raises(StriateError, match="one label for each"):
        plots.samples(GREY, np.zeros(3, int), ["a"])
    with pytest.raises(StriateError, match="no image"):
        plots.predictions(evaluated(4), GREY, indices=[])
    with pytest.raises(StriateError, match="no mistake"):
        plots.mistakes(evaluated(4, perfect=True), GREY)
