"""ROC curves and calibration."""

import numpy as np
import pytest

from striate import StriateError, plots


def _lines(figure):
    return {line.get_label(): line for line in figure.axes[0].get_lines()}


def test_each_class_has_its_curve_and_its_area(evaluated) -> None:
    evaluation = evaluated(4)
    lines = _lines(plots.roc(evaluation))
    for name, curve in evaluation.roc.items():
        line = lines[f"{name}  {curve.auc:.4f}"]
        np.testing.assert_array_equal(line.get_xdata(), curve.false_positive_rate)
        np.testing.assert_array_equal(line.get_ydata(), curve.true_positive_rate)
    assert len(lines) == 5


def test_one_false_positive_is_on_the_axis(evaluated) -> None:
    evaluation = evaluated(4, 80)
    low, high = plots.roc(evaluation).axes[0].get_xlim()
    assert low < 1 / 60
    assert high == 1


def test_of_two_classes_the_second_is_drawn(evaluated) -> None:
    figure = plots.roc(evaluated(2, names=("QCD", "W")))
    assert [label.split()[0] for label in _lines(figure)] == ["W", "guessing"]


def test_of_many_classes_the_worst_are_named(evaluated) -> None:
    evaluation = evaluated(12, 240)
    figure = plots.roc(evaluation)
    named = [
        line.get_label().rsplit("  ", 1)[0]
        for line in figure.axes[0].get_lines()
        if not line.get_label().startswith("_") and "guessing" not in line.get_label()
    ]
    assert named == sorted(evaluation.roc, key=lambda name: evaluation.roc[name].auc)[:5]
    assert len(figure.axes[0].get_lines()) == 13
    assert "5 smallest of 12" in figure.legends[0].get_title().get_text()


def test_absent_classes_have_no_curve(evaluated) -> None:
    assert not any(
        label.startswith("class 1") for label in _lines(plots.roc(evaluated(3, absent=1)))
    )
    with pytest.raises(StriateError, match="one class only"):
        plots.roc(evaluated(2, absent=0))


def test_calibration_points_are_means_and_fractions(evaluated) -> None:
    evaluation = evaluated(2, 300)
    upper, lower = plots.calibration(evaluation, bins=5).axes
    confidence = evaluation.probabilities.max(axis=1)
    inside = (confidence >= 0.9) & (confidence <= 1)
    x, y = (values[-1] for values in upper.containers[0][0].get_data())
    assert x == pytest.approx(confidence[inside].mean())
    assert y == pytest.approx(evaluation.correct[inside].mean())
    heights, edges, _ = lower.patches[0].get_data()
    assert heights.sum() == 300
    assert heights[-1] == inside.sum()
    np.testing.assert_allclose(edges, [0.5, 0.6, 0.7, 0.8, 0.9, 1.0])


def test_calibration_honours_weights(evaluated) -> None:
    plain = evaluated(2, 100)
    weights = np.where(plain.correct, 1.0, 0.0).astype(np.float32)
    upper, lower = plots.calibration(evaluated(2, 100, weights=weights)).axes
    _, y = upper.containers[0][0].get_data()
    np.testing.assert_allclose(y, 1)
    assert lower.patches[0].get_data()[0].sum() == pytest.approx(weights.sum())
    assert lower.get_ylabel() == "weight"


def test_calibration_leaves_out_images_without_an_answer(evaluated) -> None:
    _, lower = plots.calibration(evaluated(3, 60, unanswered=(1, 2))).axes
    assert lower.patches[0].get_data()[0].sum() == 58
    with pytest.raises(StriateError, match="no test image has an answer"):
        plots.calibration(evaluated(3, 60, unanswered=tuple(range(60))))
