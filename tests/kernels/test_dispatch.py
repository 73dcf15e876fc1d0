"""Fused ops compute what their parts compute, and say what they are."""

from __future__ import annotations

from functools import partial

import jax
import numpy as np
import pytest

from striate.kernels import Geometry, Pooling, convolve, native, pool

SAME = ((1, 1), (1, 1))
MAX = Pooling("max", (2, 2), Geometry((2, 2)))
AVERAGE = Pooling("average", (2, 3), Geometry((1, 2)))
PADDED = Pooling("max", (3, 2), Geometry((2, 1), ((1, 1), (0, 1))))


@pytest.mark.parametrize(
    ("activation", "biased", "pooled"),
    [
        ("linear", False, None),
        ("relu", True, None),
        ("relu", True, MAX),
        ("linear", True, MAX),
        ("relu", False, PADDED),
        ("relu", True, AVERAGE),
        ("linear", False, AVERAGE),
    ],
    ids=lambda value: getattr(value, "kind", str(value)),
)
def test_a_fused_op_and_its_gradients(activation, biased, pooled, definition, whole_numbers):
    geometry = Geometry((1, 1), SAME)
    x, kernel = whole_numbers((3, 7, 8, 2)), whole_numbers((3, 3, 2, 4), 1)
    bias = whole_numbers((4,), 2) if biased else None

    def fused(x, kernel, bias):
        return convolve(
            x, kernel, bias, geometry=geometry, activation=activation, pooled=pooled
        ).value

    def value_and_gradients(*arguments):
        y, transpose = jax.vjp(fused, *arguments)
        gradient = (jax.numpy.arange(y.size).reshape(y.shape) % 5 - 2).astype(y.dtype)
        return y, gradient, transpose(gradient)

    y, gradient, (to_x, to_kernel, to_bias) = jax.jit(value_and_gradients)(x, kernel, bias)

    # The same in float64, part by part, in the order in which the layers stand.
    before = definition.conv2d(x, kernel, geometry) + (0 if bias is None else bias)
    active = np.maximum(before, 0) if activation == "relu" else before
    right, back = active, np.asarray(gradient, np.float64)
    if pooled is not None and pooled.kind == "max":
        right, _ = definition.max_pool2d(active, pooled.window, pooled.geometry)
        back = definition.max_pool2d_gradient(active, back, pooled.window, pooled.geometry)
    elif pooled is not None:
        right = definition.average_pool2d(active, pooled.window, pooled.geometry)
        back = definition.average_pool2d_gradient(
            back, active.shape[1:3], pooled.window, pooled.geometry
        )
    if activation == "relu":
        back = back * (before > 0)

    close = partial(np.testing.assert_allclose, rtol=1e-6, atol=1e-4)
    close(y, right)
    close(to_x, definition.conv2d_input(back, kernel, geometry, (7, 8)))
    close(to_kernel, definition.conv2d_kernel(x, back, geometry, (3, 3)))
    if biased:
        close(to_bias, back.sum(axis=(0, 1, 2)))
    else:
        assert to_bias is None


@pytest.mark.parametrize("pooled", [MAX, AVERAGE, PADDED], ids=["max", "average", "pad"])
def test_pooling_alone(pooled, definition, whole_numbers):
    x = whole_numbers((3, 7, 8, 2))
    lowered = pool(x, pooled)
    if pooled.kind == "max":
        right, _ = definition.max_pool2d(x, pooled.window, pooled.geometry)
        np.testing.assert_array_equal(lowered.value, right)
    else:
        right = definition.average_pool2d(x, pooled.window, pooled.geometry)
        np.testing.assert_allclose(lowered.value, right, rtol=1e-6)
    where = f"native {native.instruction_set()}" if native.available() else "reference (windows)"
    rows, columns = pooled.window
    assert lowered.op == f"{where}: {pooled.kind} pooling {rows}x{columns}"


@pytest.mark.skipif(not native.available(), reason=str(native.why_not()))
def test_positions_beyond_a_byte_are_left_to_the_reference(definition, whole_numbers):
    x, tiles = whole_numbers((2, 17, 16, 2), most=200), Geometry((17, 16))
    lowered = pool(x, Pooling("max", (17, 16), tiles))
    np.testing.assert_array_equal(lowered.value, definition.max_pool2d(x, (17, 16), tiles)[0])
    assert lowered.op == "reference (a window of more than 256 pixels): max pooling 17x16"
    assert pool(x, Pooling("average", (17, 16), tiles)).op.startswith("native")
    assert pool(x, Pooling("max", (16, 16), tiles)).op.startswith("native")


