"""What the tests of traced graphs share: small models, and the map that a graph's links make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from synaplex.graph import NeuralGraph


class Model(nn.Module):
    """Modules by name, and a forward pass given as a function of them and the input."""

    def __init__(self, run: Callable[..., Any], **parts: nn.Module | nn.Parameter) -> None:
        super().__init__()
        self.run = run
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x: Tensor) -> Any:
        return self.run(self, x)


def weights(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(shape))


def through(graph: NeuralGraph, *inputs: Tensor) -> list[Tensor]:
    """What the links make of values at the input layers, for each output layer; biases left aside."""
    values = dict(enumerate(inputs))
    for i, layer in enumerate(graph.layers):
        if layer.role == "input":
            continue
        parts = [link.to(torch.float64).forward(values[link.source]) for link in graph.links if link.target == i]
        values[i] = torch.stack(parts).sum(0)
    return [values[i] for i, layer in enumerate(graph.layers) if layer.role == "output"]


def derivative(model: nn.Module, *directions: Tensor) -> list[Tensor]:
    """The derivative of a model along a direction, by autograd, at a random point."""
    points = tuple(torch.randn_like(direction) for direction in directions)
    with sdpa_kernel(SDPBackend.MATH):  # the others have no second derivative
        made = torch.autograd.functional.jvp(model.double().eval(), points, directions)[1]
    return list(made) if isinstance(made, tuple) else [made]
