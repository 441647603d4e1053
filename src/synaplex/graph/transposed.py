"""Transposed links: any link read from its target to its source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.graph.link import Elementwise, Link
from synaplex.graph.sparse import SparseLink


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class TransposedLink(Link):
    """The link whose matrix is W^T.

    Attributes
    ----------
    link
        The one with matrix W; its own source and target are not read.
    """

    link: Link

    @classmethod
    def of(cls, link: Link) -> TransposedLink:
        """The transpose of a link, between its layers."""
        return cls(source=link.target, target=link.source, name=link.name, link=link)

    def _apply(self, function: Callable[[Link], Link]) -> TransposedLink:
        return replace(self, link=function(self.link))

    @property
    def in_size(self) -> int:
        return self.link.out_size

    @property
    def out_size(self) -> int:
        return self.link.in_size

    @property
    def networks(self) -> int | None:
        return self.link.networks

    @property
    def weights(self) -> Tensor:
        return self.link.weights

    @property
    def multiplicity(self) -> Int[Tensor, " count"]:
        return self.link.multiplicity

    @property
    def stored(self) -> int:
        return self.link.stored

    @property
    def dtype(self) -> torch.dtype:
        return self.link.dtype

    def to(self, dtype: torch.dtype) -> Link:
        return self if self.dtype == dtype else self._apply(lambda link: link.to(dtype))

    def forward(self, x: Float[Tensor, "*batch source"]) -> Float[Tensor, "*batch2 target"]:
        return self.link.backward(x)

    def backward(self, y: Float[Tensor, "*batch target"]) -> Float[Tensor, "*batch2 source"]:
        return self.link.forward(y)

    def map(self, function: Elementwise) -> TransposedLink:
        return self._apply(lambda link: link.map(function))

    def drop_below(self, threshold: Float[Tensor, "*networks"]) -> Link:
        return self._apply(lambda link: link.drop_below(threshold))

    def entries(self, row: Int[Tensor, " pairs"], column: Int[Tensor, " pairs"]) -> Float[Tensor, "*networks pairs"]:
        return self.link.entries(column, row)

    def to_dense(self) -> Float[Tensor, "*networks target source"]:
        return self.link.to_dense().mT

    def to_sparse(self) -> SparseLink:
        return self.link.to_sparse().transpose().between(self.source, self.target)

    def transpose(self) -> Link:
        return self.link.between(self.target, self.source)

    def network(self, index: int) -> TransposedLink:
        return self._apply(lambda link: link.network(index))

    def subset(self, start: int, stop: int) -> TransposedLink:
        return self._apply(lambda link: link.subset(start, stop))
