"""Gain links: each channel or feature passed on by one weight, wherever it stands."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.graph.diagonal import DiagonalLink
from synaplex.graph.link import Elementwise, Link
from synaplex.graph.sparse import SparseLink


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class GainLink(Link):
    """A diagonal matrix whose entries are shared along some axes, as of a normalisation.

    Layers have shape ``(outer, count, inner)``; neuron (a, c, b) is joined to the one at the same place by gain[c].

    Attributes
    ----------
    gain
        ``(*networks, count)``.
    outer, inner
        How many neurons before and after share each gain.
    """

    gain: Float[Tensor, "*networks count"]
    outer: int = 1
    inner: int = 1

    @property
    def in_size(self) -> int:
        return self.outer * self.gain.shape[-1] * self.inner

    @property
    def out_size(self) -> int:
        return self.in_size

    @property
    def networks(self) -> int | None:
        return self.gain.shape[0] if self.gain.ndim == 2 else None

    @property
    def weights(self) -> Tensor:
        return self.gain

    @property
    def multiplicity(self) -> Int[Tensor, " count"]:
        return torch.full((self.gain.shape[-1],), self.outer * self.inner, device=self.gain.device)

    def forward(self, x: Float[Tensor, "*batch source"]) -> Float[Tensor, "*batch2 target"]:
        gain = self.gain.to(x.dtype)[..., None, :, None]
        return (x.reshape(*x.shape[:-1], self.outer, -1, self.inner) * gain).flatten(-3)

    def backward(self, y: Float[Tensor, "*batch target"]) -> Float[Tensor, "*batch2 source"]:
        return self.forward(y)

    def map(self, function: Elementwise) -> GainLink:
        return replace(self, gain=function(self.gain))

    def to_diagonal(self) -> DiagonalLink:
        """The same link with one weight an edge."""
        shape = (*self.gain.shape[:-1], self.outer, self.gain.shape[-1], self.inner)
        gain = self.gain[..., None, :, None].expand(shape).flatten(-3)
        return DiagonalLink(source=self.source, target=self.target, name=self.name, gain=gain)

    def to_dense(self) -> Float[Tensor, "*networks target source"]:
        return self.to_diagonal().to_dense()

    def to_sparse(self) -> SparseLink:
        return self.to_diagonal().to_sparse()

    def transpose(self) -> GainLink:
        return replace(self, source=self.target, target=self.source)

    def network(self, index: int) -> GainLink:
        return replace(self, gain=self.gain[index])

    def subset(self, start: int, stop: int) -> GainLink:
        return replace(self, gain=self.gain[start:stop])
