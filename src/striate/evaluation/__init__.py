"""How good a trained network is: accuracy with its interval, confusion, ROC, and its training."""

from __future__ import annotations

from striate.evaluation.classification import Evaluation, Roc
from striate.evaluation.estimate import Estimate, weighted_fraction, wilson
from striate.evaluation.network import evaluate
from striate.evaluation.overtraining import TrainingVerdict, judge_training
from striate.evaluation.prediction import predict_probabilities, to_probabilities
from striate.evaluation.tagger import evaluate_tagger
from striate.evaluation.tagging import Tagger, Tagging

__all__ = [
    "Estimate",
    "Evaluation",
    "Roc",
    "Tagger",
    "Tagging",
    "TrainingVerdict",
    "evaluate",
    "evaluate_tagger",
    "judge_training",
    "predict_probabilities",
    "to_probabilities",
    "weighted_fraction",
    "wilson",
]
