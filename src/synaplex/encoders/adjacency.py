"""The normalised adjacency of nodes, as a whole or, where groups have two colours, as one bipartite block."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from synaplex.encoders.structure import Block, StructureGraph
from synaplex.errors import GraphTooLargeError

ADJACENCIES = ("absolute", "signed", "unweighted")
MOST_ENTRIES = 500_000_000
"""Entries of the adjacencies of a batch that are held at once, in float64."""


@dataclass(frozen=True, eq=False)
class Normalised:
    """D^-1/2 A D^-1/2 of networks of one layout, in float64.

    Attributes
    ----------
    matrix
        ``(networks, rows, columns)``: between all nodes, or between those of the two colours.
    rows, columns
        The nodes of either axis; the same where there are no two colours.
    isolated
        ``(networks, nodes)``: nodes without edges.
    bipartite
        Whether `rows` and `columns` are two colours.
    """

    matrix: Float[Tensor, "networks rows columns"]
    rows: Int[Tensor, " rows"]
    columns: Int[Tensor, " columns"]
    isolated: Bool[Tensor, "networks nodes"]
    bipartite: bool


def normalised_adjacency(graph: StructureGraph, adjacency: str, *, bipartite: bool = True) -> Normalised:
    """The normalised adjacency of the undirected graph of nodes.

    Parameters
    ----------
    graph
        Networks of one layout.
    adjacency
        What an edge weighs. ``"absolute"``: the sum of |w| over its footprint. ``"signed"``: the sum of w, while
        degrees are those of ``"absolute"``, so that they are positive. ``"unweighted"``: 1.
    bipartite
        Whether to use two colours where the groups have them.

    Raises
    ------
    GraphTooLargeError
        If a batch has more than `MOST_ENTRIES` entries.

    Notes
    -----
    Parallel and antiparallel edges add; a self-loop counts once.
    """
    colours = _colours(graph) if bipartite else None
    rows = torch.arange(graph.nodes) if colours is None else (colours == 0).nonzero()[:, 0]
    columns = rows if colours is None else (colours == 1).nonzero()[:, 0]
    place = torch.empty(graph.nodes, dtype=torch.long)
    place[rows] = torch.arange(len(rows))
    place[columns] = torch.arange(len(columns))
    if graph.networks * len(rows) * len(columns) > MOST_ENTRIES:
        raise GraphTooLargeError(
            f"the adjacency of {graph.networks} networks with {graph.nodes:,} nodes has "
            f"{len(rows):,} x {len(columns):,} entries each; encoders hold {MOST_ENTRIES:,} in all: use positions=0, "
            "or smaller batches"
        )
    matrix = torch.zeros(graph.networks, len(rows), len(columns), dtype=torch.float64)
    degrees = torch.zeros(graph.networks, graph.nodes, dtype=torch.float64)
    offsets = graph.offsets
    for block in graph.blocks:
        value = _values(block, adjacency).cpu()
        size = _values(block, "absolute").cpu() if adjacency == "signed" else value
        source, target = (torch.arange(offsets[g], offsets[g + 1]) for g in (block.source, block.target))
        both = not torch.equal(source, target)
        if block.diagonal:
            degrees[:, target] += size
            degrees[:, source] += size if both else 0.0
        else:
            degrees[:, target] += size.sum(2)
            degrees[:, source] += size.sum(1) if both else 0.0
        if not both and not block.diagonal:  # within a group: w_ij + w_ji, the diagonal once
            degrees[:, source] += size.sum(1) - size.diagonal(dim1=1, dim2=2)
        for a, b, turned in ((target, source, False), (source, target, True)):
            if colours is not None and int(colours[a[0]]) != 0:
                continue
            _add(matrix, place[a], place[b], value, block.diagonal, turned, once=turned and not both)
    inverse = torch.where(degrees > 0, degrees, torch.inf).rsqrt()
    matrix *= inverse[:, rows, None]
    matrix *= inverse[:, None, columns]
    return Normalised(matrix, rows, columns, degrees == 0, colours is not None)


def _add(
    matrix: Tensor, rows: Tensor, columns: Tensor, value: Tensor, diagonal: bool, turned: bool, *, once: bool
) -> None:
    if not len(rows) or not len(columns):
        return
    down, across = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    part = matrix[:, down, across]
    if diagonal:
        if not once:
            part.diagonal(dim1=1, dim2=2).add_(value)
        return
    part += value.mT if turned else value
    if once:
        part.diagonal(dim1=1, dim2=2).sub_(value.diagonal(dim1=1, dim2=2))


def _values(block: Block, adjacency: str) -> Tensor:
    weight = block.weight
    if adjacency == "unweighted":
        return (weight != 0).flatten(-2).any(-1).double()
    single = weight[..., 0, 0].double() if block.footprint == (1, 1) else weight.double()
    sized = single.abs() if adjacency == "absolute" else single
    return sized if block.footprint == (1, 1) else sized.sum((-2, -1))


def _colours(graph: StructureGraph) -> Tensor | None:
    """0 or 1 for each node, so that every edge joins two colours; None where that cannot be."""
    colour: dict[int, int] = {}
    for first in range(len(graph.sizes)):
        if first in colour:
            continue
        colour[first] = 0
        waiting = [first]
        while waiting:
            group = waiting.pop()
            for block in graph.blocks:
                if group not in (block.source, block.target):
                    continue
                other = block.target if block.source == group else block.source
                if other not in colour:
                    colour[other] = 1 - colour[group]
                    waiting.append(other)
                elif colour[other] == colour[group]:
                    return None
    return torch.tensor([colour[g] for g in range(len(graph.sizes))]).repeat_interleave(torch.tensor(graph.sizes))
