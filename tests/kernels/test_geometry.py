"""Windows lie where Keras and XLA put them."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jax import lax
from keras import layers

from striate.kernels import Geometry, same_padding
from striate.kernels.geometry import extent

pairs = st.tuples(st.integers(1, 5), st.integers(1, 5))
sizes = st.tuples(st.integers(1, 40), st.integers(1, 40))
quick = settings(max_examples=60, derandomize=True, deadline=None, database=None)


@quick
@given(image=sizes, window=pairs, stride=pairs)
def test_sizes_are_keras_valid_sizes(image, window, stride):
    convolution = layers.Conv2D(4, window, strides=stride)
    pooling = layers.MaxPooling2D(window, strides=stride)
    geometry = Geometry(stride)
    if any(size < span for size, span in zip(image, window, strict=True)):
        for layer in (convolution, pooling):
            with pytest.raises(ValueError, match=r"negative dimension|Computed output size"):
                layer.compute_output_shape((3, *image, 2))
        with pytest.raises(ValueError, match="no output remains"):
            geometry.output_size(image, window)
        return
    outputs = geometry.output_size(image, window)
    assert convolution.compute_output_shape((3, *image, 2)) == (3, *outputs, 4)
    assert pooling.compute_output_shape((3, *image, 2)) == (3, *outputs, 2)


@quick
@given(image=sizes, window=pairs, dilation=pairs)
def test_sizes_with_gaps_are_keras_sizes(image, window, dilation):
    spans = [extent(w, d) for w, d in zip(window, dilation, strict=True)]
    assume(all(size >= span for size, span in zip(image, spans, strict=True)))
    layer = layers.Conv2D(4, window, dilation_rate=dilation)
    outputs = Geometry(dilation=dilation).output_size(image, window)
    assert layer.compute_output_shape((3, *image, 2)) == (3, *outputs, 4)


@quick
@given(image=sizes, window=pairs, stride=pairs, dilation=pairs)
def test_same_padding_is_xlas(image, window, stride, dilation):
    padding = same_padding(image, window, stride, dilation)
    spans = [extent(w, d) for w, d in zip(window, dilation, strict=True)]
    assert list(padding) == lax.padtype_to_pads(image, spans, stride, "SAME")
    outputs = Geometry(stride, padding, dilation).output_size(image, window)
    # Keras has no layer with both stride and dilation.
    layer = layers.MaxPooling2D(window, strides=stride, padding="same")
    assert layer.compute_output_shape((3, *image, 2)) == (3, *outputs, 2)


def test_no_output_is_one_line_with_the_numbers():
    with pytest.raises(ValueError, match="no output remains") as caught:
        Geometry(padding=((1, 0), (0, 0)), dilation=(2, 1)).output_size((3, 9), (3, 3))
    assert str(caught.value) == (
        "no output remains: rows 3 with padding (1, 0) are fewer than the 5 that the window spans"
    )


@pytest.mark.parametrize(
    ("geometry", "tiles"),
    [
        (Geometry((2, 3)), True),
        (Geometry((3, 2)), False),
        (Geometry((2, 3), ((0, 1), (0, 0))), False),
        (Geometry((2, 3), dilation=(1, 2)), False),
    ],
)
def test_windows_tile_only_without_overlap_gaps_and_padding(geometry, tiles):
    assert geometry.tiles((2, 3)) is tiles
