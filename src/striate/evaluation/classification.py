"""Everything about how well one network classifies one set of test images."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from striate.evaluation.estimate import Estimate, weighted_fraction
from striate.evaluation.overtraining import TrainingVerdict

SMALLEST_PROBABILITY = 1e-7
"""Probabilities are not taken below this in the loss, so that one image cannot make it infinite;
Keras's cross-entropy does the same."""

NO_ANSWER = -1
"""The prediction for an image that the network answered with NaN or infinity."""


@dataclass(frozen=True, eq=False)
class Roc:
    """The ROC curve of one class against all the others.

    Attributes
    ----------
    false_positive_rate, true_positive_rate, thresholds
        Arrays of equal length, thresholds falling from infinity; empty when the class, or every
        other one, has no test image.
    auc
        The area under the curve; NaN when the curve is empty.
    """

    false_positive_rate: np.ndarray
    true_positive_rate: np.ndarray
    thresholds: np.ndarray
    auc: float


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A trained network on the test images; every figure honours event weights.

    Attributes
    ----------
    name
        What was evaluated.
    class_names
        The k classes.
    labels
        ``(n,)`` true class numbers.
    probabilities
        ``(n, k)`` float64, rows adding up to 1; NaN where the network gave no finite answer.
    weights
        ``(n,)`` event weights of either sign, or None.
    training
        Verdict on the training (row N3), if training images were looked at.
    notes
        Sentences on whatever was converted, left out or found wrong on the way.
    """

    name: str
    class_names: tuple[str, ...]
    labels: np.ndarray
    probabilities: np.ndarray
    weights: np.ndarray | None = None
    training: TrainingVerdict | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def predictions(self) -> np.ndarray:
        """The likeliest class of each image, ``(n,)``; `NO_ANSWER` (-1) where there is none."""
        return predicted_classes(self.probabilities)

    @property
    def correct(self) -> np.ndarray:
        """Whether each image was classified correctly, ``(n,)`` of bool."""
        return np.asarray(self.predictions == self.labels)

    @property
    def unanswered(self) -> int:
        """How many images the network answered with NaN or infinity; they count as wrong."""
        return int((self.predictions == NO_ANSWER).sum())

    @cached_property
    def accuracy(self) -> Estimate:
        """The share of correct predictions, with its 95 % Wilson interval.

        Weighted events enter the interval with their effective number (see `weighted_fraction`).
        """
        return weighted_fraction(self.correct, self.weights)

    @cached_property
    def loss(self) -> float:
        """Mean cross-entropy of the true class, in nats, whatever loss the training used.

        Regularisation is not in it; no probability is taken below `SMALLEST_PROBABILITY`. NaN when
        an image has no finite answer.
        """
        true = self.probabilities[np.arange(len(self.labels)), self.labels]
        # np.maximum, unlike np.clip with a NaN-safe bound, keeps NaN.
        each = -np.log(np.maximum(true, SMALLEST_PROBABILITY))
        return float(np.average(each, weights=self.weights))

    @cached_property
    def confusion(self) -> np.ndarray:
        """The confusion matrix, ``(k, k)``: row the true class, column the predicted one.

        Integer counts, or sums of weights (float64). Images without an answer are in no cell.
        """
        k = len(self.class_names)
        answered = self.predictions != NO_ANSWER
        cells = self.labels[answered] * k + self.predictions[answered]
        weights = None if self.weights is None else self.weights[answered]
        return np.bincount(cells, weights=weights, minlength=k * k).reshape(k, k)

    @property
    def confusion_by_row(self) -> np.ndarray:
        """The confusion matrix with each row divided by its sum; NaN where a class is absent."""
        sums = self.confusion.sum(axis=1, keepdims=True)
        return np.divide(
            self.confusion, sums, out=np.full(self.confusion.shape, np.nan), where=sums != 0
        )

    @cached_property
    def _scores(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        # scikit-learn takes half a second to import.
        from sklearn.metrics import precision_recall_fscore_support

        precision, recall, f1, _ = precision_recall_fscore_support(
            self.labels,
            self.predictions,
            labels=np.arange(len(self.class_names)),
            sample_weight=self.weights,
            zero_division=np.nan,
        )
        return precision, recall, f1

    @property
    def precision(self) -> np.ndarray:
        """Per class, the share of its predictions that are right; NaN if it is never predicted."""
        return self._scores[0]

    @property
    def recall(self) -> np.ndarray:
        """Per class, the share of its images that are found; NaN if it has no test image."""
        return self._scores[1]

    @property
    def f1(self) -> np.ndarray:
        """Per class, the harmonic mean of precision and recall; NaN if it does not occur."""
        return self._scores[2]

    @cached_property
    def support(self) -> np.ndarray:
        """Per class, how many test images it has, or the sum of their weights."""
        return np.bincount(self.labels, weights=self.weights, minlength=len(self.class_names))

    def most_confused(self, n: int = 5) -> list[tuple[str, str, float, float]]:
        """Return the commonest mistakes, commonest first.

        Returns
        -------
        list of tuple
            True class, predicted class, how many (a sum of weights for weighted events), and
            their share of the true class.
        """
        confusion = self.confusion.copy()
        np.fill_diagonal(confusion, 0)
        k = len(self.class_names)
        cells = np.argsort(-confusion, axis=None, kind="stable")[:n]
        return [
            (
                self.class_names[cell // k],
                self.class_names[cell % k],
                confusion.flat[cell].item(),
                float(confusion.flat[cell] / self.support[cell // k]),
            )
            for cell in cells
            if confusion.flat[cell] > 0
        ]

    def surest_mistakes(self, n: int = 12) -> np.ndarray:
        """Return the test indices of wrong predictions, the most confident first."""
        wrong = np.flatnonzero(~self.correct & (self.predictions != NO_ANSWER))
        confidence = self.probabilities[wrong].max(axis=1)
        return wrong[np.argsort(-confidence, kind="stable")[:n]]

    @cached_property
    def roc(self) -> Mapping[str, Roc]:
        """The ROC curve of each class against the rest, by class name.

        Images without an answer are left out. With negative weights a curve need not rise
        everywhere; its area is then that of the trapezoids all the same.
        """
        return MappingProxyType(
            {name: self._roc_of(number) for number, name in enumerate(self.class_names)}
        )

    def _roc_of(self, number: int) -> Roc:
        from sklearn.metrics import roc_curve

        answered = self.predictions != NO_ANSWER
        member = self.labels[answered] == number
        weights = None if self.weights is None else self.weights[answered]
        present = np.bincount(member, weights=weights, minlength=2)
        if not (present > 0).all():
            empty = np.empty(0)
            return Roc(empty, empty, empty, math.nan)
        scores = self.probabilities[answered, number]
        false_positive, true_positive, thresholds = roc_curve(member, scores, sample_weight=weights)
        area = float(np.trapezoid(true_positive, false_positive))
        return Roc(false_positive, true_positive, thresholds, area)

    def as_dict(self) -> dict[str, Any]:
        """Return a summary as JSON can hold it: no values per image, None in place of NaN."""
        return {
            "name": self.name,
            "images": len(self.labels),
            "weighted": self.weights is not None,
            "unanswered": self.unanswered,
            "accuracy": self.accuracy.as_dict(),
            "loss": _or_none(self.loss),
            "classes": [
                {
                    "name": name,
                    "support": self.support[i].item(),
                    "precision": _or_none(self.precision[i]),
                    "recall": _or_none(self.recall[i]),
                    "f1": _or_none(self.f1[i]),
                    "auc": _or_none(self.roc[name].auc),
                }
                for i, name in enumerate(self.class_names)
            ],
            "confusion": self.confusion.tolist(),
            "most_confused": [
                {"true": true, "predicted": predicted, "count": count, "share": share}
                for true, predicted, count, share in self.most_confused()
            ],
            "training": None if self.training is None else self.training.as_dict(),
            "notes": list(self.notes),
        }


def predicted_classes(probabilities: np.ndarray) -> np.ndarray:
    """Return the likeliest class of each row, `NO_ANSWER` for rows that are not all finite."""
    answered = np.isfinite(probabilities).all(axis=1)
    return np.where(answered, np.argmax(probabilities, axis=1), NO_ANSWER)


def _or_none(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
