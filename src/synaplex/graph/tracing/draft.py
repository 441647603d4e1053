"""Layers under construction."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Int
from torch import Tensor

from synaplex.graph.link import Link
from synaplex.graph.tracing.axis import Axis


@dataclass(eq=False)
class Draft:
    """A layer under construction.

    Attributes
    ----------
    name
        What the graph will call it.
    shape
        Shape of one activation.
    base
        Number of its first neuron; the others follow in C order.
    axes
        One for each dimension of `shape`.
    is_input
        Whether it is fed from outside the model.
    incoming
        Layers that feed it, each with the link; the links get their layer indices when the graph is built.
    bias
        Sum of the biases added to it.
    summary_of
        For a mean, a variance or the like, the layers it was taken of: what a normalisation divides by.
    product
        Whether it holds sums of products of activations, by links that carry one number each.
    """

    name: str
    shape: tuple[int, ...]
    base: int
    axes: tuple[Axis, ...]
    is_input: bool = False
    incoming: list[tuple[Draft, Link]] = field(default_factory=list)
    bias: Tensor | None = None
    summary_of: frozenset[Draft] = frozenset()
    product: bool = False

    @property
    def size(self) -> int:
        """Number of neurons."""
        return math.prod(self.shape)

    @property
    def ids(self) -> Int[Tensor, ...]:
        """The numbers of its neurons in its shape."""
        return torch.arange(self.base, self.base + self.size).view(self.shape)
