"""Rows C1 to C9: the mathematics of convolution, each formula computed and compared."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

from striate import convolution as maths
from striate.explain import arithmetic as arithmetic_pictures
from striate.explain import blur as blur_pictures
from striate.explain import convolution as convolution_pictures
from striate.explain import fourier as fourier_pictures
from striate.explain import matrix as matrix_pictures
from striate.explain.images import Source, shrunk, source
from striate.explain.model import architecture
from striate.explain.window import Motion
from striate.models.anatomy import anatomy
from striate.models.registry import build, lookup
from striate.plots.style import COLOURS, LINES, Figure, context
from striate.reproduce.row import Check, Outcome, Row, close, equals, holds

if TYPE_CHECKING:
    from striate.reproduce.workbench import Workbench

_EXACT = 1e-12


def _definition(bench: Workbench) -> Outcome:
    random = np.random.default_rng(0)
    x, w = random.integers(-9, 10, 12), random.integers(-9, 10, 5)
    summed = [sum(x[a] * w[t - a] for a in range(12) if 0 <= t - a < 5) for t in range(12 + 5 - 1)]
    # Two boxes of height 1 and width 1: their integral is a triangle, known in closed form.
    step = 1e-3
    box = np.ones(1000)
    times = step * np.arange(1, 2000)
    triangle = 1 - np.abs(times - 1)
    boxes = step * maths.convolve(box, box)
    with context():
        figure = Figure(layout="constrained")
        axes = figure.subplots()
        curve = boxes
        axes.plot(step * np.arange(1, 1001), box, color=COLOURS[4], label="a box")
        for n in (2, 3):
            shown = step * np.arange(1, len(curve) + 1)
            axes.plot(shown, curve, color=COLOURS[n - 2], linestyle=LINES[n - 2],
                      label=f"{n} boxes convolved")  # fmt: skip
            curve = step * maths.convolve(curve, box)
        axes.set_xlabel("t")
        axes.set_ylabel("y(t)")
        axes.legend()
    picture = bench.show(
        "C1-boxes", figure, "The integral.",
        "A box of width 1, convolved with itself once (a triangle) and twice, in steps of 0.001.",
    )  # fmt: skip
    return Outcome(
        "holds; x * w equals w * x exactly",
        [
            equals("the sum over a of x(a) w(t - a), written out", maths.convolve(x, w), summed),
            equals("x * w and w * x", maths.convolve(x, w), maths.convolve(w, x)),
            close("the integral of two boxes, against its triangle", boxes, triangle, 2 * step),
        ],
        [picture],
    )


def _polynomials(bench: Workbench) -> Outcome:
    alpha, beta = np.array([1, 2, 1]), np.array([2, 0, -1, 3])
    by_alpha, by_beta = maths.toeplitz(alpha, len(beta)), maths.toeplitz(beta, len(alpha))
    product = maths.polynomial_product(alpha, beta)
    picture = bench.show(
        "C2-toeplitz", matrix_pictures.polynomials(alpha, beta), "The same six coefficients.",
        "1 + 2 t + t² times 2 - t² + 3 t³, with the Toeplitz matrix of either one.",
    )  # fmt: skip
    return Outcome(
        f"6x4 and 6x3 both give {' '.join(map(str, product))}",
        [
            equals("size of the matrix made from alpha", by_alpha.shape, (6, 4)),
            equals("size of the matrix made from beta", by_beta.shape, (6, 3)),
            equals("matrix of alpha times beta", by_alpha @ beta, product),
            equals("matrix of beta times alpha", by_beta @ alpha, product),
            equals("NumPy's product of the polynomials", product, np.convolve(alpha, beta)),
        ],
        [picture],
    )


def _fourier(bench: Workbench) -> Outcome:
    series = maths.fourier_series(terms=500, period=0.2, width=0.1, height=2.0)
    terms = (1, 10, 100, 500)
    errors = [series.error(n) for n in terms]
    motion = maths.driven_oscillator(series, mass=1.0, damping=10.0, stiffness=1e4)
    # The equation of motion, its derivatives by differences, between the jumps of the force.
    times = np.linspace(0.06, 0.14, 41)
    step = 1e-6
    acceleration = (motion.velocity(times + step) - motion.velocity(times - step)) / (2 * step)
    left = acceleration + 10.0 * motion.velocity(times) + 1e4 * motion(times)
    force = series(times)
    random = np.random.default_rng(0)
    f, g = random.normal(size=40), random.normal(size=17)
    pictures = [
        bench.show(
            "C3-series", fourier_pictures.fourier(series), "A square wave from harmonics.",
            "Period 0.2, width 0.1, height 2; the overshoot at the jump stays near 9 %.",
        ),
        bench.show(
            "C3-oscillator", fourier_pictures.oscillator(motion), "An oscillator driven by it.",
            "Each harmonic answers with its own amplitude and phase; the answers add up.",
        ),
    ]  # fmt: skip
    told = ", ".join(f"{error:.3f}" for error in errors)
    return Outcome(
        f"error of the series with {', '.join(map(str, terms))} terms: {told}",
        [
            holds(
                "the error falls as terms are added",
                sorted(errors)[::-1] == errors,
                told,
                "falling",
            ),
            close(
                "coefficients, against (2 F / n pi) sin(n pi width / T)",
                series.cosines,
                [4 / (n * math.pi) * math.sin(n * math.pi / 2) for n in range(1, 501)],
                _EXACT,
            ),
            close(
                "convolution theorem: transform, multiply, transform back",
                maths.fft_convolve(f, g),
                np.convolve(f, g),
                _EXACT,
            ),
            close("m x'' + c x' + k x = F for the sum over harmonics", left, force, 1e-3),
        ],
        pictures,
        [
            "The printed amplitudes lack a square in their first bracket; with it they have a "
            "dimension, and the equation of motion holds.",
            "The lecture leaves the oscillator open: m = 1, c = 10, k = 10,000 are ours.",
        ],
    )


def _two_dimensions(bench: Workbench) -> Outcome:
    image, kernel = np.arange(9).reshape(3, 3), np.array([[1, 2], [3, 4]])
    printed = [
        [sum(image[i + m, j + n] * kernel[m, n] for m in (0, 1) for n in (0, 1)) for j in (0, 1)]
        for i in (0, 1)
    ]
    correlated = maths.correlate(image, kernel, "valid")
    convolved = maths.convolve(image, kernel, "valid")
    picture = bench.show(
        "C4-flip",
        convolution_pictures.comparison(
            Source("count", np.arange(1.0, 26).reshape(5, 5)), kernel, Motion()
        ),
        "Cross-correlation and convolution.",
        "The same kernel, as it is and flipped along both axes.",
    )
    return Outcome(
        f"cross-correlation {_rows(correlated)}, convolution {_rows(convolved)}",
        [
            equals("the printed 2x2 result is the cross-correlation", correlated, printed),
            equals("convolution is cross-correlation with the flipped kernel", convolved,
                   maths.correlate(image, kernel[::-1, ::-1], "valid")),
            holds("they differ", not np.array_equal(correlated, convolved), "they do", "they do"),
        ],
        [picture],
        ["The lecture writes a convolution and prints the entries of a cross-correlation; deep-"
         "learning libraries compute the latter."],
    )  # fmt: skip


def _as_matrix(bench: Workbench) -> Outcome:
    image, kernel = np.arange(9).reshape(3, 3), np.array([[1, 2], [3, 4]])
    matrix = maths.convolution_matrix(kernel, image.shape)
    memory = maths.matrix_memory((3, 3, 1, 32), (28, 28, 1), channels=True)
    picture = bench.show(
        "C5-matrix", matrix_pictures.matrix(Source("count", image), kernel, Motion()),
        "W' times the flattened image.", "A 3x3 image under a 2x2 kernel.",
    )  # fmt: skip
    return Outcome(
        f"4 x 9 with {matrix.nnz} of 36 entries",
        [
            equals("size of W'", matrix.shape, (4, 9)),
            equals("entries that are stored", matrix.nnz, 16),
            equals("W' I', against the cross-correlation", matrix @ image.ravel(),
                   maths.correlate(image, kernel, "valid").ravel()),
            equals("first row of W'", matrix.toarray()[0], [1, 2, 0, 3, 4, 0, 0, 0, 0]),
        ],
        [picture],
        [f"For 28 x 28 pixels and 32 kernels: {memory}. No training builds it."],
    )  # fmt: skip


def _arithmetic(bench: Workbench) -> Outcome:
    sizes, kernels, strides = range(1, 13), range(1, 6), range(1, 4)
    wrong = dict.fromkeys(("general", "valid", "padded", "same", "full", "pooling", "strided"), 0)
    tried = 0
    for i, k, s, p in itertools.product(sizes, kernels, strides, range(4)):
        if i + 2 * p < k:
            continue
        tried += 1
        line = np.ones(i, int)
        real = len(maths.correlate(line, np.ones(k, int), p, stride=s))
        whole = maths.correlate(np.arange(i), np.arange(k), p)
        strided = maths.correlate(np.arange(i), np.arange(k), p, stride=s)
        wrong["general"] += (i + 2 * p - k) // s + 1 != real
        wrong["general"] += maths.output_size(i, k, stride=s, padding=p) != real
        wrong["strided"] += not np.array_equal(whole[::s], strided)
        if s == 1:
            wrong["padded"] += i - k + 2 * p + 1 != real
            wrong["valid"] += p == 0 and i - k + 1 != real
            wrong["same"] += k % 2 == 1 and p == k // 2 and real != i
            wrong["full"] += p == k - 1 and real != i + k - 1
        if p == 0:
            pooled = len(maths.pool(line, k, s))
            wrong["pooling"] += (i - k) // s + 1 != pooled
    picture = bench.show(
        "C6-arithmetic", arithmetic_pictures.arithmetic(), "How many outputs there are.",
        "Padding, stride and dilation, counted on the picture.",
    )  # fmt: skip
    formulas = {
        "general": "o = floor((i + 2p - k) / s) + 1",
        "valid": "no padding, o = i - k + 1",
        "padded": "padding p, o = i - k + 2p + 1",
        "same": "odd k, p = floor(k / 2): o = i",
        "full": "p = k - 1: o = i + k - 1",
        "pooling": "pooling, o = floor((i - k) / s) + 1",
        "strided": "a stride keeps every s-th output",
    }
    return Outcome(
        f"holds in all {tried} cases",
        [
            *(holds(text, wrong[name] == 0, f"wrong in {wrong[name]} of {tried} cases",
                    "wrong in none") for name, text in formulas.items()),
            equals("neither square nor 2-D: 7 x 5 x 9 under 3 x 2 x 4, stride 2 x 1 x 3",
                   maths.correlate(np.ones((7, 5, 9)), np.ones((3, 2, 4)), "valid",
                                   stride=(2, 1, 3)).shape, (3, 4, 2)),
        ],
        [picture],
    )  # fmt: skip


def _blur(bench: Workbench) -> Outcome:
    image = shrunk(source("photo", bench.data).grey, 128)
    blurred = blur_pictures.blur(image)
    pixels = np.asarray(image.pixels, float)
    widths = blur_pictures.WIDTHS
    # The sum of squared differences of neighbours: what a blur takes away.
    rough = [float((np.diff(maths.gaussian_blur(pixels, sigma)) ** 2).sum()) for sigma in widths]
    picture = bench.show(
        "C7-blur", blurred.picture, "One image under four Gaussians.",
        "Directly and by FFT, with the time that each takes.",
    )  # fmt: skip
    scale = float(np.abs(pixels).max())
    worst = max(blurred.differences.values()) / scale
    return Outcome(
        f"FFT and direct convolution agree within {worst:.0e}",
        [
            close("FFT against direct convolution, of the largest value", worst, 0, _EXACT),
            holds("the wider the Gaussian, the smoother the image", rough == sorted(rough)[::-1],
                  ", ".join(f"{value / rough[0]:.3f}" for value in rough), "falling"),
        ],
        [picture],
        [f"{blurred.timing}."],
    )  # fmt: skip


def _parameters(bench: Workbench) -> Outcome:
    network = anatomy(build("heidelberg"))
    first = next(layer for layer in network.layers if layer.parameters)
    by_layers = maths.count_parameters(
        (28, 28, 1), maths.Convolution(3, 32), maths.Pooling(2), 32, 10
    )
    picture = bench.show(
        "C8-network", architecture(network), "A convolutional network of the same task.",
        "Most of its parameters are those of the dense layer after it.",
    )  # fmt: skip
    return Outcome(
        f"23,860; 10,000,020,001; 16,384 and 49,152; a convolution of 32 kernels has "
        f"{first.parameters}",
        [
            equals("784-30-10 with biases", maths.count_parameters(784, 30, 10), 23_860),
            equals("10^6 inputs, 10^4 hidden, 1 output", maths.count_parameters(10**6, 10**4, 1),
                   10**10 + 10**4 + 10**4 + 1),
            equals("weights of a neuron that sees 128 x 128",
                   maths.count_parameters((128, 128), 1, bias=False), 16_384),
            equals("the same in three colours",
                   maths.count_parameters((128, 128, 3), 1, bias=False), 49_152),
            equals("a convolution of 32 kernels, 3x3", first.parameters, 320),
            equals("the whole network, by formula and by Keras", by_layers, network.parameters),
        ],
        [picture],
    )  # fmt: skip


def _receptive_fields(bench: Workbench) -> Outcome:
    checks: list[Check] = []
    told = []
    pictures = []
    for name in ("isgc", "heidelberg_improved", "oslo_cifar10"):
        network = anatomy(build(name))
        spatial = [layer for layer in network.layers if layer.kind in ("Conv2D", "MaxPooling2D")]
        layers = [
            maths.Convolution(3) if layer.kind == "Conv2D" else maths.Pooling(2)
            for layer in spatial
        ]
        sides = lookup(name).input_shape[:2]
        formula = [field.size for field in maths.receptive_field(sides, *layers)]
        fields = [layer.receptive_field for layer in spatial]
        checks.append(equals(f"{name}, each layer by formula and in Keras", fields, formula))
        told.append(f"{name} {' '.join(str(field[0]) for field in formula)}")
        pictures.append(
            bench.show(
                f"C9-{name}", architecture(network), f"{name}.",
                "What one neuron of each layer sees, in pixels of the image.",
            )
        )  # fmt: skip
    checks.append(_seen_pixels())
    return Outcome(f"pixels a side, layer by layer: {'; '.join(told)}", checks, pictures[:2])


def _seen_pixels() -> Check:
    """Move each pixel of an image, and see which ones a neuron of the second layer answers to."""
    random = np.random.default_rng(0)
    image, first, second = random.normal(size=(12, 12)), *random.normal(size=(2, 3, 3))

    def neuron(pixels: np.ndarray) -> float:
        once = maths.relu(maths.correlate(pixels, first, "valid") + 5.0)
        return float(maths.correlate(once, second, "valid")[2, 3])

    moved = np.zeros(image.shape, bool)
    for place in np.ndindex(image.shape):
        changed = image.copy()
        changed[place] += 0.1
        moved[place] = neuron(changed) != neuron(image)
    field = maths.receptive_field(image.shape, maths.Convolution(3), maths.Convolution(3))[-1]
    rows, columns = field.pixels((2, 3))
    expected = np.zeros(image.shape, bool)
    expected[rows.start : rows.stop, columns.start : columns.stop] = True
    return equals("which pixels move a neuron, found by moving each", np.argwhere(moved),
                  np.argwhere(expected))  # fmt: skip


def _rows(values: np.ndarray) -> str:
    return "[" + ", ".join(f"[{', '.join(map(str, row))}]" for row in values.tolist()) + "]"


ROWS = (
    Row("C1", ("oslo", "heidelberg"), "Convolution, as an integral and as a sum; commutative",
        "(x * w)(t) = Σ x(a) w(t − a); x * w = w * x", _definition),
    Row("C2", ("oslo",), "Multiplying polynomials is convolution; as a Toeplitz matrix both ways",
        "degree 2 times degree 3: a 6x4 and a 6x3 matrix, the same 6 coefficients", _polynomials),
    Row("C3", ("oslo",), "Fourier: convolution theorem, square wave, driven oscillator",
        "T = 0.2, width 0.1, F = 2, up to 500 terms: closer to the wave with each", _fourier),
    Row("C4", ("oslo",), "Two dimensions: convolution, and cross-correlation, its flip",
        "3x3 image, 2x2 kernel: the printed 2x2 result", _two_dimensions),
    Row("C5", ("oslo", "heidelberg"), "Convolution as one matrix times the flattened image",
        "W' is 4x9, and W' I' equals the 2x2 result", _as_matrix),
    Row("C6", ("oslo", "heidelberg", "nthu"),
        "Convolution arithmetic: padding, stride, pooling; non-square and N-D",
        "o = floor((i + 2p − k) / s) + 1 and its special cases", _arithmetic),
    Row("C7", ("heidelberg",), "Gaussian blur of an image by FFT",
        "more blur with a wider Gaussian", _blur),
    Row("C8", ("nthu", "oslo", "isgc"), "Parameters: dense against convolution",
        "23,860; 10¹⁰ + 10⁴ + 10⁴ + 1; 16,384; 49,152", _parameters),
    Row("C9", ("isgc", "heidelberg", "oslo"), "Receptive fields, layer by layer",
        "a neuron sees a small area of the layer before it", _receptive_fields),
)  # fmt: skip
