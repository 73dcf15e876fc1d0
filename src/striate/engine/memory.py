"""How much memory a training needs, and how much there is."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from striate.engine import program

_WHERE_UNKNOWN = 2_000_000_000


def bytes_per_model(model: Any, batch_size: int) -> int:
    """Estimate the memory that one more model needs in training.

    Weights and optimizer state are held twice, and gradients once; what the layers give for a
    batch is held forward, backward, and once in between.
    """
    images = max(batch_size, program.VALIDATION_BATCH)
    outputs = sum(layer_outputs(model))
    groups = program.variables(model)
    held = [sum(math.prod(v.shape) for v in group) for group in groups]
    return 4 * (2 * sum(held) + held[0] + 3 * images * outputs)


def layer_outputs(model: Any) -> list[int]:
    """Return how many numbers each layer gives for one image, where its shape is known."""
    return [
        math.prod(shape[1:])
        for layer in model._flatten_layers(include_self=False)
        for shape in [getattr(getattr(layer, "output", None), "shape", ())]
        if None not in shape[1:]
    ]


def free_bytes() -> int:
    """Return how many bytes of memory are free, as far as the system tells."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return _WHERE_UNKNOWN
