"""Networks for the tests of encoders, and the same with hidden neurons in another order."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import torch
from torch import nn

import synaplex as sx
from synaplex.encoders import MessageGraph
from synaplex.graph import NeuralGraph


def dense(networks: int | None, *widths: int, seed: int = 0, zeros: float = 0.0, spread: bool = False) -> NeuralGraph:
    """Random weights; a share of them zero, and with `spread` a scale of its own for each network."""
    generator = torch.Generator().manual_seed(seed)
    lead = () if networks is None else (networks,)
    scale = torch.rand(*lead, 1, 1, generator=generator) + 0.5 if spread else torch.ones(())
    weights = []
    for a, b in pairwise(widths):
        weight = torch.randn(*lead, b, a, generator=generator) * scale
        weights.append(weight * (torch.rand(weight.shape, generator=generator) >= zeros))
    biases = [torch.randn(*lead, b, generator=generator) for b in widths[1:]]
    return NeuralGraph.from_weights(weights, biases)


def renumbered(graph: NeuralGraph, seed: int = 1) -> NeuralGraph:
    """The same feed-forward network with the neurons of each hidden layer in another order."""
    generator = torch.Generator().manual_seed(seed)
    orders = [torch.randperm(size, generator=generator) for size in graph.sizes]
    orders[0], orders[-1] = torch.arange(graph.sizes[0]), torch.arange(graph.sizes[-1])
    weights = [link.to_dense()[..., orders[link.target], :][..., orders[link.source]] for link in graph.links]
    return NeuralGraph.from_weights(weights, [graph.biases[i][..., orders[i]] for i in range(1, len(orders))])


def doubled(graph: MessageGraph) -> MessageGraph:
    """The same edges with features in float64."""
    incoming = tuple(tuple(replace(e, features=e.features.double()) for e in group) for group in graph.incoming)
    forward = tuple((target, replace(e, features=e.features.double())) for target, e in graph.forward)
    return replace(graph, incoming=incoming, forward=forward)


class Residual(nn.Module):
    """Convolutions, normalisation, a residual connection over one layer, pooling and a Linear."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 8, 3, padding=1)
        self.third = nn.Conv2d(8, 6, 5, stride=2, padding=2)
        self.short = nn.Conv2d(8, 6, 1, stride=2)
        self.last = nn.Linear(6, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.norm(self.first(x)))
        x = torch.relu(x + self.second(x))
        return self.last(torch.relu(self.third(x) + self.short(x)).mean((2, 3)))


def initialised(model: nn.Module, seed: int = 0) -> nn.Module:
    """A model at evaluation, with every parameter and statistic drawn from a seed."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in model.parameters():
            value.copy_(torch.randn(value.shape, generator=generator) * 0.5)
        for name, value in model.named_buffers():
            if name.endswith("running_var"):
                value.copy_(torch.rand(value.shape, generator=generator) + 0.5)
    return model.eval()


def residual(seed: int = 0) -> NeuralGraph:
    return sx.graph(initialised(Residual(), seed), torch.zeros(1, 3, 8, 8))


def convolutional(seed: int = 0) -> NeuralGraph:
    """Conv, normalisation, max-pooling, Conv, Flatten, Linear."""
    model = nn.Sequential(
        nn.Conv2d(2, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(5, 7, 2), nn.ReLU(), nn.Flatten(),
        nn.Linear(28, 3),
    )  # fmt: skip
    return sx.graph(initialised(model, seed), torch.zeros(1, 2, 8, 8))
