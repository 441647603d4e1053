"""The Laplacian of one network as an operator: what iterative forms of the flow measures multiply by."""

from __future__ import annotations

from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.graph import Adjacency
from synaplex.measures.compressed import compressed


class Laplacian:
    """L = D - A of one network without self-loops, and its preconditioner.

    Parameters
    ----------
    view
        Of a single network, without self-loops.

    Attributes
    ----------
    strength
        The diagonal D.
    scale
        The preconditioner, sum_j |w_ij|; 1 for neurons without an edge.
    labels, sizes
        Component of each neuron, and neurons of each component.
    signed
        Whether an edge is negative; L is then not positive semidefinite.
    edges
        Number of edges.
    """

    def __init__(self, view: Adjacency) -> None:
        self.view = compressed(view)
        self.strength: Float[Tensor, " neurons"] = self.view.strength
        self.signed = any(bool((link.weights < 0).any()) for link in view.links)
        absolute = self.view.map(torch.abs).strength if self.signed else self.strength
        self.scale = torch.where(absolute > 0, absolute, 1)
        self.labels: Int[Tensor, " neurons"] = view.components
        self.sizes = torch.bincount(self.labels)
        self.edges = sum(link.edge_count for link in view.links)
        self.two_sided = view.sides is not None

    @property
    def neurons(self) -> int:
        """Number of neurons."""
        return len(self.strength)

    def product(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """L x."""
        return torch.addcmul(-self.view.product(x), self.strength, x)

    def centered(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """X without its mean over each component: without its part in the null space of L."""
        return x - (self.summed(x) / self.sizes)[..., self.labels]

    def summed(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch components"]:
        """The sum of x over each component."""
        if len(self.sizes) == 1:
            return x.sum(-1, keepdim=True)
        return x.new_zeros(*x.shape[:-1], len(self.sizes)).index_add(-1, self.labels, x)

    def normalized(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """M x with M = D^-1/2 A D^-1/2, for positive weights."""
        root = self.scale.rsqrt()
        return root * self.view.product(root * x)

    def projected(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """X without its parts along the known eigenvectors of M: those of 1 and, with two sides, of -1."""
        labels, weight = self._groups
        root = self.strength.clamp_min(0).sqrt()
        sums = x.new_zeros(*x.shape[:-1], len(weight)).index_add(-1, labels, root * x)
        rest: Tensor = (x - root * (sums / weight)[..., labels]) * (root > 0)
        return rest

    @cached_property
    def _groups(self) -> tuple[Tensor, Tensor]:
        """The part of a component on one side (the component itself without sides), and the summed strength of each."""
        labels = self.labels
        sides = self.view.sides
        if sides is not None:
            labels = 2 * labels
            labels[sides.small_index] += 1
        weight = self.strength.new_zeros(int(labels.max()) + 1).index_add(0, labels, self.strength)
        return labels, torch.where(weight > 0, weight, 1)

    @cached_property
    def volume(self) -> Float[Tensor, " neurons"]:
        """The summed strength of each neuron's component, 1 where that is 0."""
        volume = self.summed(self.strength)
        return torch.where(volume > 0, volume, 1)[self.labels]

    @cached_property
    def squares(self) -> Float[Tensor, " neurons"]:
        """sum_j w_ij^2 / s_j for positive weights."""
        return self.view.map(torch.square).product(1 / self.scale)
