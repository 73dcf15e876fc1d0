"""Layers by our ops against the same layers by Keras: values and gradients, at odd sizes."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from keras import layers

import striate as st
from striate.engine.lowering import Lowering
from striate.kernels import native


def kind_of_op(name):
    """Return what runs a layer: the kernels convolve without groups."""
    others = ("groups", "depthwise")
    return "native" if native.available() and name not in others else "reference"


def compared(model, seed=0):
    """Return the largest relative differences of value and gradients, and the report."""
    keras.utils.set_random_seed(seed)
    x = np.random.default_rng(seed).normal(size=(3, *model.input_shape[1:])).astype(np.float32)
    trainable = [v.value for v in model.trainable_variables]
    other = [v.value for v in model.non_trainable_variables]

    def value(weights, images):
        outputs, _ = model.stateless_call(weights, other, images)
        return (jnp.sin(outputs) * jnp.arange(1, 1 + outputs.shape[-1])).sum(), outputs

    def run():
        # A function of its own each time: jit must not find the other's trace.
        def outputs_and_gradients(weights, images):
            gradients, outputs = jax.grad(value, argnums=(0, 1), has_aux=True)(weights, images)
            return outputs, gradients

        return jax.jit(outputs_and_gradients)(trainable, x)

    expected = run()
    lowering = Lowering(model)
    with lowering.applied():
        found = run()
    differences = [
        float(abs(f - e).max() / max(abs(e).max(), 1e-3))
        for f, e in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True)
    ]
    return max(differences), lowering.ops


CONVOLUTIONS = {
    "3x3": lambda: layers.Conv2D(5, 3),
    "one filter": lambda: layers.Conv2D(1, 3, activation="relu"),
    "same": lambda: layers.Conv2D(5, (3, 2), padding="same", activation="relu"),
    "strided": lambda: layers.Conv2D(5, (2, 3), strides=(2, 3)),
    "strided same": lambda: layers.Conv2D(5, 3, strides=2, padding="same"),
    "dilated": lambda: layers.Conv2D(5, 2, dilation_rate=(2, 3)),
    "dilated same": lambda: layers.Conv2D(5, 3, dilation_rate=2, padding="same"),
    "groups": lambda: layers.Conv2D(6, 3, groups=3),
    "1x1": lambda: layers.Conv2D(4, 1, activation="tanh", use_bias=False),
    "whole image": lambda: layers.Conv2D(3, (9, 7)),
    "depthwise": lambda: layers.DepthwiseConv2D(3, depth_multiplier=2, activation="relu"),
    "depthwise strided": lambda: layers.DepthwiseConv2D(3, strides=2, padding="same"),
    "max pooling": lambda: layers.MaxPooling2D(2),
    "max pooling odd": lambda: layers.MaxPooling2D((2, 3)),
    "max pooling overlapping": lambda: layers.MaxPooling2D(3, strides=2),
    "max pooling same": lambda: layers.MaxPooling2D(3, strides=2, padding="same"),
    "max pooling gaps": lambda: layers.MaxPooling2D(2, strides=3),
    "average pooling": lambda: layers.AveragePooling2D(2),
    "average pooling overlapping": lambda: layers.AveragePooling2D((3, 2), strides=(1, 2)),
    "average pooling same": lambda: layers.AveragePooling2D(3, strides=2, padding="same"),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_layer(name):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([layers.Input((9, 7, 3)), CONVOLUTIONS[name]()])
    difference, ops = compared(model)
    assert difference < 3e-6
    assert [op.split()[0] for op in ops.values()] == [kind_of_op(name.split()[0])]


SEQUENCES = {
    "conv": lambda: layers.Conv1D(5, 3, activation="relu"),
    "causal": lambda: layers.Conv1D(5, 3, dilation_rate=2, padding="causal"),
    "same strided": lambda: layers.Conv1D(5, 4, strides=3, padding="same"),
    "depthwise": lambda: layers.DepthwiseConv1D(3),
    "max": lambda: layers.MaxPooling1D(2),
    "average": lambda: layers.AveragePooling1D(3, strides=2, padding="same"),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_one_dimension(name):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([layers.Input((11, 3)), SEQUENCES[name]()])
    difference, ops = compared(model)
    assert difference < 3e-6
    assert [op.split()[0] for op in ops.values()] == [kind_of_op(name.split()[0])]


def test_channels_first():
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            layers.Input((3, 9, 7)),
            layers.Conv2D(4, 3, data_format="channels_first", activation="relu"),
            layers.MaxPooling2D(2, data_format="channels_first"),
        ]
    )
    difference, ops = compared(model)
    assert difference < 3e-6
    assert "max pooling" in ops[model.layers[0].name]


def fused(ops):
    return [name for name, op in ops.items() if "convolution" in op and "pooling" in op]


def test_pooling_is_fused_into_the_convolution_before_it():
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            layers.Input((9, 7, 3)),
            layers.Conv2D(4, 3, activation="relu", name="conv"),
            layers.MaxPooling2D(2, name="pool"),
        ]
    )
    difference, ops = compared(model)
    assert difference < 3e-6
    assert fused(ops) == ["conv"]
    assert ops["pool"] == "in conv"


@pytest.mark.parametrize("relu", [lambda: layers.ReLU(), lambda: layers.Activation("relu")])
@pytest.mark.parametrize("pool", [layers.MaxPooling2D, layers.AveragePooling2D])
def test_a_relu_layer_in_between_is_fused(relu, pool):
    keras.utils.set_random_seed(1)
    stack = [layers.Input((8, 7, 2)), layers.Conv2D(4, 3, name="conv"), relu(), pool(2)]
    difference, ops = compared(keras.Sequential(stack))
    assert difference < 3e-6
    assert fused(ops) == ["conv"]
    assert "relu" in ops["conv"]


@pytest.mark.parametrize(
    "between", [layers.ReLU(max_value=1.0), layers.LeakyReLU(), layers.BatchNormalization()]
)
def test_what_is_not_a_plain_relu_stays_between(between):
    keras.utils.set_random_seed(1)
    stack = [layers.Input((8, 7, 2)), layers.Conv2D(4, 3), between, layers.MaxPooling2D(2)]
    difference, ops = compared(keras.Sequential(stack))
    assert difference < 1e-5
    assert fused(ops) == []


def test_an_activation_that_is_not_monotonic_is_applied_before_pooling():
    keras.utils.set_random_seed(1)
    stack = [
        layers.Input((8, 7, 2)),
        layers.Conv2D(4, 3, activation="gelu"),
        layers.MaxPooling2D(2),
    ]
    difference, ops = compared(keras.Sequential(stack))
    assert difference < 3e-6
    assert fused(ops) == []


def test_a_convolution_that_two_layers_read():
    """One reader pools and fuses, the other takes the map itself."""
    keras.utils.set_random_seed(1)
    inputs = layers.Input((9, 8, 2))
    conv = layers.Conv2D(4, 3, activation="relu", name="conv")(inputs)
    pooled = layers.Flatten()(layers.MaxPooling2D(2)(conv))
    mean = layers.GlobalAveragePooling2D()(conv)
    model = keras.Model(inputs, layers.Concatenate()([pooled, mean]))
    difference, ops = compared(model)
    assert difference < 3e-6
    assert fused(ops) == ["conv"]


def test_shared_and_nested_layers():
    """One convolution applied twice, inside a model inside a model."""
    keras.utils.set_random_seed(1)
    shared = keras.Sequential(
        [layers.Input((8, 8, 2)), layers.Conv2D(3, 3, activation="relu"), layers.MaxPooling2D(2)]
    )
    inputs = layers.Input((8, 8, 2))
    model = keras.Model(inputs, layers.Add()([shared(inputs), shared(inputs * 2.0)]))
    assert compared(model)[0] < 3e-6


def test_time_distributed_convolution():
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [layers.Input((4, 8, 7, 2)), layers.TimeDistributed(layers.Conv2D(3, 3))]
    )
    assert compared(model)[0] < 3e-6


def test_ties_give_the_gradient_to_the_first():
    model = keras.Sequential([layers.Input((4, 4, 1)), layers.MaxPooling2D(2)])
    x = jnp.ones((1, 4, 4, 1))
    with Lowering(model).applied():
        gradient = jax.grad(lambda i: model.stateless_call([], [], i)[0].sum())(x)
    expected = np.zeros((4, 4))
    expected[::2, ::2] = 1
    np.testing.assert_array_equal(gradient[0, :, :, 0], expected)


def test_layers_without_an_op_of_ours_say_so():
    class Mine(layers.Conv2D):
        """A user's own convolution."""

        def call(self, inputs):
            return 2 * super().call(inputs)

    model = st.Sequential(
        [
            layers.Input((8, 8, 2)),
            Mine(3, 3, name="mine"),
            layers.Conv2DTranspose(3, 3, name="transposed"),
            layers.Conv2D(3, 3, dtype="bfloat16", name="half"),
            layers.Flatten(name="flat"),
            layers.Dense(2, name="dense"),
            layers.Dense(2, dtype="bfloat16", name="half dense"),
        ]
    )
    report = model.engine_report()
    assert report["mine"] == "Keras: Mine changes Conv2D"
    assert report["transposed"] == "Keras: no op of ours for a transposed convolution"
    assert report["half"] == "Keras: computes in bfloat16, our ops in float32"
    assert report["flat"].startswith("XLA")
    assert report["half dense"].startswith("XLA")
    assert "matrix product" in report["dense"]
    assert str(report).count("\n") == 5


