"""Evaluate one trained network: from a run or a model, and data, to an `Evaluation`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.data import Dataset, as_dataset
from striate.errors import StriateError
from striate.evaluation.classification import NO_ANSWER, Evaluation, predicted_classes
from striate.evaluation.estimate import weighted_fraction
from striate.evaluation.overtraining import TrainingVerdict, judge_training
from striate.evaluation.prediction import (
    BATCH_SIZE,
    predict_probabilities,
    refuse_other_images,
)

if TYPE_CHECKING:
    from striate.data import Split


def evaluate(
    run_or_model: Any,
    data: Dataset | str | PathLike[str],
    *,
    name: str | None = None,
    train_limit: int | None = None,
    batch_size: int = BATCH_SIZE,
) -> Evaluation:
    """Evaluate a trained network on the test images, and its training on the training images.

    Parameters
    ----------
    run_or_model
        A `striate.runs.Run`, whose model and history are used; or a model: anything with
        ``predict(images, batch_size=..., verbose=0)``. The history of a Keras model's last
        ``fit`` is used if there is one.
    data
        The dataset, or the name or path to load; its test split is what counts, its training split
        serves the verdict on the training.
    name
        What to call it; the model's name when not given.
    train_limit
        How many training images to look at, evenly spaced through the split; all when None, none
        (and no verdict) when 0.
    batch_size
        Images per batch.

    Raises
    ------
    StriateError
        If the network does not fit the data: other images, other classes, several outputs.

    Examples
    --------
    >>> result = st.evaluate(run, data)                    # doctest: +SKIP
    >>> print(result.accuracy)                             # doctest: +SKIP
    0.9861 [0.9679, 0.9941]
    """
    if train_limit is not None and train_limit < 0:
        raise StriateError(f"train_limit must not be negative, but is {train_limit}")
    data = as_dataset(data)
    model, history, notes = _parts(run_or_model, data)
    called = name or str(getattr(model, "name", type(model).__name__))
    refuse_other_images(model, data.image_shape, f"the network {called!r}", repr(data.name))
    probabilities, how = predict_probabilities(model, data.test, data.classes, batch_size)
    tested = Evaluation(
        called, data.class_names, data.test.labels, probabilities, data.test.weights
    )
    notes += how
    if tested.unanswered:
        notes += (
            f"{tested.unanswered} of {len(data.test)} test images are answered with NaN or "
            "infinity and count as wrong.",
        )
    training = None
    if train_limit != 0:
        looked_at = _evenly_spaced(data.train, train_limit)
        if len(looked_at) < len(data.train):
            notes += (
                f"The training accuracy is that of {len(looked_at)} of the {len(data.train)} "
                "training images, evenly spaced.",
            )
        training = _judge(model, looked_at, data, tested, history, batch_size)
    return Evaluation(
        called,
        data.class_names,
        data.test.labels,
        probabilities,
        data.test.weights,
        training,
        notes,
    )


def _parts(
    run_or_model: Any, data: Dataset
) -> tuple[Any, Mapping[str, Sequence[float]], tuple[str, ...]]:
    """Return the model, its history and notes, of a run or of a model."""
    config = getattr(run_or_model, "config", None)
    if hasattr(run_or_model, "model") and isinstance(config, Mapping):
        trained_on = config.get("dataset", {})
        notes: tuple[str, ...] = ()
        if trained_on.get("fingerprint") not in (None, data.fingerprint):
            notes = (
                f"The run was trained on other data ({trained_on.get('name')!r}) than it is "
                f"evaluated on ({data.name!r}): the training accuracy is not that of the images "
                "that it was trained on.",
            )
        return run_or_model.model, run_or_model.history, notes
    if not hasattr(run_or_model, "predict"):
        raise StriateError(
            f"cannot evaluate a value of type {type(run_or_model).__name__}: give one run, as "
            "st.train and st.runs.load return it, or a model with predict"
        )
    # After fit, Keras keeps its History object as the model's attribute of this name.
    history = getattr(getattr(run_or_model, "history", None), "history", None)
    return run_or_model, history if isinstance(history, Mapping) else {}, ()


def _evenly_spaced(split: Split, limit: int | None) -> Split:
    if limit is None or limit >= len(split):
        return split
    # Splits may be sorted by class, so the first images would not stand for all.
    return split.take(np.arange(limit) * len(split) // limit)


def _judge(
    model: Any,
    looked_at: Split,
    data: Dataset,
    tested: Evaluation,
    history: Mapping[str, Sequence[float]],
    batch_size: int,
) -> TrainingVerdict:
    probabilities, _ = predict_probabilities(model, looked_at, data.classes, batch_size)
    predictions = predicted_classes(probabilities)
    shares = np.bincount(looked_at.labels, weights=looked_at.weights, minlength=data.classes) / (
        len(looked_at) if looked_at.weights is None else looked_at.weights.sum(dtype=np.float64)
    )
    return judge_training(
        weighted_fraction(predictions == looked_at.labels, looked_at.weights),
        tested.accuracy,
        guessing=float(shares.max()),
        train_images=len(looked_at),
        history=history,
        unanswered=tested.unanswered + int((predictions == NO_ANSWER).sum()),
    )
