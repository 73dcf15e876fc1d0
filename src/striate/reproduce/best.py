"""Rows B1 to B5, beyond the lectures: the most that a minute, or ten, of training reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from striate import plots
from striate.quantities import plural, seconds
from striate.reproduce.row import Check, Outcome, Row, at_least, holds, mean_of, percent
from striate.reproduce.training import accuracies, watched

if TYPE_CHECKING:
    from striate.reproduce.workbench import Workbench

_SPARE = 0.8
"""Share of the time that is planned to be used: it takes time to compile, and speeds vary."""


@dataclass(frozen=True)
class Recipe:
    """What is trained, and for how long.

    Attributes
    ----------
    model, arguments
        Name of the network and arguments of its function.
    budget
        Seconds of training.
    most_epochs
        More do not help.
    bound
        The accuracy to reach; None where none was set.
    """

    model: str
    budget: float
    arguments: Mapping[str, Any] = field(default_factory=dict)
    most_epochs: int = 60
    bound: float | None = None


def _reached(bench: Workbench, key: str, name: str, recipe: Recipe) -> Outcome:
    data = bench.data(name)
    epoch = bench.epoch_seconds(recipe.model, data, **recipe.arguments)
    planned = int(_SPARE * recipe.budget / epoch)
    epochs = max(1, min(planned, recipe.most_epochs))
    trained = bench.train(recipe.model, data, epochs=epochs, **recipe.arguments)
    accuracy = mean_of(accuracies(trained))
    done = trained[0].epochs_done
    slowest = max(float(run.config["timing"]["seconds_training"]) for run in trained)
    checks: list[Check] = [
        holds("training, the slowest seed", slowest <= recipe.budget, seconds(slowest),
              f"at most {_words(recipe.budget)}"),
    ]  # fmt: skip
    if recipe.bound is not None:
        checks.append(at_least("test accuracy", accuracy, recipe.bound))
    picture = bench.show(
        f"{key}-history", plots.history(trained.history, validation=watched(trained[0])),
        "Course of the training.", "Of the first seed.",
    )  # fmt: skip
    settings = ", ".join(f"{name} = {value}" for name, value in recipe.arguments.items())
    return Outcome(
        f"{percent(accuracy)} in {seconds(slowest)}",
        checks,
        [picture],
        [f"{recipe.model}{f' with {settings}' if settings else ''}, {plural(done, 'epoch')}: as "
         f"many as fit, {seconds(epoch)} each by a short training before, and no more than "
         f"{recipe.most_epochs}. Nothing was chosen by the test images."],
        {"accuracy": accuracy._asdict(), "epochs": done, "seconds": slowest},
    )  # fmt: skip


MINUTE, TEN_MINUTES = 60.0, 600.0
_SMALL = {"filters": [32, 64, 128], "shift": 1}
_RECIPES: Mapping[str, tuple[str, str, tuple[Recipe, Recipe]]] = {
    "B1": ("digits", "8x8 digits", (
        Recipe("compact_cnn", MINUTE, _SMALL, most_epochs=300),
        Recipe("compact_cnn", TEN_MINUTES, _SMALL, most_epochs=300),
    )),
    "B2": ("mnist", "MNIST", (
        Recipe("compact_cnn", MINUTE, {"filters": [16, 32, 64], "shift": 2}),
        Recipe("compact_cnn", TEN_MINUTES, {"filters": [32, 64, 128], "shift": 2}, bound=0.995),
    )),
    "B3": ("fashion_mnist", "Fashion-MNIST", (
        Recipe("compact_cnn", MINUTE, {"filters": [16, 32, 64], "mirror": True}),
        Recipe("compact_cnn", TEN_MINUTES,
               {"filters": [32, 64, 128], "mirror": True, "shift": 1}, bound=0.935),
    )),
    "B4": ("cifar10", "CIFAR-10", (
        Recipe("compact_cnn", MINUTE, {"filters": [16, 32, 64, 128], "mirror": True}),
        Recipe("compact_cnn", TEN_MINUTES,
               {"filters": [32, 64, 128, 256], "mirror": True, "shift": 3}, bound=0.85),
    )),
    "B5": ("jets", "W against QCD jets", (
        Recipe("jet_cnn", MINUTE, most_epochs=12),
        Recipe("jet_cnn", TEN_MINUTES, most_epochs=12),
    )),
}  # fmt: skip


def _words(budget: float) -> str:
    return f"{budget:g} s" if budget < 120 else f"{budget / 60:g} min"


def _row(key: str, name: str, title: str, recipe: Recipe) -> Row:
    goal = f"{100 * recipe.bound:g} %" if recipe.bound else "none set"
    return Row(
        key, ("best",), f"{title}, {_words(recipe.budget)} of training", goal,
        partial(_reached, key=key, name=name, recipe=recipe), (name,),
    )  # fmt: skip


ROWS = tuple(
    _row(f"{key}{part}", name, title, recipe)
    for key, (name, title, recipes) in _RECIPES.items()
    for part, recipe in zip("ab", recipes, strict=True)
)
