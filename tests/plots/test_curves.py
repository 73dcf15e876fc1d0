"""Loss and accuracy against epoch."""

import numpy as np
import pytest

from striate import StriateError, plots
from striate.plots.curves import best_epoch

FULL = {
    "accuracy": [0.2, 0.6, 0.9, 0.95],
    "loss": [2.0, 1.0, 0.5, 0.3],
    "val_accuracy": [0.3, 0.5, 0.8, 0.8],
    "val_loss": [1.9, 1.1, 0.8, 0.9],
}


def _curves(axes):
    return {line.get_label(): line for line in axes.get_lines()}


def test_loss_comes_first_and_the_lines_are_the_values() -> None:
    loss, accuracy = plots.history(FULL).axes
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("loss", "accuracy")
    assert accuracy.get_xlabel() == "epoch"
    np.testing.assert_array_equal(_curves(loss)["training"].get_ydata(), FULL["loss"])
    np.testing.assert_array_equal(_curves(accuracy)["validation"].get_ydata(), FULL["val_accuracy"])
    np.testing.assert_array_equal(_curves(loss)["training"].get_xdata(), [1, 2, 3, 4])


def test_the_lowest_validation_loss_is_marked_in_each_panel() -> None:
    figure = plots.history(FULL)
    for axes in figure.axes:
        assert [3, 3] in [list(line.get_xdata()) for line in axes.get_lines()]
    assert figure.axes[0].get_title(loc="right") == "lowest validation loss: epoch 3"


def test_without_validation_no_epoch_is_called_best() -> None:
    figure = plots.history({"loss": [1.0, 0.5]})
    assert figure.axes[0].get_title(loc="right") == ""
    assert len(figure.axes[0].get_lines()) == 1


@pytest.mark.parametrize("epochs", [1, 2, 3, 7, 100, 1000])
def test_ticks_are_whole_epochs_within_the_training(epochs: int) -> None:
    axes = plots.history({"loss": list(np.linspace(1, 0, epochs))}).axes[0]
    low, high = axes.get_xlim()
    ticks = [tick for tick in axes.xaxis.get_majorticklocs() if low <= tick <= high]
    assert ticks
    assert all(tick == int(tick) and 1 <= tick <= epochs for tick in ticks)
    assert len(axes.xaxis.get_minorticklocs()) == 0


def test_one_epoch_is_a_visible_point() -> None:
    lines = _curves(plots.history({name: values[:1] for name, values in FULL.items()}).axes[0])
    assert lines["training"].get_marker() == "o"
    assert lines["validation"].get_marker() == "s"


def test_values_that_are_not_finite_leave_a_gap_and_are_named() -> None:
    figure = plots.history(
        {"loss": [1.0, float("nan"), 0.5], "val_loss": [1.0, float("inf"), float("nan")]}
    )
    axes = figure.axes[0]
    assert np.isfinite(_curves(axes)["training"].get_ydata()).tolist() == [True, False, True]
    assert [text.get_text() for text in axes.texts] == ["not finite at epoch 2, 3"]
    figure._repr_png_()


def test_nothing_finite_is_drawn_without_a_best_epoch() -> None:
    history = {"loss": [float("nan")] * 9, "val_loss": [float("nan")] * 9}
    assert best_epoch(history) is None
    (text,) = plots.history(history).axes[0].texts
    assert text.get_text() == "not finite at epoch 1, 2, 3, 4, 5, 6 and 3 more"


def test_other_metrics_and_the_name_of_the_second_split() -> None:
    figure = plots.history({"mae": [1.0], "loss": [2.0], "val_loss": [2.0]}, validation="test")
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "mae"]
    assert set(_curves(figure.axes[0])) >= {"training", "test"}


def test_an_empty_history_is_a_mistake() -> None:
    with pytest.raises(StriateError, match="no epoch"):
        plots.history({"loss": []})