def test_a_dense_layer_with_low_rank_adaptation_stays_with_keras():
    dense = layers.Dense(3, name="dense")
    model = st.Sequential([layers.Input((4,)), dense])
    dense.enable_lora(1)
    assert model.engine_report()["dense"].startswith("XLA")


@pytest.mark.parametrize("use_bias", [True, False])
def test_a_dense_layer_multiplies_the_last_axis(use_bias):
    dense = layers.Dense(3, activation="tanh", use_bias=use_bias, bias_initializer="ones")
    given = [layers.Input((2, 5, 4)), dense]
    x = np.random.default_rng(0).normal(size=(7, 2, 5, 4)).astype(np.float32)
    found = st.Sequential(given).predict(x, verbose=0)
    np.testing.assert_allclose(found, dense(x), rtol=1e-5, atol=1e-6)


def test_the_model_is_left_as_it_was():
    model = st.Sequential([layers.Input((8, 8, 1)), layers.Conv2D(2, 3), layers.MaxPooling2D(2)])
    model.engine_report()
    assert all("call" not in vars(layer) for layer in model.layers)


def test_a_failing_trace_leaves_the_model_as_it_was():
    model = keras.Sequential([layers.Input((8, 8, 1)), layers.Conv2D(2, 3)])
    with pytest.raises(RuntimeError, match="on purpose"), Lowering(model).applied():
        raise RuntimeError("on purpose")
    assert "call" not in vars(model.layers[0])


def test_report_needs_an_input_shape():
    model = st.Sequential([layers.Dense(2)])
    with pytest.raises(st.StriateError, match="Input layer"):
        model.engine_report()
