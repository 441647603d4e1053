"""Sums of parallel links that are kept apart as long as that is exact."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.errors import GraphTooLargeError
from synaplex.graph.link import Elementwise, Link
from synaplex.graph.sparse import SparseLink
from synaplex.graph.transposed import TransposedLink

EDGES = 2**27
"""How many edges a sum writes down one by one, some 3 GB."""


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SumLink(Link):
    """Two links between the same layers; edges of the same two neurons are one edge with the sum of their weights.

    Products add up. A map acts on summed edges: it changes the larger link as a whole, and the edges of the smaller
    one by what is missing, so that the larger is never written down edge by edge.

    Attributes
    ----------
    large, small
        The two links; `small` has the fewer edges.
    function
        What the summed weights have been mapped by, or None.
    """

    large: Link
    small: Link
    function: Elementwise | None = None

    @cached_property
    def parts(self) -> tuple[Link, Link]:
        """Two links whose products add up to those of the mapped sum."""
        if self.function is None:
            return self.large, self.small
        row, column = self._pairs
        before = self.large.entries(row, column)
        after = before + self.small.entries(row, column)
        change = self.function(after) - self.function(before)
        return self.large.map(self.function), self._edges(row, column, change)

    @cached_property
    def _pairs(self) -> tuple[Int[Tensor, " pairs"], Int[Tensor, " pairs"]]:
        """The neurons that the smaller link joins in any network."""
        _refuse(self.small)
        edges = self.small.to_sparse()
        key = torch.unique(edges.row * self.in_size + edges.column)
        return key // self.in_size, key % self.in_size

    def _edges(self, row: Tensor, column: Tensor, weight: Tensor) -> SparseLink:
        networks = self.networks
        network = None
        if networks is not None:
            network = torch.arange(networks, device=row.device)[:, None].expand(weight.shape).flatten()
            row, column = row.expand(weight.shape).flatten(), column.expand(weight.shape).flatten()
        return SparseLink.from_edges(
            row,
            column,
            weight.flatten(),
            (self.out_size, self.in_size),
            network=network,
            networks=networks,
            source=self.source,
            target=self.target,
            name=self.name,
        )

    @property
    def in_size(self) -> int:
        return self.large.in_size

    @property
    def out_size(self) -> int:
        return self.large.out_size

    @property
    def networks(self) -> int | None:
        return self.large.networks

    @property
    def weights(self) -> Tensor:
        return self.to_sparse().weights

    @property
    def multiplicity(self) -> Int[Tensor, " count"]:
        return self.to_sparse().multiplicity

    @property
    def stored(self) -> int:
        return self.large.stored + self.small.stored

    @property
    def device(self) -> torch.device:
        return self.large.device

    @property
    def dtype(self) -> torch.dtype:
        return torch.promote_types(self.large.dtype, self.small.dtype)

    def to(self, dtype: torch.dtype) -> SumLink:
        if self.large.dtype == self.small.dtype == dtype:
            return self
        return replace(self, large=self.large.to(dtype), small=self.small.to(dtype))

    def forward(self, x: Float[Tensor, "*batch source"]) -> Float[Tensor, "*batch2 target"]:
        first, second = self.parts
        return first.forward(x) + second.forward(x)

    def backward(self, y: Float[Tensor, "*batch target"]) -> Float[Tensor, "*batch2 source"]:
        first, second = self.parts
        return first.backward(y) + second.backward(y)

    def map(self, function: Elementwise) -> SumLink:
        before = self.function
        return replace(self, function=function if before is None else lambda weight: function(before(weight)))

    def drop_below(self, threshold: Float[Tensor, "*networks"]) -> Link:
        return self.to_sparse().drop_below(threshold)

    def entries(self, row: Int[Tensor, " pairs"], column: Int[Tensor, " pairs"]) -> Float[Tensor, "*networks pairs"]:
        total = self.large.entries(row, column) + self.small.entries(row, column)
        return total if self.function is None else self.function(total)

    def to_dense(self) -> Float[Tensor, "*networks target source"]:
        return self.to_sparse().to_dense()

    def to_sparse(self) -> SparseLink:
        _refuse(self.large)
        total = SparseLink.total([self.large.to_sparse(), self.small.to_sparse()])
        total = total if self.function is None else total.map(self.function)
        return replace(total, source=self.source, target=self.target, name=self.name).to_sparse()

    def transpose(self) -> Link:
        return TransposedLink.of(self)

    def network(self, index: int) -> SumLink:
        return replace(self, large=self.large.network(index), small=self.small.network(index))

    def subset(self, start: int, stop: int) -> SumLink:
        return replace(self, large=self.large.subset(start, stop), small=self.small.subset(start, stop))


def _refuse(link: Link) -> None:
    if link.edge_count > EDGES:
        raise GraphTooLargeError(
            f"{link!r} has {link.edge_count:,} edges and runs beside another link between the same layers; their sums "
            f"are formed edge by edge up to {EDGES:,}"
        )
