"""How good a trained network is: accuracy with its interval, confusion, ROC, and its training."""

from __future__ import annotations

from striate.evaluation.classification import Evaluation, Roc
from striate.evaluation.estimate import Estimate, weighted_fraction, wilson
from striate.evaluation.network import evaluate
from striate.evaluation.overtraining import TrainingVerdict, judge_training
from striate.evaluation.prediction import predict_probabilities, to_probabilities

__all__ = [
    "Estimate",
    "Evaluation",
    "Roc",
    "TrainingVerdict",
    "evaluate",
    "judge_training",
    "predict_probabilities",
    "to_probabilities",
    "weighted_fraction",
    "wilson",
]
