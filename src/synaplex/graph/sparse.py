"""Sparse links: existing connections only, in compressed rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.graph.link import Elementwise, Link


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SparseLink(Link):
    """Weights in compressed sparse rows (CSR).

    A batch of networks is one block-diagonal matrix, so that topologies may differ between networks.

    Attributes
    ----------
    row_start
        ``(networks * out + 1,)``: where each row of the (block-diagonal) matrix starts in `column` and
        `weight`.
    column
        Source neuron of each edge, within its own network.
    weight
        Weight of each edge.
    shape
        ``(out, in)`` of one network.
    batch
        Number of networks, or None for a single one.
    """

    row_start: Int[Tensor, " rows1"]
    column: Int[Tensor, " edges"]
    weight: Float[Tensor, " edges"]
    shape: tuple[int, int]
    batch: int | None = None

    @classmethod
    def from_edges(
        cls,
        row: Int[Tensor, " edges"],
        column: Int[Tensor, " edges"],
        weight: Float[Tensor, " edges"],
        shape: tuple[int, int],
        *,
        network: Int[Tensor, " edges"] | None = None,
        networks: int | None = None,
        source: int,
        target: int,
        name: str = "",
    ) -> SparseLink:
        """Build from a list of edges; edges that join the same pair of neurons are summed."""
        out_size, in_size = shape
        rows = out_size * (1 if networks is None else networks)
        block_row = row if network is None else network * out_size + row
        key, place = torch.unique(block_row * in_size + column, return_inverse=True)
        summed = torch.zeros(len(key), dtype=weight.dtype, device=weight.device).index_add(0, place, weight)
        block_row = key // max(in_size, 1)
        count = torch.bincount(block_row, minlength=rows)
        row_start = torch.cat([count.new_zeros(1), count.cumsum(0)])
        return cls(
            row_start=row_start,
            column=key % max(in_size, 1),
            weight=summed,
            shape=shape,
            batch=networks,
            source=source,
            target=target,
            name=name,
        )

    @classmethod
    def total(cls, links: Sequence[SparseLink]) -> SparseLink:
        """The sum of links of one shape."""
        first = links[0]
        return cls.from_edges(
            torch.cat([link.row for link in links]),
            torch.cat([link.column for link in links]),
            torch.cat([link.weight for link in links]),
            first.shape,
            network=None if first.batch is None else torch.cat([link.edge_network for link in links]),
            networks=first.batch,
            source=first.source,
            target=first.target,
            name=first.name,
        )

    @property
    def in_size(self) -> int:
        return self.shape[1]

    @property
    def out_size(self) -> int:
        return self.shape[0]

    @property
    def networks(self) -> int | None:
        return self.batch

    @property
    def weights(self) -> Tensor:
        return self.weight

    @property
    def multiplicity(self) -> Int[Tensor, " count"]:
        return torch.ones_like(self.column)

    @cached_property
    def _block_row(self) -> Tensor:
        # How many rows have ended by each edge; far faster than repeat_interleave on small links.
        ended = torch.zeros(len(self.column) + 1, dtype=torch.long, device=self.column.device)
        ends = self.row_start[1:-1]
        return ended.index_add(0, ends, torch.ones_like(ends))[:-1].cumsum(0)

    @cached_property
    def _block_column(self) -> Tensor:
        return self.column if self.batch is None else self.edge_network * self.in_size + self.column

    @property
    def edge_network(self) -> Int[Tensor, " edges"]:
        """Network of each edge (zeros for a single network)."""
        return self._block_row // max(self.out_size, 1)

    @property
    def row(self) -> Int[Tensor, " edges"]:
        """Target neuron of each edge, within its own network."""
        return self._block_row if self.batch is None else self._block_row % max(self.out_size, 1)

    def _product(self, vector: Tensor, read: Tensor, write: Tensor, size_in: int, size_out: int) -> Tensor:
        networks = 1 if self.batch is None else self.batch
        if self.batch is None:
            flat, lead = vector, vector.shape[:-1]
        else:
            vector = (
                vector.expand(*vector.shape[:-2], networks, size_in) if vector.ndim > 1 else vector.expand(networks, -1)
            )
            flat, lead = vector.flatten(-2), vector.shape[:-2]
        products = flat[..., read] * self.weight.to(vector.dtype)
        out = products.new_zeros(*lead, networks * size_out).index_add(-1, write, products)
        return out if self.batch is None else out.reshape(*lead, networks, size_out)

    def forward(self, x: Float[Tensor, "*batch source"]) -> Float[Tensor, "*batch2 target"]:
        return self._product(x, self._block_column, self._block_row, self.in_size, self.out_size)

    def backward(self, y: Float[Tensor, "*batch target"]) -> Float[Tensor, "*batch2 source"]:
        return self._product(y, self._block_row, self._block_column, self.out_size, self.in_size)

    def map(self, function: Elementwise) -> SparseLink:
        return replace(self, weight=function(self.weight))

    def drop_below(self, threshold: Float[Tensor, "*networks"]) -> SparseLink:
        at_edge = threshold if self.batch is None else threshold[self.edge_network]
        return self.map(lambda weight: weight * (weight.abs() >= at_edge))

    def entries(self, row: Int[Tensor, " pairs"], column: Int[Tensor, " pairs"]) -> Float[Tensor, "*networks pairs"]:
        networks = 1 if self.batch is None else self.batch
        key, order = (self._block_row * self.in_size + self.column).sort()
        first = torch.arange(networks, device=row.device)[:, None] * self.out_size
        wanted = (first + row) * self.in_size + column
        if not len(key):
            found = self.weight.new_zeros(wanted.shape)
        else:
            place = torch.searchsorted(key, wanted).clamp(max=len(key) - 1)
            found = torch.where(key[place] == wanted, self.weight[order[place]], 0)
        return found[0] if self.batch is None else found

    def to_dense(self) -> Float[Tensor, "*networks target source"]:
        networks = 1 if self.batch is None else self.batch
        dense = self.weight.new_zeros(networks, *self.shape)
        dense = dense.index_put((self.edge_network, self.row, self.column), self.weight, accumulate=True)
        return dense[0] if self.batch is None else dense

    def to_sparse(self) -> SparseLink:
        return self._rebuild(self.weight != 0)

    def _rebuild(self, keep: Tensor) -> SparseLink:
        return SparseLink.from_edges(
            self.row[keep],
            self.column[keep],
            self.weight[keep],
            self.shape,
            network=None if self.batch is None else self.edge_network[keep],
            networks=self.batch,
            source=self.source,
            target=self.target,
            name=self.name,
        )

    def transpose(self) -> SparseLink:
        return SparseLink.from_edges(
            self.column,
            self.row,
            self.weight,
            (self.in_size, self.out_size),
            network=None if self.batch is None else self.edge_network,
            networks=self.batch,
            source=self.target,
            target=self.source,
            name=self.name,
        )

    def network(self, index: int) -> SparseLink:
        return replace(self.subset(index, index + 1), batch=None)

    def subset(self, start: int, stop: int) -> SparseLink:
        rows = self.row_start[start * self.out_size : stop * self.out_size + 1]
        first, last = int(rows[0]), int(rows[-1])
        return replace(
            self,
            row_start=rows - first,
            column=self.column[first:last],
            weight=self.weight[first:last],
            batch=stop - start,
        )
