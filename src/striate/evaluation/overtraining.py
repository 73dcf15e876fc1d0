"""Is a network underfit, good or overtrained (the two extreme cases of training, row N3)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from striate.evaluation.estimate import Estimate

SIGNIFICANCE = 3.0
"""Standard errors that a gap between two accuracies must have to be more than chance: the usual
threshold for evidence."""

MATERIAL_GAP = 0.04
"""Gap between training and test accuracy that matters: four images in a hundred. Every network
does slightly better on the images that it was trained on, and with enough images any gap is
significant. The value tells apart the Fashion-MNIST networks that the Heidelberg lecture calls
overtrained (N4, a gap of 0.054 to 0.059 over seeds) and not overtrained (N5 and N6, up to
0.033)."""

LOSS_RISE = 0.10
"""Relative rise of the validation loss above its minimum that counts as one: epochs differ by a
few per cent among themselves."""

LEAST_SKILL = 0.25
"""Share of the way from guessing the commonest class (0) to always being right (1) that the
training accuracy must have gone; below it the network has hardly learned its own training images.
Low, because classes that overlap in nature (quark and gluon jets) cannot be told apart further."""

STILL_RISING = 0.02
"""Rise of the training accuracy at the end of the training that says that it stopped too early:
two images in a hundred, more than finished trainings gain there."""

TAIL = 0.10
"""Share of the epochs (at least one) that stands for the end of the training."""

Verdict = Literal["underfit", "good", "overtrained", "diverged"]


@dataclass(frozen=True)
class TrainingVerdict:
    """What the accuracies on training and test images say of a training.

    Attributes
    ----------
    verdict
        ``"underfit"``, ``"good"``, ``"overtrained"``; or ``"diverged"`` when the network answers
        with NaN or infinity.
    reasons
        Sentences with the numbers that decided, and the thresholds they were compared with.
    train_accuracy, test_accuracy
        Both of the trained network in inference mode (no dropout), with their intervals.
    gap, gap_error
        Training minus test accuracy, and its standard error: the errors of both (half the width
        of a 95 % interval, divided by 1.96) in quadrature.
    train_images
        How many training images the training accuracy was computed from.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    train_accuracy: Estimate
    test_accuracy: Estimate
    gap: float
    gap_error: float
    train_images: int

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it."""
        return {
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "train_accuracy": self.train_accuracy.as_dict(),
            "test_accuracy": self.test_accuracy.as_dict(),
            "gap": self.gap,
            "gap_error": self.gap_error,
            "train_images": self.train_images,
        }


def judge_training(
    train_accuracy: Estimate,
    test_accuracy: Estimate,
    *,
    guessing: float,
    train_images: int,
    history: Mapping[str, Sequence[float]] | None = None,
    unanswered: int = 0,
) -> TrainingVerdict:
    """Say whether a network is underfit, good or overtrained, and why (row N3).

    The first of these that holds is the verdict:

    1. diverged: the network gave NaN or infinity for at least one image;
    2. overtrained: the gap (training minus test accuracy) is at least `SIGNIFICANCE` standard
       errors, and either it is at least `MATERIAL_GAP`, or the validation loss, averaged over a
       tenth of the epochs (at least one), lies at the end at least `LOSS_RISE` above its minimum;
    3. underfit: the training accuracy has gone less than `LEAST_SKILL` of the way from guessing
       to 1, or during the last tenth of the epochs (at least one) it rose by at least
       `STILL_RISING`;
    4. good.

    Parameters
    ----------
    train_accuracy, test_accuracy
        Of the trained network in inference mode.
    guessing
        Share of the commonest class: the accuracy of always answering it.
    train_images
        How many images `train_accuracy` was computed from.
    history
        Values per epoch under Keras's keys (``loss``, ``accuracy``, ``val_loss``), if known.
    unanswered
        How many training and test images the network answered with NaN or infinity.
    """
    gap = float(train_accuracy) - float(test_accuracy)
    gap_error = math.hypot(train_accuracy.error, test_accuracy.error)
    reasons: list[str] = []
    verdict: Verdict
    if unanswered:
        verdict = "diverged"
        reasons.append(
            f"The network answers {unanswered} image(s) with NaN or infinity, which counts as "
            "wrong: its training diverged; lower the learning rate."
        )
    elif _overtrained(train_accuracy, test_accuracy, gap, gap_error, history or {}, reasons):
        verdict = "overtrained"
    elif _underfit(train_accuracy, guessing, history or {}, reasons):
        verdict = "underfit"
    else:
        verdict = "good"
    return TrainingVerdict(
        verdict, tuple(reasons), train_accuracy, test_accuracy, gap, gap_error, train_images
    )


def _overtrained(
    train_accuracy: Estimate,
    test_accuracy: Estimate,
    gap: float,
    gap_error: float,
    history: Mapping[str, Sequence[float]],
    reasons: list[str],
) -> bool:
    ratio = gap / gap_error
    significant = ratio >= SIGNIFICANCE
    material = gap >= MATERIAL_GAP
    reasons.append(
        f"Training accuracy {float(train_accuracy):.4f} minus test accuracy "
        f"{float(test_accuracy):.4f} is {gap:+.4f} +- {gap_error:.4f}, {ratio:.1f} standard "
        f"errors: {'' if significant else 'not '}significant (from {SIGNIFICANCE:g}) and "
        f"{'' if material else 'not '}material (from {MATERIAL_GAP:g})."
    )
    return (_validation_loss_rose(history, reasons) or material) and significant


def _validation_loss_rose(history: Mapping[str, Sequence[float]], reasons: list[str]) -> bool:
    losses = [float(value) for value in history.get("val_loss", ())]
    if len(losses) < 2 or not all(map(math.isfinite, losses)):
        reasons.append(
            "How the validation loss went is not known (it needs two epochs or more), "
            "so the gap alone decides on overtraining."
        )
        return False
    tail = _tail(len(losses))
    # Both ends are means over as many epochs: a single one can be low by chance.
    means = [math.fsum(losses[i : i + tail]) / tail for i in range(len(losses) - tail + 1)]
    lowest, end = min(means), means[-1]
    last = means.index(lowest) + tail
    rise = end / lowest - 1 if lowest > 0 else 0.0
    rose = rise >= LOSS_RISE
    reasons.append(
        f"The validation loss{_averaged(tail)} was lowest, {lowest:.4f}, after epoch {last} of "
        f"{len(losses)} and is {end:.4f} at the end, {rise:+.0%}: it "
        f"{'rose' if rose else 'did not rise'} (from {LOSS_RISE:+.0%})."
    )
    return rose


def _underfit(
    train_accuracy: Estimate,
    guessing: float,
    history: Mapping[str, Sequence[float]],
    reasons: list[str],
) -> bool:
    skill = (float(train_accuracy) - guessing) / (1 - guessing) if guessing < 1 else 1.0
    unskilled = skill < LEAST_SKILL
    reasons.append(
        f"The training accuracy has gone {skill:.0%} of the way from guessing the commonest class "
        f"({guessing:.4f}) to 1: {'too little' if unskilled else 'enough'} "
        f"(from {LEAST_SKILL:.0%})."
    )
    accuracies = [float(value) for value in history.get("accuracy", ())]
    tail = _tail(len(accuracies))
    if len(accuracies) <= tail or not all(map(math.isfinite, accuracies)):
        return unskilled
    rise = accuracies[-1] - accuracies[-1 - tail]
    rising = rise >= STILL_RISING
    reasons.append(
        f"During training the accuracy changed by {rise:+.4f} in the last "
        f"{'epoch' if tail == 1 else f'{tail} epochs'}: it "
        f"{'was still rising, train for longer' if rising else 'had levelled off'} "
        f"(from {STILL_RISING:+g})."
    )
    return unskilled or rising


def _tail(epochs: int) -> int:
    return max(1, int(epochs * TAIL))


def _averaged(tail: int) -> str:
    return "" if tail == 1 else f" (mean of {tail} epochs)"
