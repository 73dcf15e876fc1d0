"""Parameters and receptive fields of stacks of layers: lectures' numbers, Keras, a probe."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.convolution import (
    Convolution,
    Pooling,
    correlate,
    count_parameters,
    extent,
    padding_for,
    receptive_field,
)
from striate.errors import StriateError


def test_c8_dense_networks_against_convolution():
    assert count_parameters(784, 30, 10) == 23_860
    assert count_parameters(10**6, 10**4, 1) == 10**10 + 10**4 + 10**4 + 1
    assert count_parameters((128, 128), 1, bias=False) == 16_384
    assert count_parameters((128, 128, 3), 1, bias=False) == 49_152
    # A convolution has as many for an image of any size.
    assert count_parameters((28, 28, 1), Convolution(3, 32)) == 320
    assert count_parameters((128, 128, 1), Convolution(3, 32)) == 320


@pytest.mark.parametrize("bias", [True, False])
def test_c8_counts_are_those_of_keras(bias):
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((20, 17, 3)),
            layers.Conv2D(4, (3, 2), strides=(2, 1), padding="same", use_bias=bias),
            layers.AveragePooling2D((2, 3)),
            layers.Conv2D(5, 2, dilation_rate=2, use_bias=bias),
            layers.MaxPooling2D(2, strides=1, padding="same"),
            layers.Flatten(),
            layers.Dense(6, use_bias=bias),
            layers.Dense(2, use_bias=bias),
        ]
    )
    ours = (
        Convolution((3, 2), 4, stride=(2, 1), padding="same"),
        Pooling((2, 3)),
        Convolution(2, 5, dilation=2),
        Pooling(2, stride=1, padding="same"),
        6,
        2,
    )
    assert count_parameters((20, 17, 3), *ours, bias=bias) == model.count_params()


def test_c9_layer_by_layer():
    """The network of the Heidelberg lecture, and a second convolution."""
    fields = receptive_field((28, 28), Convolution(3, 32), Pooling(2), Convolution(3, 64), 10)
    assert [field.size for field in fields] == [(3, 3), (4, 4), (8, 8), (28, 28)]
    assert [field.jump for field in fields] == [(1, 1), (2, 2), (2, 2), (0, 0)]
    assert [field.count for field in fields] == [(26, 26), (13, 13), (11, 11), (1, 1)]
    assert fields[2].pixels((0, 10)) == (range(8), range(20, 28))


windows = st.builds(
    Convolution,
    kernel=st.integers(1, 3),
    stride=st.integers(1, 2),
    padding=st.sampled_from(["valid", "same"]) | st.tuples(st.integers(0, 2), st.integers(0, 2)),
    dilation=st.integers(1, 2),
)


@given(side=st.integers(12, 20), layers=st.lists(windows, min_size=1, max_size=3), data=st.data())
def test_c9_a_neuron_answers_to_the_pixels_of_its_field_alone(side, layers, data):
    """Found by a probe: which pixels change the neuron's value when they alone are lit."""
    try:
        field = receptive_field(side, *layers)[-1]
    except StriateError:
        return
    neuron = data.draw(st.integers(0, field.count[0] - 1))
    lit = []
    for pixel in range(side):
        values = np.eye(side, dtype=int)[pixel]
        for layer in layers:
            pads = padding_for(
                values.shape, layer.kernel, layer.stride, layer.padding, layer.dilation
            )
            values = correlate(
                values, np.ones(layer.kernel, int), pads, layer.stride, layer.dilation
            )
        assert values.shape == field.count
        if values[neuron]:
            lit.append(pixel)
    (seen,) = field.pixels(neuron)
    assert set(lit) <= set(seen)
    if all(layer.dilation == 1 and layer.stride <= layer.kernel for layer in layers):
        assert lit == list(seen)  # no gaps
    beyond = field.start[0] + neuron * field.jump[0]
    assert seen == range(max(beyond, 0), max(min(beyond + field.size[0], side), max(beyond, 0)))


@given(
    k=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    d=st.integers(1, 3),
)
def test_c9_fields_of_stride_1_add_up(k, d):
    layers = [Convolution(n, dilation=d) for n in k]
    size = 1 + sum(extent(n, d) - 1 for n in k)
    assert receptive_field(60, *layers)[-1].size == (size,)


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ((Convolution(9), Convolution(9)), "no output remains: axis 0 has 4 pixels"),
        ((10, Convolution(3)), "layer 2 needs rows, columns and channels, but its input is flat"),
        ((Convolution(3), 0), "layer 2: neurons must be 1 or more"),
        ((Pooling((2, 2, 2)),), r"window \(2, 2, 2\) has 3 numbers for 2 axes"),
        (("dense",), "layer 1: neurons must be a whole number, not 'dense'"),
    ],
)
def test_mistakes_are_refused(layers, words):
    with pytest.raises(StriateError, match=words):
        receptive_field((12, 12), *layers)
    with pytest.raises(StriateError, match=words):
        count_parameters((12, 12, 1), *layers)


def test_a_neuron_that_is_not_there():
    with pytest.raises(StriateError, match=r"there is no neuron \(4, 0\): the layer has \(4, 4\)"):
        receptive_field((6, 6), Convolution(3))[0].pixels((4, 0))
    with pytest.raises(StriateError, match="filters must be 1 or more"):
        count_parameters((6, 6, 1), Convolution(3, 0))
