from __future__ import annotations

import numpy as np
import pytest

from benchmarks import workloads
from benchmarks.workloads import WORKLOADS


@pytest.mark.parametrize(
    ("key", "parameters"), [("N1", 173_738), ("N10", 203_434), ("N12", 5_160), ("N14", 122_570)]
)
def test_weights_have_the_parameters_of_the_network(key: str, parameters: int) -> None:
    inputs = workloads.make_inputs(WORKLOADS[key])
    assert sum(kernel.size + bias.size for kernel, bias in inputs.weights) == parameters


@pytest.mark.parametrize(
    ("key", "lecture"),
    [("N1", "heidelberg"), ("N10", "isgc"), ("N12", "oslo_digits"), ("N14", "oslo_cifar10")],
)
def test_workload_is_the_network_of_the_lecture(key: str, lecture: str) -> None:
    import striate as st
    from benchmarks.peers import keras_program

    workload = WORKLOADS[key]
    arguments = {"l2": workload.l2} if key == "N12" else {}
    expected = getattr(st.models, lecture)(**arguments)
    built = keras_program.build(type(expected), workload, workloads.make_inputs(workload))

    def layers(model: object) -> list[dict[str, object]]:
        # Names count up, and initial values are replaced.
        left_out = {"name", "kernel_initializer"}
        return [
            {k: v for k, v in layer.get_config().items() if k not in left_out}
            for layer in model.layers  # type: ignore[attr-defined]
        ]

    assert layers(built) == layers(expected)
    assert built.count_params() == expected.count_params()
    assert type(built.optimizer) is type(expected.optimizer)
    assert [s for _, _, s in workload.shapes()] == [
        layer.output.shape[1:] for layer in built.layers
    ]


def test_inputs_depend_on_the_seed_alone_and_survive_the_file(tmp_path: object) -> None:
    workload = WORKLOADS["N12"]
    inputs = workloads.make_inputs(workload, seed=3)
    path = tmp_path / "inputs.npz"  # type: ignore[operator]
    workloads.save_inputs(inputs, path)
    for other in (workloads.make_inputs(workload, seed=3), workloads.load_inputs(path)):
        np.testing.assert_array_equal(other.pixels, inputs.pixels)
        np.testing.assert_array_equal(other.labels, inputs.labels)
        assert len(other.weights) == 3
        for mine, theirs in zip(other.weights, inputs.weights, strict=True):
            np.testing.assert_array_equal(mine[0], theirs[0])
            np.testing.assert_array_equal(mine[1], theirs[1])
    assert not np.array_equal(workloads.make_inputs(workload, seed=4).pixels, inputs.pixels)


def test_first_images_keep_the_weights() -> None:
    inputs = workloads.make_inputs(WORKLOADS["N12"])
    few = inputs.first(7)
    assert few.images.shape == (7, 8, 8, 1)
    assert few.images.dtype == np.float32
    assert 0 <= few.images.min() < few.images.max() <= 1
    assert few.weights is inputs.weights
