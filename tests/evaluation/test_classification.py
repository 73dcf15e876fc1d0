import json
import math

import numpy as np
import pytest
import sklearn.metrics as theirs

from striate.evaluation import Evaluation, wilson

NAMES = ("cat", "dog", "emu")
# Six images worked out by hand: cats right, right, taken for a dog; dogs right, taken for an emu;
# an emu right.
LABELS = np.array([0, 0, 0, 1, 1, 2])
PROBABILITIES = np.array(
    [
        [0.8, 0.1, 0.1],
        [0.5, 0.25, 0.25],
        [0.2, 0.6, 0.2],
        [0.1, 0.7, 0.2],
        [0.05, 0.05, 0.9],
        [0.25, 0.25, 0.5],
    ]
)


def by_hand(**more):
    return Evaluation("hand", NAMES, LABELS, PROBABILITIES, **more)


def random_evaluation(weights=None, n=400, k=4, seed=3):
    random = np.random.default_rng(seed)
    labels = random.integers(0, k, n)
    scores = random.random((n, k)) + 0.7 * np.eye(k)[labels]
    probabilities = scores / scores.sum(axis=1, keepdims=True)
    if weights == "positive":
        weights = random.exponential(size=n)
    elif weights == "signed":
        weights = np.where(random.random(n) < 0.1, -1.0, 1.0)
    return Evaluation("random", tuple("abcd"[:k]), labels, probabilities, weights)


def test_figures_by_hand():
    result = by_hand()
    assert result.predictions.tolist() == [0, 0, 1, 1, 2, 2]
    assert result.accuracy == 4 / 6
    assert (result.accuracy.low, result.accuracy.high) == (
        wilson(4 / 6, 6).low,
        wilson(4 / 6, 6).high,
    )
    true = [0.8, 0.5, 0.2, 0.7, 0.05, 0.5]
    assert result.loss == pytest.approx(-sum(map(math.log, true)) / 6)
    assert result.confusion.tolist() == [[2, 1, 0], [0, 1, 1], [0, 0, 1]]
    assert result.confusion.dtype.kind == "i"
    assert result.confusion_by_row[0].tolist() == [2 / 3, 1 / 3, 0]
    assert result.precision.tolist() == [1, 0.5, 0.5]
    assert result.recall.tolist() == [2 / 3, 0.5, 1]
    assert result.f1 == pytest.approx([0.8, 0.5, 2 / 3])
    assert result.support.tolist() == [3, 2, 1]
    assert result.most_confused() == [("cat", "dog", 1, 1 / 3), ("dog", "emu", 1, 1 / 2)]
    assert result.most_confused(1) == [("cat", "dog", 1, 1 / 3)]
    assert result.surest_mistakes().tolist() == [4, 2]
    assert result.surest_mistakes(1).tolist() == [4]
    assert result.unanswered == 0


def test_auc_by_hand():
    # Of the 3 x 3 pairs of a cat and another, the cat scores higher but for the third cat (0.2)
    # against the emu (0.25): 8 of 9.
    assert by_hand().roc["cat"].auc == pytest.approx(8 / 9)


def test_weights_by_hand():
    weights = np.array([1, 1, 2, 1, 1, 4], np.float32)
    result = by_hand(weights=weights)
    assert result.accuracy == pytest.approx(7 / 10)
    assert result.confusion.tolist() == [[2, 2, 0], [0, 1, 1], [0, 0, 4]]
    assert result.support.tolist() == [4, 2, 4]
    assert result.precision == pytest.approx([1, 1 / 3, 4 / 5])
    assert result.most_confused(1) == [("cat", "dog", 2.0, 0.5)]


