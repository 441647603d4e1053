"""Dense links: a matrix of weights, as in a fully connected layer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.graph.link import Elementwise, Link
from synaplex.graph.sparse import SparseLink


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class DenseLink(Link):
    """Every source neuron joined to every target neuron.

    Attributes
    ----------
    weight
        ``(*networks, out, in)``, as torch stores it.
    """

    weight: Float[Tensor, "*networks target source"]

    @property
    def in_size(self) -> int:
        return self.weight.shape[-1]

    @property
    def out_size(self) -> int:
        return self.weight.shape[-2]

    @property
    def networks(self) -> int | None:
        return self.weight.shape[0] if self.weight.ndim == 3 else None

    @property
    def weights(self) -> Tensor:
        return self.weight.flatten(-2)

    @property
    def multiplicity(self) -> Int[Tensor, " count"]:
        return torch.ones((), dtype=torch.long, device=self.weight.device).expand(self.in_size * self.out_size)

    def forward(self, x: Float[Tensor, "*batch source"]) -> Float[Tensor, "*batch2 target"]:
        return _product(self.weight, x)

    def backward(self, y: Float[Tensor, "*batch target"]) -> Float[Tensor, "*batch2 source"]:
        return _product(self.weight.mT, y)

    def map(self, function: Elementwise) -> DenseLink:
        return replace(self, weight=function(self.weight))

    def entries(self, row: Int[Tensor, " pairs"], column: Int[Tensor, " pairs"]) -> Float[Tensor, "*networks pairs"]:
        return self.weight[..., row, column]

    def to_dense(self) -> Float[Tensor, "*networks target source"]:
        return self.weight

    def to_sparse(self) -> SparseLink:
        weight = self.weight if self.networks is not None else self.weight[None]
        network, row, column = weight.nonzero(as_tuple=True)
        return SparseLink.from_edges(
            row,
            column,
            weight[network, row, column],
            (self.out_size, self.in_size),
            network=None if self.networks is None else network,
            networks=self.networks,
            source=self.source,
            target=self.target,
            name=self.name,
        )

    def transpose(self) -> DenseLink:
        return replace(self, source=self.target, target=self.source, weight=self.weight.mT)

    def network(self, index: int) -> DenseLink:
        return replace(self, weight=self.weight[index])

    def subset(self, start: int, stop: int) -> DenseLink:
        return replace(self, weight=self.weight[start:stop])


def _product(matrix: Tensor, x: Tensor) -> Tensor:
    """W x for one or more x; those of one network in one matrix product, so that W is never repeated."""
    if x.ndim == 1 and not x.stride(0) and len(x):  # a constant: the sum of each row
        return matrix.sum(-1, dtype=x.dtype) * x[0]
    matrix = matrix.to(x.dtype)
    if matrix.ndim == 2:
        return x @ matrix.mT
    if x.ndim < 3:
        return (matrix @ x[..., None])[..., 0]
    columns = x.flatten(0, -3).permute(1, 2, 0)
    return (matrix @ columns).permute(2, 0, 1).reshape(*x.shape[:-2], matrix.shape[0], -1)
