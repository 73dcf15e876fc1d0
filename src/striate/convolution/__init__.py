"""The mathematics of convolution, in NumPy, written to be read beside the lecture.

Whole numbers stay whole (int64), all others are float64. `discrete` defines convolution and
cross-correlation, `matrix` writes them as matrices, `fourier` computes them by the convolution
theorem, `steps` shows them one window after the other. `arithmetic` counts outputs; `layers` counts
parameters and says what a neuron sees; `pooling` and `activations` are what comes after;
`series` and `oscillator` are the lecture's Fourier series and what it drives; `example` holds the
lectures' worked numbers. The other stages may use all of it; it uses none of them.
"""

from striate.convolution.activations import relu, softmax
from striate.convolution.arithmetic import extent, output_size, padding_for, pooled_size
from striate.convolution.discrete import convolve, correlate, padded, polynomial_product
from striate.convolution.example import (
    PaddingExample,
    WorkedExample,
    padding_example,
    worked_example,
)
from striate.convolution.fourier import fft_convolve, gaussian_blur, gaussian_kernel
from striate.convolution.layers import (
    Convolution,
    Pooling,
    ReceptiveField,
    count_parameters,
    receptive_field,
)
from striate.convolution.matrix import MatrixMemory, convolution_matrix, matrix_memory, toeplitz
from striate.convolution.oscillator import DrivenOscillator, driven_oscillator
from striate.convolution.pooling import pool, positions_of_maxima
from striate.convolution.series import FourierSeries, fourier_series
from striate.convolution.steps import Step, steps

__all__ = [
    "Convolution",
    "DrivenOscillator",
    "FourierSeries",
    "MatrixMemory",
    "PaddingExample",
    "Pooling",
    "ReceptiveField",
    "Step",
    "WorkedExample",
    "convolution_matrix",
    "convolve",
    "correlate",
    "count_parameters",
    "driven_oscillator",
    "extent",
    "fft_convolve",
    "fourier_series",
    "gaussian_blur",
    "gaussian_kernel",
    "matrix_memory",
    "output_size",
    "padded",
    "padding_example",
    "padding_for",
    "polynomial_product",
    "pool",
    "pooled_size",
    "positions_of_maxima",
    "receptive_field",
    "relu",
    "softmax",
    "steps",
    "toeplitz",
    "worked_example",
]
