"""The confusion matrix."""

import numpy as np
import pytest

from striate import plots


def _grid(figure):
    """Return the texts in the cells, as an array like the matrix."""
    axes = figure.axes[0]
    texts = {tuple(map(int, text.get_position())): text.get_text() for text in axes.texts}
    size = axes.get_images()[0].get_array().shape[0]
    return [[texts.get((column, row)) for column in range(size)] for row in range(size)]


@pytest.mark.parametrize("classes", [2, 4, 10, 30])
def test_the_text_in_each_cell_is_its_count(evaluated, classes: int) -> None:
    evaluation = evaluated(classes, 200)
    cells = np.array(_grid(plots.confusion(evaluation)), dtype=int)
    np.testing.assert_array_equal(cells, evaluation.confusion)


def test_the_colour_is_the_fraction_of_the_row(evaluated) -> None:
    evaluation = evaluated(5, 100)
    figure = plots.confusion(evaluation)
    (picture,) = figure.axes[0].get_images()
    np.testing.assert_allclose(picture.get_array(), evaluation.confusion_by_row)
    assert picture.get_clim() == (0, 1)
    assert figure.axes[1].get_ylabel() == "fraction of the true class"


def test_rows_are_true_classes(evaluated) -> None:
    names = ("quark", "gluon", "W")
    axes = plots.confusion(evaluated(3, names=names)).axes[0]
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("true class", "predicted class")
    for labels in (axes.get_yticklabels(), axes.get_xticklabels()):
        assert [label.get_text() for label in labels] == list(names)


def test_a_class_without_test_images_is_hatched_and_that_is_said(evaluated) -> None:
    figure = plots.confusion(evaluated(4, absent=2))
    cells = _grid(figure)
    assert cells[2] == [None] * 4
    assert None not in cells[1]
    assert [patch.get_hatch() for patch in figure.axes[0].patches] == ["////"]
    assert "no test image" in figure.axes[0].get_title(loc="left")


def test_a_hundred_classes_are_drawn_without_counts_and_that_is_said(evaluated) -> None:
    figure = plots.confusion(evaluated(100, 500))
    assert len(figure.axes[0].texts) == 0
    assert "counts are not written above 30 classes" in figure.axes[0].get_title(loc="left")
    assert len(figure.axes[0].get_yticklabels()) == 100


def test_weights_are_summed_and_rounded(evaluated) -> None:
    evaluation = evaluated(2, 50, weights=np.full(50, 1 / 3, dtype=np.float32))
    cells = _grid(plots.confusion(evaluation))
    for row in range(2):
        for column in range(2):
            assert float(cells[row][column]) == pytest.approx(
                evaluation.confusion[row, column], rel=5e-3
            )
            assert len(cells[row][column]) <= 6


def test_images_without_an_answer_are_counted_beside_it(evaluated) -> None:
    figure = plots.confusion(evaluated(3, unanswered=(0, 5)))
    assert "2 images without an answer" in figure.axes[0].get_title(loc="left")
