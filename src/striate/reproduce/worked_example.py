"""Rows W1 to W5: the NTHU lecture's worked example, number by number, and the network it is of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from striate import convolution as maths
from striate.explain import convolution as convolution_pictures
from striate.explain import padding as padding_pictures
from striate.explain import pooling as pooling_pictures
from striate.explain import worked_example as pictures_of
from striate.explain.dense import learned_dense
from striate.explain.images import Source, source
from striate.explain.window import Motion
from striate.plots import history
from striate.reproduce.row import Outcome, Row, at_least, close, equals, holds, mean_of, percent

if TYPE_CHECKING:
    from striate.reproduce.workbench import Workbench

_O_MAP = [[1, -1, -2, -1], [-1, -2, -1, -2], [-2, -1, -2, -1], [-1, -2, -1, 1]]


def _feature_map(bench: Workbench) -> Outcome:
    example = maths.worked_example("O")
    first = next(iter(maths.steps(example.image, example.kernel, bias=example.bias)))
    picture = bench.show(
        "W1-convolution",
        convolution_pictures.convolution(
            Source("O", example.image), example.kernel, Motion(bias=example.bias)
        ),
        "The first window.",
        "Dot product 3, plus the bias -2.",
    )
    return Outcome(
        "the same 16 numbers",
        [
            equals("dot product of the first window", first.sum, 3),
            equals("plus the bias", first.output, 1),
            equals("feature map of the O", example.feature_map, _O_MAP),
        ],
        [picture],
    )


def _pooled(bench: Workbench) -> Outcome:
    o, x = maths.worked_example("O"), maths.worked_example("X")
    picture = bench.show(
        "W2-pooling", pooling_pictures.pooling(Source("O after ReLU", o.activated)),
        "Max and average pooling.", "Of the feature map of the O after ReLU, window by window.",
    )  # fmt: skip
    return Outcome(
        "the same 2x2 maps, of O and of X",
        [
            equals("O after ReLU", o.activated, np.maximum(_O_MAP, 0)),
            equals("O, largest of each window", o.max_pooled, [[1, 0], [0, 1]]),
            equals("X, largest of each window", x.max_pooled, [[0, 1], [1, 0]]),
            equals("O, average of each window", o.average_pooled, [[0.25, 0], [0, 0.25]]),
            equals("X, average of each window", x.average_pooled, [[0, 0.5], [0.5, 0]]),
        ],
        [picture],
    )


def _classified(bench: Workbench) -> Outcome:
    dense = learned_dense()
    answers = {
        letter: pictures_of.classified(dense, maths.worked_example(letter)) for letter in "OX"
    }
    data = bench.data("ox")
    trained = bench.train("nthu_ox", data)
    accuracy = mean_of([run.accuracy or 0.0 for run in trained])
    pictures = [
        bench.show(
            f"W3-{letter}", pictures_of.worked_example(letter, dense), f"The {letter}.",
            "From the image to the answer; the dense layer is learned.",
        )
        for letter in "OX"
    ]  # fmt: skip
    pictures.append(
        bench.show(
            "W3-history", history(trained.history, validation="test"), "Eight kernels learned.",
            f"Training with seed 0 on {len(data.train):,} generated images of O and X.",
        )
    )  # fmt: skip
    return Outcome(
        f"O and X told apart; kernels learned, too: {percent(accuracy)}",
        [
            *(
                holds(f"the lecture's {letter} is taken for", answers[letter][0] == letter,
                      f"{answers[letter][0]} ({answers[letter][1]:.1%})", letter)
                for letter in "OX"
            ),
            at_least("accuracy on new images, all learned", accuracy, 0.98),
        ],
        pictures,
        [f"With the lecture's kernel held fixed, a dense layer is learned from {dense.images:,} "
         f"generated images: {dense.accuracy:.1%} of {dense.tested} others are told right."],
        {"accuracy": accuracy._asdict(), "with_fixed_kernel": dense.accuracy},
    )  # fmt: skip


def _padding(bench: Workbench) -> Outcome:
    example = maths.padding_example()
    printed = example.feature_map.copy()
    for place, number in example.misprints.items():
        printed[place] = number
    slide = [
        [-4, -5, -1, 3, -5, 5],
        [-10, -14, -1, 10, -1, 7],
        [-8, -11, -11, 7, 12, 8],
        [11, -7, -10, 1, 13, 13],
        [-6, 5, -16, -4, 10, 12],
        [-6, 4, -7, -1, 2, 8],
    ]
    picture = bench.show(
        "W4-padding", padding_pictures.padding(), "Zeros around the image.",
        "The kernel answers to vertical edges; the feature map keeps the size.",
    )  # fmt: skip
    return Outcome(
        "34 of 36 entries as printed; two are misprints",
        [
            equals("size of the feature map", example.feature_map.shape, (6, 6)),
            equals("the slide, but for two entries", printed, slide),
            equals("row 4, column 1 (printed 11)", example.feature_map[3, 0], -11),
            equals("row 5, column 5 (printed 10)", example.feature_map[4, 4], 11),
        ],
        [picture],
        [padding_pictures.misprints()],
    )


def _strides_and_colours(bench: Workbench) -> Outcome:
    example = maths.worked_example("O")
    whole = maths.correlate(example.image, example.kernel, "valid")
    strided = maths.correlate(example.image, example.kernel, "valid", stride=2)
    colour = source("rgb", bench.data)
    kernel = np.random.default_rng(0).integers(-2, 3, (3, 3, 3))
    together = maths.correlate(colour.pixels, kernel, "valid", channels=True)
    apart = sum(
        maths.correlate(colour.pixels[..., channel], kernel[..., channel], "valid")
        for channel in range(3)
    )
    picture = bench.show(
        "W5-colour", convolution_pictures.convolution(colour, kernel, Motion(stride=2)),
        "A colour image, stride 2.", "One kernel layer a channel; their sums add up.",
    )  # fmt: skip
    return Outcome(
        "a stride of 2 keeps every second output; three layers add up to one map",
        [
            equals("stride 2 on 6x6", strided, whole[::2, ::2]),
            equals("parameters of a 3x3 kernel for three channels",
                   maths.count_parameters((6, 6, 3), maths.Convolution(3, 1)), 3 * 9 + 1),
            close("three layers together, against one after the other", together, apart, 1e-12),
        ],
        [picture],
    )  # fmt: skip


ROWS = (
    Row("W1", ("nthu",), "O under a 3x3 kernel with bias −2: the feature map",
        "first window 3, plus bias 1; 16 numbers", _feature_map),
    Row("W2", ("nthu",), "ReLU, then 2x2 pooling, largest and average",
        "O [[1, 0], [0, 1]], X [[0, 1], [1, 0]]; averages 0.25 and 0.5", _pooled),
    Row("W3", ("nthu",), "Flatten, dense: O or X, learned by training",
        "O and X are told apart", _classified),
    Row("W4", ("nthu",), "Zero padding keeps the size; a kernel for vertical edges",
        "36 numbers, two of them misprints", _padding),
    Row("W5", ("nthu",), "Strides; a colour image has one kernel layer a channel",
        "named, with pictures", _strides_and_colours),
)  # fmt: skip
