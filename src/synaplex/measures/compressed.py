"""Products with many vectors at once: what iterative forms of measures spend their time on."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.graph import Adjacency, Link, SparseLink


def compressed(view: Adjacency) -> Adjacency:
    """The graph of one network, whose sparse links answer products by compressed-row kernels, some 30 times faster.

    All links are held in float64. Other links are as they were.
    """
    links = [_compress(link) if isinstance(link, SparseLink) else link for link in view.links]
    return Adjacency(view.sizes, links, view.networks, view.device)


def _compress(link: SparseLink) -> Link:
    edges = link.to_sparse()
    return CompressedLink(**{field.name: getattr(edges, field.name) for field in fields(edges)})


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class CompressedLink(SparseLink):
    """A sparse link of a single network in both orders of compression: by rows, and by columns."""

    @cached_property
    def _by_rows(self) -> Tensor:
        return _matrix(self)

    @cached_property
    def _by_columns(self) -> Tensor:
        return _matrix(self.transpose())

    def forward(self, x: Float[Tensor, "*batch source"]) -> Float[Tensor, "*batch2 target"]:
        return _product(self._by_rows, x)

    def backward(self, y: Float[Tensor, "*batch target"]) -> Float[Tensor, "*batch2 source"]:
        return _product(self._by_columns, y)


def _matrix(link: SparseLink) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        return torch.sparse_csr_tensor(link.row_start, link.column, link.weight, link.shape, check_invariants=True)


def _product(matrix: Tensor, x: Tensor) -> Tensor:
    columns = x.reshape(-1, x.shape[-1]).mT
    return (matrix @ columns).mT.reshape(*x.shape[:-1], matrix.shape[0])
