"""Parallel links: edges that join the same pair of neurons are one edge with the sum of their weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch

from synaplex.graph.dense import DenseLink
from synaplex.graph.link import Link
from synaplex.graph.sparse import SparseLink


def add_links(first: Link, second: Link) -> Link:
    """One link whose edges carry the summed weights of two links between the same layers.

    `Link.map` acts on edges, so parallel links must be summed before any weight is squared or made absolute.
    The sum is in float64, whatever the weights are stored in; dense where either is, sparse otherwise. Cost:
    that of writing the result.
    """
    name = "+".join(filter(None, (first.name, second.name)))
    first, second = first.to(torch.float64), second.to(torch.float64)
    if isinstance(first, DenseLink) or isinstance(second, DenseLink):
        total = first.to_dense() + second.to_dense()
        return DenseLink(source=first.source, target=first.target, name=name, weight=total)
    left, right = first.to_sparse(), second.to_sparse()
    return SparseLink.from_edges(
        torch.cat([left.row, right.row]),
        torch.cat([left.column, right.column]),
        torch.cat([left.weight, right.weight]),
        left.shape,
        network=None if left.networks is None else torch.cat([left.edge_network, right.edge_network]),
        networks=left.networks,
        source=first.source,
        target=first.target,
        name=name,
    )


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
