"""Parallel links: edges that join the same pair of neurons are one edge with the sum of their weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch

from synaplex.graph.conv_merge import add_convolutions
from synaplex.graph.conv_transpose import ConvTransposeLink
from synaplex.graph.dense import DenseLink
from synaplex.graph.diagonal import DiagonalLink
from synaplex.graph.gain import GainLink
from synaplex.graph.identity import IdentityLink
from synaplex.graph.link import Link
from synaplex.graph.repeated import RepeatedLink
from synaplex.graph.sparse import SparseLink
from synaplex.graph.sum import SumLink
from synaplex.graph.transposed import TransposedLink

_FEW = 2**22
"""Edges that are summed one by one without a second thought: some 100 MB."""


def add_links(first: Link, second: Link) -> Link:
    """One link whose edges carry the summed weights of two links between the same layers.

    `Link.map` acts on edges, so parallel links must be summed before any weight is squared or made absolute.
    The sum is in float64, whatever the weights are stored in: dense where either is, a diagonal where both are, a
    convolution where there is one with all their edges, sparse where edges are few, and else a `SumLink`. Cost: that of
    writing the result.
    """
    name = "+".join(filter(None, (first.name, second.name)))
    total = _add(first.to(torch.float64), second.to(torch.float64))
    return replace(total, source=first.source, target=first.target, name=name)


def _add(first: Link, second: Link) -> Link:
    if isinstance(first, DenseLink) or isinstance(second, DenseLink):
        return DenseLink(source=0, target=0, weight=first.to_dense() + second.to_dense())
    if isinstance(first, _DIAGONAL) and isinstance(second, _DIAGONAL):
        return DiagonalLink(source=0, target=0, gain=_gain(first) + _gain(second))
    convolution = add_convolutions(first, second)
    if convolution is not None:
        return convolution
    if isinstance(first, _TURNED) or isinstance(second, _TURNED):
        turned = add_convolutions(first.transpose(), second.transpose())
        if turned is not None:
            return turned.transpose()
    repeated = _add_repeated(first, second)
    if repeated is not None:
        return repeated
    small, large = sorted((first, second), key=lambda link: link.edge_count)
    batched_sparse = large.networks is not None and isinstance(large, SparseLink)
    if batched_sparse or large.edge_count <= _FEW:
        return SparseLink.total([first.to_sparse(), second.to_sparse()])
    return SumLink(source=0, target=0, large=large, small=small)


_DIAGONAL = (DiagonalLink, GainLink, IdentityLink)
_TURNED = (TransposedLink, ConvTransposeLink)


def _gain(link: DiagonalLink | GainLink | IdentityLink) -> torch.Tensor:
    return link.gain if isinstance(link, DiagonalLink) else link.to_diagonal().gain


def _add_repeated(first: Link, second: Link) -> RepeatedLink | None:
    """The sum of links that repeat along the same positions."""
    if not isinstance(first, RepeatedLink):
        first, second = second, first
    if not isinstance(first, RepeatedLink):
        return None
    if isinstance(second, IdentityLink) and first.link.in_size == first.link.out_size:
        second = RepeatedLink(source=0, target=0, link=replace(second, size=first.link.in_size), times=first.times)
    if not isinstance(second, RepeatedLink) or second.times != first.times:
        return None
    return replace(first, link=add_links(first.link, second.link))


def merge_parallel(links: Iterable[Link]) -> tuple[Link, ...]:
    """Links with every group of parallel links (same source, same target) summed into one."""
    merged: dict[tuple[int, int], Link] = {}
    for link in links:
        pair = (link.source, link.target)
        merged[pair] = add_links(merged[pair], link) if pair in merged else link
    return tuple(merged.values())


def merge_undirected(links: Iterable[Link]) -> tuple[Link, ...]:
    """Links of the undirected graph: one per pair of layers, source index not above target index.

    Antiparallel edges add. A link within a layer becomes W + W^T with the diagonal counted once, so that its
    matrix is the symmetric adjacency matrix of that layer.
    """
    forward = [link if link.source <= link.target else link.transpose() for link in links]
    return tuple(_symmetric(link) if link.source == link.target else link for link in merge_parallel(forward))


def _symmetric(link: Link) -> Link:
    if isinstance(link, _DIAGONAL):
        return link
    if isinstance(link, RepeatedLink):
        return replace(link, link=_symmetric(link.link))
    if isinstance(link, DenseLink):
        weight = link.weight.double()
        return replace(link, weight=weight + weight.mT - torch.diag_embed(weight.diagonal(dim1=-2, dim2=-1)))
    edges = link.to_sparse()
    off_diagonal = edges.row != edges.column
    mirrored = edges.transpose()
    return (
        add_links(edges, mirrored.map(lambda weight: weight * (mirrored.row != mirrored.column)))
        if bool(off_diagonal.any())
        else link
    )
