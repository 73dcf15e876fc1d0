import numpy as np
import pytest
import scipy.special

from striate.evaluation import to_probabilities

RANDOM = np.random.default_rng(1)


def test_probabilities_are_kept():
    outputs = scipy.special.softmax(RANDOM.normal(size=(50, 4)), axis=1).astype(np.float32)
    probabilities, notes = to_probabilities(outputs)
    np.testing.assert_allclose(probabilities, outputs, atol=1e-6)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-15)
    assert probabilities.dtype == np.float64
    assert notes == ()


def test_logits_get_softmax():
    outputs = RANDOM.normal(size=(50, 4)) * 30
    probabilities, notes = to_probabilities(outputs)
    np.testing.assert_allclose(probabilities, scipy.special.softmax(outputs, axis=1))
    assert notes == ("The outputs are logits: softmax was applied.",)


def test_logits_that_look_like_probabilities_are_logits_when_the_loss_says_so():
    outputs = np.array([[0.2, 0.8], [0.4, 0.6]])
    assert to_probabilities(outputs)[0] == pytest.approx(outputs)
    softmax = scipy.special.softmax(outputs, axis=1)
    assert to_probabilities(outputs, from_logits=True)[0] == pytest.approx(softmax)


def test_one_output_is_the_probability_of_the_second_class():
    probabilities, notes = to_probabilities(np.array([[0.25], [1.0]]))
    assert probabilities.tolist() == [[0.75, 0.25], [0.0, 1.0]]
    assert notes == ()


def test_one_logit_is_the_second_class_of_the_logistic_function():
    outputs = np.array([[-2.0], [0.0], [800.0]])
    probabilities, notes = to_probabilities(outputs)
    assert probabilities[:, 1] == pytest.approx(scipy.special.expit(outputs[:, 0]))
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert "logistic" in notes[0]


def test_independent_outputs_are_divided_by_their_sum():
    probabilities, notes = to_probabilities(np.array([[0.9, 0.6], [0.1, 0.1]]))
    np.testing.assert_allclose(probabilities, [[0.6, 0.4], [0.5, 0.5]])
    assert "divided by their sum" in notes[0]


def test_outputs_all_zero_are_no_answer():
    probabilities, _ = to_probabilities(np.array([[0.9, 0.1], [0.0, 0.0]]))
    assert np.isnan(probabilities[1]).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_rows_that_are_not_finite_become_nan_and_leave_the_others_alone(bad):
    probabilities, _ = to_probabilities(np.array([[0.9, 0.1], [bad, 0.1], [0.3, 0.7]]))
    assert np.isnan(probabilities[1]).all()
    np.testing.assert_allclose(probabilities[[0, 2]], [[0.9, 0.1], [0.3, 0.7]])


def test_half_precision_probabilities_are_no_logits():
    outputs = scipy.special.softmax(RANDOM.normal(size=(500, 10)), axis=1).astype(np.float16)
    probabilities, notes = to_probabilities(outputs)
    np.testing.assert_allclose(probabilities, outputs, atol=2e-3)
    assert notes == ()
