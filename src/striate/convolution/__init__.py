"""The mathematics of convolution, in NumPy, written to be read beside the lecture.

Whole numbers stay whole (int64), all others are float64. ``arithmetic`` counts outputs and
``steps`` shows a convolution one window after the other.
"""

from striate.convolution.arithmetic import extent, output_size, padding_for, pooled_size
from striate.convolution.steps import Step, padded, steps

__all__ = ["Step", "extent", "output_size", "padded", "padding_for", "pooled_size", "steps"]