@pytest.mark.parametrize("weights", [None, "positive"])
def test_agrees_with_scikit_learn(weights):
    result = random_evaluation(weights)
    w = result.weights
    y, p = result.labels, result.probabilities
    assert result.accuracy == pytest.approx(
        theirs.accuracy_score(y, result.predictions, sample_weight=w)
    )
    assert result.loss == pytest.approx(theirs.log_loss(y, p, sample_weight=w))
    np.testing.assert_allclose(
        result.confusion, theirs.confusion_matrix(y, result.predictions, sample_weight=w)
    )
    np.testing.assert_allclose(
        result.confusion_by_row,
        theirs.confusion_matrix(y, result.predictions, sample_weight=w, normalize="true"),
    )
    for ours, function in [
        (result.precision, theirs.precision_score),
        (result.recall, theirs.recall_score),
        (result.f1, theirs.f1_score),
    ]:
        np.testing.assert_allclose(
            ours, function(y, result.predictions, average=None, sample_weight=w)
        )
    for number, name in enumerate(result.class_names):
        assert result.roc[name].auc == pytest.approx(
            theirs.roc_auc_score(y == number, p[:, number], sample_weight=w)
        )


def test_predictions_that_are_sure_and_wrong_leave_the_loss_finite():
    result = Evaluation("sure", ("a", "b"), np.array([0]), np.array([[0.0, 1.0]]))
    assert result.loss == pytest.approx(-math.log(1e-7))


def test_images_without_an_answer_count_as_wrong_and_are_nobodys_prediction():
    probabilities = PROBABILITIES.copy()
    probabilities[0] = np.nan
    result = Evaluation("broken", NAMES, LABELS, probabilities)
    assert result.predictions[0] == -1
    assert result.unanswered == 1
    assert result.accuracy == 3 / 6
    assert math.isnan(result.loss)
    assert result.confusion.tolist() == [[1, 1, 0], [0, 1, 1], [0, 0, 1]]
    assert result.recall[0] == pytest.approx(1 / 3)
    assert result.surest_mistakes().tolist() == [4, 2]
    assert result.roc["cat"].auc == pytest.approx(5 / 6)
    summary = result.as_dict()
    assert summary["loss"] is None
    assert summary["unanswered"] == 1


def test_network_that_answers_nothing():
    result = Evaluation("nan", NAMES, LABELS, np.full((6, 3), np.nan))
    assert result.accuracy == 0
    assert result.confusion.sum() == 0
    assert np.isnan(result.precision).all()
    assert result.roc["dog"].thresholds.size == 0
    assert math.isnan(result.roc["dog"].auc)
    json.dumps(result.as_dict(), allow_nan=False)


def test_class_without_test_images():
    result = Evaluation("absent", NAMES, LABELS[:5], PROBABILITIES[:5])
    assert np.isnan(result.confusion_by_row[2]).all()
    assert np.isnan(result.recall[2])
    assert result.precision[2] == 0
    assert math.isnan(result.roc["emu"].auc)
    assert result.as_dict()["classes"][2]["recall"] is None


def test_class_that_is_never_predicted_has_no_precision():
    result = Evaluation("never", NAMES, LABELS[:4], PROBABILITIES[:4])
    assert np.isnan(result.precision[2])
    assert result.as_dict()["classes"][2] == {
        "name": "emu",
        "support": 0,
        "precision": None,
        "recall": None,
        "f1": None,
        "auc": None,
    }


def test_negative_weights():
    result = random_evaluation("signed", n=2000)
    right = result.predictions == result.labels
    assert result.accuracy == pytest.approx(result.weights[right].sum() / result.weights.sum())
    plain = random_evaluation(None, n=2000)
    assert result.accuracy.error > plain.accuracy.error
    for name in result.class_names:
        # Independent signs leave the expected curve as it is.
        assert result.roc[name].auc == pytest.approx(plain.roc[name].auc, abs=0.02)


def test_summary_is_json_and_has_no_value_per_image():
    summary = random_evaluation("positive", n=1000).as_dict()
    text = json.dumps(summary, allow_nan=False)
    assert len(text) < 4000
    assert summary["images"] == 1000
    assert summary["weighted"] is True
    assert summary["accuracy"]["low"] < summary["accuracy"]["value"]
    assert [c["name"] for c in summary["classes"]] == list("abcd")
