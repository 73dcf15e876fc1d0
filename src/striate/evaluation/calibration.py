"""How far what a network says of its certainty is from how often it is right."""

from __future__ import annotations

import numpy as np

from striate.errors import StriateError
from striate.evaluation.classification import Evaluation


def calibration_error(evaluation: Evaluation, bins: int = 15) -> float:
    """Return the expected calibration error of the predicted classes.

    Images are put into bins of equal width by the probability of the class that is predicted; it
    is the mean over images of the distance, in their bin, between the mean probability and the
    fraction that is right. 0 is a network that is right in nine cases of ten when it says 90 %.
    Images without an answer are left out; event weights are honoured.

    Source: C. Guo et al., On calibration of modern neural networks, arXiv:1706.04599.

    Raises
    ------
    StriateError
        If no image has an answer.
    """
    answered = evaluation.predictions >= 0
    if not answered.any():
        raise StriateError("no test image has an answer: there is no calibration to measure")
    confidence = evaluation.probabilities[answered].max(axis=1)
    right = evaluation.correct[answered]
    weights = np.ones(len(right)) if evaluation.weights is None else evaluation.weights[answered]
    # The upper end of a bin belongs to it, so that certainty is in the last one.
    where = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    off = np.bincount(where, weights * (right - confidence), minlength=bins)
    return float(np.abs(off).sum() / weights.sum())
