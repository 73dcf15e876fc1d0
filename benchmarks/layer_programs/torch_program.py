"""A convolution layer in PyTorch, eager, in one of its memory layouts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from benchmarks import operands
from benchmarks.peers.torch_program import MEMORY_FORMATS
from benchmarks.timing import seconds_a_call


def measure(layers: Sequence[Mapping[str, Any]], seconds: float, *, layout: str) -> dict[str, Any]:
    """Time each operation of each layer."""
    found = []
    for layer in layers:
        for operation, (work, channels_last) in _operations(layer, layout).items():

            def run(n: int, work: Any = work) -> None:
                for _ in range(n):
                    work()

            times = seconds_a_call(run, seconds)
            result = work().detach().permute(*channels_last).contiguous().numpy()
            found.append(
                {
                    "layer": layer["name"],
                    "operation": operation,
                    "seconds": times,
                    "digest": operands.digest(result),
                }
            )
    return {"measured": found, "kernels": f"PyTorch, {torch.get_num_threads()} threads"}


def _operations(layer: Mapping[str, Any], layout: str) -> dict[str, Any]:
    """Return, for each operation, what does it and how its result's axes become ours."""
    given = operands.make(layer)
    if len(layer["images"]) == 2:
        return _dense(given)
    form = MEMORY_FORMATS[layout]

    def tensor(array: Any, axes: Sequence[int]) -> Any:
        moved = np.ascontiguousarray(array.transpose(axes))
        return torch.from_numpy(moved).contiguous(memory_format=form)

    x = tensor(given["images"], (0, 3, 1, 2)).requires_grad_()
    if layer["kernel"] is None:
        return _pooling(layer, x, tensor(given["gradient"], (0, 3, 1, 2)))
    kernel = tensor(given["kernel"], (3, 2, 0, 1)).requires_grad_()
    bias = torch.from_numpy(given["bias"]).requires_grad_()
    gradient = tensor(given["gradient"], (0, 3, 1, 2))
    (top, bottom), (left, right) = layer["padding"]

    def forward() -> Any:
        padded = functional.pad(x, (left, right, top, bottom)) if top + bottom + left + right else x
        y = functional.conv2d(
            padded, kernel, bias, stride=layer["stride"], dilation=layer["dilation"]
        )
        if layer["relu"]:
            y = functional.relu(y)
        return functional.max_pool2d(y, layer["window"]) if layer["pooling"] == "max" else y

    y = forward()

    def backward(*to: Any) -> Any:
        return torch.autograd.grad(y, to, gradient, retain_graph=True)[0]

    return {
        "forward": (forward, (0, 2, 3, 1)),
        "to images": (lambda: backward(x), (0, 2, 3, 1)),
        "to kernel": (lambda: backward(kernel, bias), (2, 3, 1, 0)),
    }


def _dense(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return likewise what a dense layer does; its kernel lies as PyTorch wants it."""
    x = torch.from_numpy(given["images"]).requires_grad_()
    kernel = torch.from_numpy(np.ascontiguousarray(given["kernel"].T)).requires_grad_()
    bias = torch.from_numpy(given["bias"]).requires_grad_()
    gradient = torch.from_numpy(given["gradient"])

    def forward() -> Any:
        return functional.linear(x, kernel, bias)

    y = forward()

    def backward(*to: Any) -> Any:
        return torch.autograd.grad(y, to, gradient, retain_graph=True)[0]

    return {
        "forward": (forward, (0, 1)),
        "to images": (lambda: backward(x), (0, 1)),
        "to kernel": (lambda: backward(kernel, bias), (1, 0)),
    }


def _pooling(layer: Mapping[str, Any], x: Any, gradient: Any) -> dict[str, Any]:
    """Return likewise what a pooling alone does."""
    window, stride, largest = layer["window"], layer["stride"], layer["pooling"] == "max"
    (top, bottom), (left, right) = layer["padding"]
    # PyTorch itself pads both sides alike; what is missing at the end comes before.
    rest = (0, right - left, 0, bottom - top)
    share = None
    if any(rest) and not largest:
        # Of the average, which takes the rest as pixels.
        inside = functional.pad(torch.ones_like(x[:1]), rest)
        share = 1 / functional.avg_pool2d(
            inside, window, stride, (top, left), count_include_pad=False
        )

    def forward() -> Any:
        whole = x
        if any(rest):
            whole = functional.pad(x, rest, value=float("-inf") if largest else 0.0)
        if largest:
            return functional.max_pool2d(whole, window, stride, (top, left))
        y = functional.avg_pool2d(whole, window, stride, (top, left), count_include_pad=False)
        return y if share is None else y * share

    y = forward()

    def backward() -> Any:
        return torch.autograd.grad(y, x, gradient, retain_graph=True)[0]

    return {"forward": (forward, (0, 2, 3, 1)), "to images": (backward, (0, 2, 3, 1))}
