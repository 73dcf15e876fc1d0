"""The layers that are measured: convolutions, poolings alone, dense layers; what each costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.kernels.cases import CASES, POOLINGS, PRODUCTS, Case, PoolingCase, ProductCase

OPERATIONS = {
    "forward": "values, and what the gradients need",
    "to images": "gradient to the images",
    "to kernel": "gradients to kernel and bias",
}


def measured() -> list[Case]:
    """Return the cases of the table that somebody trains."""
    return [case for case in CASES if case.measured]


def measured_poolings() -> list[PoolingCase]:
    """Return the poolings of the table that somebody trains."""
    return [case for case in POOLINGS if case.measured]


def measured_products() -> list[ProductCase]:
    """Return the dense layers of the table that somebody trains."""
    return [case for case in PRODUCTS if case.measured]


def network(case: Case | PoolingCase | ProductCase) -> str:
    """Return the row of the lectures that a convolution belongs to, or "pooling" or "dense"."""
    if isinstance(case, ProductCase):
        return "dense"
    return case.name.split()[0] if isinstance(case, Case) else "pooling"


def moved_bytes(case: Case, operation: str) -> int:
    """Return how many bytes the operation has to read and write, each array once."""
    images = 4 * case.images * int(np.prod(case.image)) * case.channels
    kernel = 4 * int(np.prod(case.window)) * case.channels * case.filters + 4 * case.filters
    outputs = case.images * int(np.prod(case.outputs)) * case.filters
    # A result is four bytes, and one that says where its gradient goes.
    results = (5 if case.fusion.picks else 4) * outputs
    return {
        "forward": images + kernel + results,
        "to images": results + kernel + images,
        "to kernel": images + results + kernel,
    }[operation]


def in_training(cases: list[Case]) -> set[tuple[str, str]]:
    """Return the (case, operation) of a training step: no gradient to a network's first images."""
    first = {network(case): case.name for case in reversed(cases)}
    return {
        (case.name, operation)
        for case in cases
        for operation in OPERATIONS
        if operation != "to images" or first[network(case)] != case.name
    }


def describe(case: Case | PoolingCase | ProductCase) -> dict[str, Any]:
    """Return the case as plain numbers; a pooling has no kernel, a dense layer a flat one."""
    if isinstance(case, ProductCase):
        return {
            "name": case.name,
            "images": [case.rows, case.inner],
            "kernel": [case.inner, case.columns],
            "outputs": [case.rows, case.columns],
        }
    if isinstance(case, PoolingCase):
        return {
            "name": case.name,
            "images": [case.images, *case.image, case.channels],
            "kernel": None,
            "outputs": [case.images, *case.outputs, case.channels],
            "stride": list(case.geometry.stride),
            "padding": [list(pads) for pads in case.geometry.padding],
            "pooling": case.kind,
            "window": list(case.window),
        }
    return {
        "name": case.name,
        "images": [case.images, *case.image, case.channels],
        "kernel": [*case.window, case.channels, case.filters],
        "outputs": [case.images, *case.outputs, case.filters],
        "stride": list(case.geometry.stride),
        "padding": [list(pads) for pads in case.geometry.padding],
        "dilation": list(case.geometry.dilation),
        "pooling": case.fusion.pooling,
        "window": list(case.fusion.window),
        "relu": case.fusion.relu,
    }