@pytest.mark.parametrize(
    ("filters", "groups", "options", "op"),
    [
        (4, 1, {}, "reference (patches): convolution + bias"),
        (4, 1, {"bias": None}, "reference (patches): convolution"),
        (4, 1, {"activation": "relu"}, "reference (patches): convolution + bias + relu"),
        (
            4,
            1,
            {"activation": "relu", "pooled": MAX},
            "reference (patches): convolution + bias + max pooling 2x2 + relu",
        ),
        (
            4,
            1,
            {"activation": "relu", "pooled": AVERAGE},
            "reference (patches): convolution + bias + relu + average pooling 2x3",
        ),
        (4, 2, {}, "reference (shifts): convolution + bias"),
    ],
)
def test_an_op_of_the_reference_says_what_it_is(
    filters, groups, options, op, whole_numbers, monkeypatch
):
    monkeypatch.setattr(native, "supports", lambda dtype, geometry: False)
    _assert_op(filters, groups, options, op, whole_numbers)


@pytest.mark.skipif(not native.available(), reason=str(native.why_not()))
@pytest.mark.parametrize(
    ("groups", "options", "op"),
    [
        (1, {}, "native {}: convolution + bias"),
        (
            1,
            {"bias": None, "activation": "relu", "pooled": MAX},
            "native {}: convolution + relu + max pooling 2x2",
        ),
        (
            1,
            {"activation": "relu", "pooled": PADDED},
            "native {0}: convolution + bias + relu; native {0}: max pooling 3x2",
        ),
        (2, {}, "reference (shifts): convolution + bias"),
    ],
)
def test_a_compiled_op_says_what_it_is(groups, options, op, whole_numbers):
    _assert_op(4, groups, options, op.format(native.instruction_set()), whole_numbers)


@pytest.mark.skipif(not native.available(), reason=str(native.why_not()))
@pytest.mark.parametrize(
    ("channels", "filters", "window", "stride", "pooled", "op"),
    [
        (16, 16, (3, 3), 1, None, "convolution (Winograd)"),
        (16, 16, (3, 3), 1, MAX, "convolution (Winograd) + max pooling 2x2"),
        (
            16,
            16,
            (3, 3),
            1,
            Pooling("average", (2, 2), Geometry((2, 2))),
            "convolution (gradients: Winograd) + average pooling 2x2",
        ),
        (15, 16, (3, 3), 1, None, "convolution"),
        (16, 15, (3, 3), 1, None, "convolution"),
        (16, 16, (3, 2), 1, None, "convolution"),
        (16, 16, (3, 3), 2, None, "convolution"),
    ],
)
def test_a_compiled_op_says_that_it_is_winograds(channels, filters, window, stride, pooled, op):
    geometry = Geometry(stride=(stride, stride))
    x, kernel = np.ones((2, 8, 7, channels), "f"), np.ones((*window, channels, filters), "f")
    found = convolve(x, kernel, None, geometry=geometry, pooled=pooled)
    assert found.op == f"native {native.instruction_set()}: {op}"


@pytest.mark.parametrize("channels", [1, 16])
def test_no_images_have_gradients_of_zero(channels):
    x, kernel = np.ones((0, 8, 7, channels), "f"), np.ones((3, 3, channels, 16), "f")
    bias = np.ones(16, "f")

    def run(x, kernel, bias):
        return convolve(x, kernel, bias, geometry=Geometry(), pooled=MAX).value

    values, back = jax.vjp(run, x, kernel, bias)
    dx, dkernel, dbias = back(values)
    assert values.shape == (0, 3, 2, 16)
    assert dx.shape == x.shape
    assert not dkernel.any()
    assert not dbias.any()


def _assert_op(filters, groups, options, op, whole_numbers):
    options = dict(options)
    x, kernel = whole_numbers((2, 6, 6, groups)), whole_numbers((3, 3, 1, filters))
    bias = options.pop("bias", np.zeros(filters, np.float32))
    lowered = convolve(x, kernel, bias, geometry=Geometry(groups=groups), **options)
    assert lowered.op == op
