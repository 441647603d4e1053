"""Diagonal links: each neuron joined to the one at the same place, by a weight of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.graph.link import Elementwise, Link
from synaplex.graph.sparse import SparseLink


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class DiagonalLink(Link):
    """A diagonal matrix, as of a gain or of batch normalisation at evaluation.

    Attributes
    ----------
    gain
        ``(*networks, size)``: the weight between neuron i of the source and neuron i of the target.
    """

    gain: Float[Tensor, "*networks size"]

    @property
    def in_size(self) -> int:
        return self.gain.shape[-1]

    @property
    def out_size(self) -> int:
        return self.gain.shape[-1]

    @property
    def networks(self) -> int | None:
        return self.gain.shape[0] if self.gain.ndim == 2 else None

    @property
    def weights(self) -> Tensor:
        return self.gain

    @property
    def multiplicity(self) -> Int[Tensor, " count"]:
        return torch.ones(self.in_size, dtype=torch.long, device=self.gain.device)

    def forward(self, x: Float[Tensor, "*batch source"]) -> Float[Tensor, "*batch2 target"]:
        return self.gain.to(x.dtype) * x

    def backward(self, y: Float[Tensor, "*batch target"]) -> Float[Tensor, "*batch2 source"]:
        return self.gain.to(y.dtype) * y

    def map(self, function: Elementwise) -> DiagonalLink:
        return replace(self, gain=function(self.gain))

    def to_dense(self) -> Float[Tensor, "*networks target source"]:
        return torch.diag_embed(self.gain)

    def to_sparse(self) -> SparseLink:
        gain = self.gain if self.networks is not None else self.gain[None]
        network, place = gain.nonzero(as_tuple=True)
        return SparseLink.from_edges(
            place,
            place,
            gain[network, place],
            (self.out_size, self.in_size),
            network=None if self.networks is None else network,
            networks=self.networks,
            source=self.source,
            target=self.target,
            name=self.name,
        )

    def transpose(self) -> DiagonalLink:
        return replace(self, source=self.target, target=self.source)

    def network(self, index: int) -> DiagonalLink:
        return replace(self, gain=self.gain[index])

    def subset(self, start: int, stop: int) -> DiagonalLink:
        return replace(self, gain=self.gain[start:stop])
