"""ONNX Runtime, on a graph made here node by node."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from benchmarks.inference_programs import Predictor, channels_first
from benchmarks.workloads import Convolution, Dense, Flatten, Inputs, MaxPooling, Workload

OPERATORS = 17
FORMAT = 8


def prepare(workload: Workload, inputs: Inputs) -> Predictor:
    """Build the graph and a session on the processor with its default settings."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        graph(workload, inputs).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return Predictor(channels_first, lambda images: session.run(None, {"x0": images})[0])


def graph(workload: Workload, inputs: Inputs) -> Any:
    """Return the network in ONNX's order of axes, (n, channel, row, column)."""
    nodes: list[Any] = []
    weights: list[Any] = []
    remaining = iter(inputs.weights)
    flattened = None

    def add(operator: str, *arrays: Any, **attributes: Any) -> None:
        names = [f"{operator}{len(weights) + i}" for i in range(len(arrays))]
        for name, array in zip(names, arrays, strict=True):
            weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        count = len(nodes)
        nodes.append(
            helper.make_node(operator, [f"x{count}", *names], [f"x{count + 1}"], **attributes)
        )

    for layer, before, _ in workload.shapes():
        match layer:
            case Convolution():
                kernel, bias = next(remaining)
                add("Conv", kernel.transpose(3, 2, 0, 1), bias)
                add("Relu")
            case MaxPooling(size=size):
                add("MaxPool", kernel_shape=[size, size], strides=[size, size])
            case Flatten():
                add("Flatten")
                flattened = before
            case Dense(activation=activation):
                kernel, bias = next(remaining)
                if flattened is not None:
                    # Flattened here are channel, row, column; the kernel counts row, column,
                    # channel.
                    by_axis = kernel.reshape(*flattened, -1).transpose(2, 0, 1, 3)
                    kernel = by_axis.reshape(kernel.shape)
                    flattened = None
                add("Gemm", kernel, bias)
                if activation != "logits":
                    add({"relu": "Relu", "softmax": "Softmax"}[activation])
    rows, columns, channels = workload.image_shape
    number = TensorProto.FLOAT
    made = helper.make_graph(
        nodes,
        workload.key,
        [helper.make_tensor_value_info("x0", number, ["n", channels, rows, columns])],
        [helper.make_tensor_value_info(f"x{len(nodes)}", number, ["n", None])],
        weights,
    )
    return helper.make_model(
        made, opset_imports=[helper.make_opsetid("", OPERATORS)], ir_version=FORMAT
    )
