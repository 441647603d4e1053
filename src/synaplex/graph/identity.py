"""Identity links: a neuron passed on unchanged, as by a residual connection."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.graph.diagonal import DiagonalLink
from synaplex.graph.link import Elementwise, Link
from synaplex.graph.sparse import SparseLink


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class IdentityLink(Link):
    """The identity matrix times one weight, shared by all edges (1 for a residual addition).

    Attributes
    ----------
    size
        Number of neurons on either side.
    scale
        ``(*networks,)``: the weight that every edge carries.
    """

    size: int
    scale: Float[Tensor, "*networks"]

    @property
    def in_size(self) -> int:
        return self.size

    @property
    def out_size(self) -> int:
        return self.size

    @property
    def networks(self) -> int | None:
        return self.scale.shape[0] if self.scale.ndim == 1 else None

    @property
    def weights(self) -> Tensor:
        return self.scale[..., None]

    @property
    def multiplicity(self) -> Int[Tensor, " count"]:
        return torch.tensor([self.size], device=self.scale.device)

    def forward(self, x: Float[Tensor, "*batch source"]) -> Float[Tensor, "*batch2 target"]:
        return self.scale.to(x.dtype)[..., None] * x

    def backward(self, y: Float[Tensor, "*batch target"]) -> Float[Tensor, "*batch2 source"]:
        return self.forward(y)

    def map(self, function: Elementwise) -> IdentityLink:
        return replace(self, scale=function(self.scale))

    def to_diagonal(self) -> DiagonalLink:
        """The same link with one weight an edge."""
        gain = self.scale[..., None].expand(*self.scale.shape, self.size)
        return DiagonalLink(source=self.source, target=self.target, name=self.name, gain=gain)

    def to_dense(self) -> Float[Tensor, "*networks target source"]:
        return self.to_diagonal().to_dense()

    def to_sparse(self) -> SparseLink:
        return self.to_diagonal().to_sparse()

    def transpose(self) -> IdentityLink:
        return replace(self, source=self.target, target=self.source)

    def network(self, index: int) -> IdentityLink:
        return replace(self, scale=self.scale[index])

    def subset(self, start: int, stop: int) -> IdentityLink:
        return replace(self, scale=self.scale[start:stop])
