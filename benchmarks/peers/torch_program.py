"""A plain PyTorch training loop: no accuracy, no callbacks, fused optimizers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from benchmarks.trainer import FirstStep, Trainer
from benchmarks.workloads import (
    Convolution,
    Dense,
    Flatten,
    Inputs,
    MaxPooling,
    Workload,
)

MEMORY_FORMATS = {"nchw": torch.contiguous_format, "nhwc": torch.channels_last}


def prepare(
    workload: Workload,
    inputs: Inputs,
    *,
    shuffle: bool,
    mode: Literal["eager", "compile"],
    layout: Literal["nchw", "nhwc"],
) -> TorchTrainer:
    """Build the network, its optimizer and the tensors in the asked memory layout."""
    return TorchTrainer(workload, inputs, shuffle=shuffle, mode=mode, layout=layout)


def build(workload: Workload, inputs: Inputs) -> nn.Sequential:
    """Build the network in PyTorch's order of axes, and give it the initial weights."""
    modules: list[Any] = []
    weights = iter(inputs.weights)
    flattened = None
    for layer, before, after in workload.shapes():
        match layer:
            case Convolution(filters=filters, kernel_size=size):
                module: Any = nn.Conv2d(before[-1], filters, size)
                kernel, bias = next(weights)
                _set(module, kernel.transpose(3, 2, 0, 1), bias)
                modules += [module, nn.ReLU()]
            case MaxPooling(size=size):
                modules.append(nn.MaxPool2d(size))
            case Flatten():
                modules.append(nn.Flatten())
                flattened = before
            case Dense(neurons=neurons, activation=activation):
                module = nn.Linear(before[0], neurons)
                kernel, bias = next(weights)
                if flattened is not None:
                    # PyTorch flattens channel, row, column; the kernel counts row, column, channel.
                    by_axis = kernel.reshape(*flattened, neurons).transpose(2, 0, 1, 3)
                    kernel = by_axis.reshape(before[0], neurons)
                    flattened = None
                _set(module, kernel.T, bias)
                modules.append(module)
                if activation == "relu":
                    modules.append(nn.ReLU())
        del after
    return nn.Sequential(*modules)


def _set(module: Any, kernel: np.ndarray, bias: np.ndarray) -> None:
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(np.ascontiguousarray(kernel)))
        module.bias.copy_(torch.from_numpy(bias))


class TorchTrainer(Trainer):
    """The network with its loop over batches."""

    def __init__(
        self, workload: Workload, inputs: Inputs, *, shuffle: bool, mode: str, layout: str
    ) -> None:
        memory_format = MEMORY_FORMATS[layout]
        network: Any = build(workload, inputs)
        self.model: Any = network.to(memory_format=memory_format)
        self.images = torch.from_numpy(inputs.images.transpose(0, 3, 1, 2)).contiguous(
            memory_format=memory_format
        )
        self.labels = torch.from_numpy(inputs.labels.astype(np.int64))
        self.batch_size = workload.batch_size
        self.shuffle = shuffle
        self.random = torch.Generator().manual_seed(0)
        self.kernels = [p for p in self.model.parameters() if p.ndim > 1]
        self.l2 = workload.l2
        self.adam = workload.optimizer == "adam"
        self.steps = 0
        self.optimizer = self._optimizer(workload)
        self.loss: Callable[..., Any] = self._loss
        if mode == "compile":
            # The last, smaller batch gets a program of its own instead of one for every size.
            self.loss = torch.compile(self._loss, dynamic=False)

    def _optimizer(self, workload: Workload) -> Any:
        # Weight decay of 2 * l2 is the gradient of l2 * sum(kernel**2).
        groups: list[Any] = [
            {"params": self.kernels, "weight_decay": 2 * workload.l2},
            {"params": [p for p in self.model.parameters() if p.ndim == 1]},
        ]
        if workload.optimizer == "adam":
            return torch.optim.Adam(groups, lr=workload.learning_rate, fused=True)
        return torch.optim.SGD(groups, lr=workload.learning_rate, fused=True)

    def _loss(self, images: Any, labels: Any) -> Any:
        return cross_entropy(self.model(images), labels)

    def _before_step(self) -> None:
        # Keras adds Adam's epsilon before the second moment is corrected for its start at zero,
        # PyTorch after it. This makes PyTorch's update Keras's.
        self.steps += 1
        if self.adam:
            epsilon = 1e-7 / (1 - 0.999**self.steps) ** 0.5
            for group in self.optimizer.param_groups:
                group["eps"] = epsilon

    def _penalty(self) -> Any:
        with torch.no_grad():
            return self.l2 * sum(kernel.square().sum() for kernel in self.kernels)

    def train(self, epochs: int, on_first_step: FirstStep | None = None) -> list[float]:
        """Run the loop.

        Without shuffling, as the comparison of losses asks for it, the penalty is part of the
        loss as it is in Keras; otherwise only its gradient is computed.
        """
        n = len(self.labels)
        losses = []
        for _ in range(epochs):
            total = torch.zeros(())
            order = torch.randperm(n, generator=self.random) if self.shuffle else torch.arange(n)
            for batch in order.split(self.batch_size):
                if not self.shuffle and self.l2:
                    total += self._penalty() * len(batch)
                loss = self.loss(self.images[batch], self.labels[batch])
                loss.backward()
                self._before_step()
                self.optimizer.step()
                self.optimizer.zero_grad(set_to_none=True)
                total += loss.detach() * len(batch)
                if on_first_step is not None:
                    on_first_step()
                    on_first_step = None
            losses.append(float(total) / n)
        return losses
