import json
import math
import re

import pytest

from striate.evaluation import judge_training, wilson


def judge(train, test, n_train=60_000, n_test=10_000, **more):
    return judge_training(
        wilson(train, n_train),
        wilson(test, n_test),
        **({"guessing": 0.1, "train_images": n_train} | more),
    )


def test_gap_and_its_error_by_hand():
    verdict = judge(0.94, 0.88)
    assert verdict.gap == pytest.approx(0.06)
    # Large counts: Wilson's interval is the Gaussian one to a few parts in ten thousand.
    expected = math.sqrt(0.94 * 0.06 / 60_000 + 0.88 * 0.12 / 10_000)
    assert verdict.gap_error == pytest.approx(expected, rel=1e-3)
    assert verdict.verdict == "overtrained"


@pytest.mark.parametrize(
    ("train", "test", "n_test", "verdict"),
    [
        (0.990, 0.955, 10_000, "good"),  # significant, but not material
        (0.990, 0.945, 10_000, "overtrained"),  # significant and material
        (1.000, 0.955, 200, "good"),  # material, but 200 images cannot show it
        (1.000, 0.700, 100, "overtrained"),
        (0.320, 0.320, 10_000, "underfit"),  # a quarter of the way from 0.1 to 1 is 0.325
        (0.330, 0.330, 10_000, "good"),
        (0.320, 0.200, 10_000, "overtrained"),  # learns by heart what it does learn
        (0.880, 0.900, 10_000, "good"),  # test better than training
    ],
)
def test_verdict_of_the_accuracies_alone(train, test, n_test, verdict):
    assert judge(train, test, n_test=n_test).verdict == verdict


def test_guessing_the_commonest_class_is_no_skill():
    assert judge(0.90, 0.90, guessing=0.9).verdict == "underfit"
    assert judge(0.93, 0.93, guessing=0.9).verdict == "good"


@pytest.mark.parametrize(
    ("val_loss", "verdict"),
    [
        ([0.30, 0.20, 0.21], "good"),  # 5 % above the minimum: epochs differ by that much
        ([0.30, 0.20, 0.23], "overtrained"),
        ([0.30, 0.25, 0.20], "good"),
        ([0.2], "good"),  # one epoch has no course
        ([], "good"),
        ([0.3, math.nan, math.nan], "good"),
    ],
)
def test_validation_loss_decides_where_the_gap_is_not_material(val_loss, verdict):
    history = {"val_loss": val_loss}
    assert judge(0.995, 0.985, history=history).verdict == verdict


def test_rising_validation_loss_without_a_significant_gap_is_no_overtraining():
    assert judge(0.985, 0.985, history={"val_loss": [0.1, 0.3]}).verdict == "good"


def test_losses_are_averaged_over_a_tenth_of_the_epochs():
    # 20 epochs: one low epoch by chance, but no two in a row were lower than the last two.
    val_loss = [0.3] * 10 + [0.2] + [0.25] * 9
    assert judge(0.995, 0.985, history={"val_loss": val_loss}).verdict == "overtrained"
    val_loss[11:] = [0.24] * 9
    assert judge(0.995, 0.985, history={"val_loss": val_loss}).verdict == "good"
    noisy = [0.30, 0.22] * 10
    assert judge(0.995, 0.985, history={"val_loss": noisy}).verdict == "good"


def test_training_that_stopped_too_early_is_underfit():
    rising = {"accuracy": [0.3, 0.5, 0.6]}
    assert judge(0.65, 0.65, history=rising).verdict == "underfit"
    level = {"accuracy": [0.3, 0.63, 0.64]}
    assert judge(0.65, 0.65, history=level).verdict == "good"
    # 20 epochs of a little each: 0.015 in the last two is below the threshold, 0.03 is not.
    assert judge(0.65, 0.65, history={"accuracy": [0.0075 * e for e in range(20)]}).verdict == (
        "good"
    )
    assert judge(0.65, 0.65, history={"accuracy": [0.015 * e for e in range(20)]}).verdict == (
        "underfit"
    )


def test_diverged_comes_first():
    verdict = judge(0.1, 0.1, unanswered=7)
    assert verdict.verdict == "diverged"
    assert "7 image(s) with NaN" in verdict.reasons[0]


def test_reasons_give_the_numbers_to_check_by_hand():
    history = {"val_loss": [0.5, 0.4, 0.3, 0.5], "accuracy": [0.8, 0.9, 0.93, 0.94]}
    verdict = judge(0.94, 0.88, history=history)
    text = " ".join(verdict.reasons)
    gap, error, ratio = map(
        float,
        re.search(r"is ([+-][\d.]+) \+- ([\d.]+), ([\d.]+) standard errors", text).groups(),
    )
    assert gap == pytest.approx(0.06)
    assert ratio == pytest.approx(gap / error, rel=0.02)
    assert "significant (from 3) and material (from 0.04)" in text
    assert "lowest, 0.3000, after epoch 3 of 4 and is 0.5000 at the end, +67%: it rose" in text


def test_reasons_of_a_good_training_cover_both_extremes():
    history = {"val_loss": [0.5, 0.4], "accuracy": [0.88, 0.885]}
    gap, loss, skill, rise = judge(0.89, 0.88, history=history).reasons
    assert "not material" in gap
    assert "did not rise" in loss
    assert "gone 88% of the way from guessing" in skill
    assert "had levelled off" in rise


def test_what_is_not_known_is_said():
    assert any("not known" in reason for reason in judge(0.9, 0.9).reasons)


def test_as_dict_is_json():
    verdict = judge(0.9, 0.8)
    loaded = json.loads(json.dumps(verdict.as_dict(), allow_nan=False))
    assert loaded["verdict"] == "overtrained"
    assert loaded["train_accuracy"]["value"] == 0.9
    assert loaded["train_images"] == 60_000
