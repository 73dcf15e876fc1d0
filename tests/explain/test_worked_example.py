"""The numbers that are drawn are those of the lecture's slides (rows W1 to W3)."""

import numpy as np
import pytest

from striate.errors import StriateError
from striate.explain.dense import Dense, learned_dense
from striate.explain.worked_example import worked_example

W1 = {
    "O": [[1, -1, -2, -1], [-1, -2, -1, -2], [-2, -1, -2, -1], [-1, -2, -1, 1]],
    "X": [[-1, -2, -1, 1], [-2, -1, 1, -1], [-1, 1, -1, -2], [1, -1, -2, -1]],
}
W2_MAX = {"O": [[1, 0], [0, 1]], "X": [[0, 1], [1, 0]]}
W2_AVERAGE = {"O": [[0.25, 0], [0, 0.25]], "X": [[0, 0.5], [0.5, 0]]}


@pytest.mark.parametrize("letter", "OX")
def test_w1_and_w2_are_drawn_number_by_number(letter, tables, written):
    picture = worked_example(letter)
    image, kernel, _, feature_map, activated, largest, average, flat = tables(picture.scenes[-1])
    assert [len(image), len(image[0])] == [6, 6]
    assert kernel == written([[0, 0, 1], [0, 1, 0], [1, 0, 0]])
    assert feature_map == written(W1[letter])
    assert activated == written(np.maximum(W1[letter], 0))
    assert largest == written(W2_MAX[letter])
    assert average == written(W2_AVERAGE[letter], 2)
    assert flat == written([np.ravel(W2_MAX[letter])])


def test_w1_the_first_window_gives_3_plus_bias_1(tables, written):
    scene = worked_example("O").scenes[0]
    _, _, products, feature_map, *_ = tables(scene)
    assert products == written([[0, 0, 1], [0, 1, 0], [1, 0, 0]])
    assert feature_map[0] == ["1", "", "", ""]
    assert "0·0 + 0·0 + 1·1 + 0·0 + 1·1 + 0·0 + 1·1 + 0·0 + 0·0 = 3;   3 + (−2) = 1" in scene.texts


def test_each_output_appears_at_its_step(tables, written):
    picture = worked_example("X")
    for number in range(16):
        drawn = tables(picture.scenes[number])[3]
        flat = [text for row in drawn for text in row]
        assert flat[: number + 1] == [t for row in written(W1["X"]) for t in row][: number + 1]
        assert not any(flat[number + 1 :])
    assert len({len(scene.shapes) for scene in picture.scenes}) == 1


def test_w3_the_dense_layer_is_learned_and_right(tables):
    dense = learned_dense()
    assert dense.accuracy > 0.95
    for letter in "OX":
        scene = worked_example(letter, dense).scenes[-1]
        assert any(text.startswith(f"an {letter}: 9") for text in scene.texts)
        weights, bias, scores, chances = tables(scene)[-4:]
        assert weights == [[f"{w:.2f}".replace("-", "−") for w in row] for row in dense.weights.T]
        inputs = np.ravel(W2_MAX[letter]) @ dense.weights + dense.bias
        assert scores == [[f"{value:.2f}".replace("-", "−")] for value in inputs]
        assert len(bias) == len(chances) == 2


def test_the_dense_layer_gives_what_keras_gives():
    keras = pytest.importorskip("keras")
    rng = np.random.default_rng(2)
    dense = Dense(rng.normal(size=(4, 2)), rng.normal(size=2), 1.0, 1, 1, ("O", "X"))
    layer = keras.layers.Dense(2, activation="softmax")
    inputs = rng.random((3, 4)).astype("float32")
    layer.build(inputs.shape)
    layer.set_weights([dense.weights, dense.bias])
    expected = np.asarray(layer(inputs))
    got = [dense.probabilities(row) for row in inputs]
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_another_letter_is_refused():
    with pytest.raises(StriateError, match="letter 'Z' is unknown"):
        worked_example("Z")
