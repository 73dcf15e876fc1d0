"""PyTorch in inference mode, eager or compiled, in one of its memory layouts."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import nn

from benchmarks.inference_programs import Floats, Predictor
from benchmarks.peers.torch_program import MEMORY_FORMATS, build
from benchmarks.workloads import Dense, Inputs, Workload


def prepare(
    workload: Workload,
    inputs: Inputs,
    *,
    mode: Literal["eager", "compile"],
    layout: Literal["nchw", "nhwc"],
) -> Predictor:
    """Build the network; a softmax ends it where the lecture's has one."""
    form = MEMORY_FORMATS[layout]
    modules: Any = build(workload, inputs)
    last = workload.layers[-1]
    if isinstance(last, Dense) and last.activation == "softmax":
        modules.append(nn.Softmax(dim=1))
    model: Any = modules.to(memory_format=form).eval()
    if mode == "compile":
        model = torch.compile(model, dynamic=False)

    def place(images: Floats) -> Any:
        moved = images.transpose(0, 3, 1, 2).copy()
        return torch.from_numpy(moved).contiguous(memory_format=form)

    def predict(images: Any) -> Floats:
        with torch.inference_mode():
            outputs: Floats = model(images).numpy()
            return outputs

    return Predictor(place, predict)
