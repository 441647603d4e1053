"""Repeated links: the same link at every position, as of a linear map over tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.graph.link import Elementwise, Link
from synaplex.graph.sparse import SparseLink


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class RepeatedLink(Link):
    """One link for each of several positions, all with the same weights: a block-diagonal matrix.

    The source has shape ``(times, link.in_size)``, the target ``(times, link.out_size)``.

    Attributes
    ----------
    link
        The link of one position; its own source and target are not read.
    times
        Number of positions.
    """

    link: Link
    times: int

    def _apply(self, function: Callable[[Link], Link]) -> RepeatedLink:
        return replace(self, link=function(self.link))

    @property
    def in_size(self) -> int:
        return self.times * self.link.in_size

    @property
    def out_size(self) -> int:
        return self.times * self.link.out_size

    @property
    def networks(self) -> int | None:
        return self.link.networks

    @property
    def weights(self) -> Tensor:
        return self.link.weights

    @property
    def multiplicity(self) -> Int[Tensor, " count"]:
        return self.link.multiplicity * self.times

    @property
    def stored(self) -> int:
        return self.link.stored

    @property
    def dtype(self) -> torch.dtype:
        return self.link.dtype

    def to(self, dtype: torch.dtype) -> Link:
        return self if self.dtype == dtype else self._apply(lambda link: link.to(dtype))

    def forward(self, x: Float[Tensor, "*batch source"]) -> Float[Tensor, "*batch2 target"]:
        return self._at_each(x, self.link.forward)

    def backward(self, y: Float[Tensor, "*batch target"]) -> Float[Tensor, "*batch2 source"]:
        return self._at_each(y, self.link.backward)

    def _at_each(self, x: Tensor, product: Callable[[Tensor], Tensor]) -> Tensor:
        positions = x.reshape(*x.shape[:-1], self.times, -1)
        if self.networks is None:
            return product(positions).flatten(-2)
        networks_last = positions.transpose(-2, -3) if x.ndim > 1 else positions[:, None]
        return product(networks_last).transpose(-2, -3).flatten(-2)

    def map(self, function: Elementwise) -> RepeatedLink:
        return self._apply(lambda link: link.map(function))

    def drop_below(self, threshold: Float[Tensor, "*networks"]) -> Link:
        return self._apply(lambda link: link.drop_below(threshold))

    def entries(self, row: Int[Tensor, " pairs"], column: Int[Tensor, " pairs"]) -> Float[Tensor, "*networks pairs"]:
        same = row // self.link.out_size == column // self.link.in_size
        return self.link.entries(row % self.link.out_size, column % self.link.in_size) * same

    def to_dense(self) -> Float[Tensor, "*networks target source"]:
        return self.to_sparse().to_dense()

    def to_sparse(self) -> SparseLink:
        once = self.link.to_sparse()
        place = torch.arange(self.times, device=once.row.device)[:, None]
        network = None if once.batch is None else once.edge_network.repeat(self.times)
        return SparseLink.from_edges(
            (place * once.out_size + once.row).flatten(),
            (place * once.in_size + once.column).flatten(),
            once.weight.repeat(self.times),
            (self.out_size, self.in_size),
            network=network,
            networks=once.batch,
            source=self.source,
            target=self.target,
            name=self.name,
        )

    def transpose(self) -> RepeatedLink:
        return replace(self, source=self.target, target=self.source, link=self.link.transpose())

    def network(self, index: int) -> RepeatedLink:
        return self._apply(lambda link: link.network(index))

    def subset(self, start: int, stop: int) -> RepeatedLink:
        return self._apply(lambda link: link.subset(start, stop))
