from __future__ import annotations

import numpy as np
import pytest

from benchmarks import layers
from benchmarks.workloads import WORKLOADS, Convolution

CASES = {case.name: case for case in layers.measured()}


def test_bytes_and_operations_of_a_layer_counted_by_hand() -> None:
    case = CASES["N1 conv"]
    assert case.flops == 2 * 64 * 26 * 26 * 9 * 32
    images, weights, outputs = 64 * 28 * 28 * 4, (9 * 32 + 32) * 4, 64 * 13 * 13 * 32
    assert layers.moved_bytes(case, "forward") == images + weights + outputs * 5
    assert layers.moved_bytes(case, "to kernel") == images + weights + outputs * 5


def test_a_training_step_takes_no_gradient_to_the_first_images() -> None:
    needed = layers.in_training(list(CASES.values()))
    assert ("N14 conv_1", "to images") not in needed
    assert ("N14 conv_2", "to images") in needed
    assert ("N14 conv_1", "to kernel") in needed


@pytest.mark.parametrize("key", ["N1", "N10", "N14"])
def test_the_layers_are_those_of_the_networks(key: str) -> None:
    """The kernels' table, and what the other benchmarks train."""
    workload = WORKLOADS[key]
    expected = [
        (workload.batch_size, *before[:2], before[2], layer.filters)
        for layer, before, _ in workload.shapes()
        if isinstance(layer, Convolution)
    ]
    found = [
        (case.images, *case.image, case.channels, case.filters)
        for case in CASES.values()
        if layers.network(case) == key
    ]
    assert found == expected


def test_a_description_is_plain_and_fits_its_operands() -> None:
    from benchmarks import operands

    described = layers.describe(CASES["N14 conv_2"])
    made = operands.make(described)
    assert {name: array.shape for name, array in made.items()} == {
        "images": (32, 15, 15, 32),
        "kernel": (3, 3, 32, 64),
        "bias": (64,),
        "gradient": (32, 6, 6, 64),
    }


def test_digests_tell_arrays_apart_and_forgive_rounding() -> None:
    from benchmarks import operands

    array = np.random.default_rng(0).normal(size=(50, 20))
    same = operands.difference(operands.digest(array), operands.digest(array * (1 + 1e-7)))
    assert same < 1e-6
    swapped = array.copy()
    swapped[[0, 1]] = swapped[[1, 0]]
    assert operands.difference(operands.digest(array), operands.digest(swapped)) > 1e-3
