"""Clustering in bipartite graphs: how much a neuron's neighbourhood overlaps with those of its co-neighbours."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.errors import SpecificationError
from synaplex.graph import Adjacency, NeuralGraph
from synaplex.graph.network import Neurons
from synaplex.measures.compressed import compressed
from synaplex.measures.limits import Method, check_work, choose
from synaplex.measures.registry import register
from synaplex.measures.undefined import Undefined

Mode = Literal["max", "min", "dot"]
_BLOCK = 4_000_000


@register(aliases=("bipartite_local_clustering", "latapy_clustering"))
def bipartite_clustering(
    graph: NeuralGraph,
    *,
    neurons: Neurons = "all",
    edges: str = "positive",
    mode: Mode = "max",
    method: Method = "auto",
    undefined: Undefined | None = None,
) -> Float[Tensor, "*networks neurons"]:
    """Bipartite local clustering: the mean overlap c(u, v) of a neuron's neighbours with those of its co-neighbours.

    c(u, v) = |N(u) & N(v)| / max(|N(u)|, |N(v)|), or the smaller of the two (``"min"``), or the size of the union
    (``"dot"``), averaged over all v != u that share a neighbour with u. A neuron without such v gets 0, as a node of
    degree below two does in every clustering coefficient.

    Parameters
    ----------
    graph, neurons
        As in `strength`.
    edges
        Edge rule; positive by default (the paper's), since a dense network's binary graph says nothing. Weights are
        not read beyond the rule.
    mode
        ``"max"`` (the paper's), ``"min"`` or ``"dot"``.
    method
        ``"exact"``: by dense algebra, neurons against neurons. ``"iterative"``: by two products with A a neuron,
        where the matrix does not fit; no less exact. ``"auto"`` chooses by size.
    undefined
        Not used.

    Returns
    -------
    Tensor
        ``(*networks, neurons)``, float64, in [0, 1].

    Raises
    ------
    GraphTooLargeError
        Above the exact limit (`synaplex.measures.limits`) with ``method="exact"``, or where so many neurons are
        asked for that their products would take hours.

    Notes
    -----
    Cost: one product of the chosen rows of the binary biadjacency matrix with the matrix of their own side, or two
    products with A for each chosen neuron. Graphs that are not bipartite are measured by the same formula. Source:
    Scabini & Bruno 2021, eq. 8; Latapy et al. 2008.
    """
    if mode not in ("max", "min", "dot"):
        raise SpecificationError(f"mode={mode!r} is none of 'max', 'min', 'dot'")
    view = graph.undirected(edges, binary=True).without_loops
    chosen = graph.select(neurons)
    if choose(view, method, "bipartite_clustering") == "iterative":
        each = [_by_products(single, chosen, mode) for single in view.singles()]
        return each[0] if view.networks is None else torch.stack(each)
    values = torch.zeros(*view.batch_shape, view.neurons, dtype=torch.float64, device=graph.device)
    sides = view.sides
    if sides is None:
        values[..., chosen] = _overlap(view.dense, chosen, mode)
    else:
        wanted = torch.zeros(view.neurons, dtype=torch.bool, device=graph.device)
        wanted[chosen] = True
        matrix = view.biadjacency
        for side, index in ((matrix, sides.large_index), (matrix.mT, sides.small_index)):
            rows = wanted[index].nonzero()[:, 0]
            if len(rows):
                values[..., index[rows]] = _overlap(side, rows, mode)
    return values[..., chosen]


def _overlap(matrix: Tensor, rows: Tensor, mode: Mode) -> Tensor:
    """Mean overlap of the given rows of a binary matrix with all others, a bounded block of rows at a time."""
    degree = matrix.sum(-1)
    batch = max(degree[..., 0].numel(), 1)
    step = max(1, _BLOCK // (batch * matrix.shape[-2]))
    out = [_overlap_block(matrix, degree, part, mode) for part in torch.split(rows, step)]
    return torch.cat(out, dim=-1)


def _overlap_block(matrix: Tensor, degree: Tensor, rows: Tensor, mode: Mode) -> Tensor:
    shared = matrix[..., rows, :] @ matrix.mT
    return _mean_overlap(shared, degree, rows, mode)


def _by_products(view: Adjacency, chosen: Tensor, mode: Mode) -> Float[Tensor, " chosen"]:
    """Row u of A^2 holds how many neighbours u shares with every other neuron."""
    edges = sum(link.edge_count for link in view.links)
    check_work("bipartite_clustering", len(chosen), 2, edges)
    fast, degree = compressed(view), view.degree
    values = torch.empty(len(chosen), dtype=torch.float64, device=view.device)
    for part in torch.split(torch.arange(len(chosen), device=view.device), max(1, _BLOCK // max(view.neurons, 1))):
        rows = chosen[part]
        one = torch.zeros(len(rows), view.neurons, dtype=torch.float64, device=view.device)
        one[torch.arange(len(rows), device=view.device), rows] = 1
        shared = fast.product(fast.product(one)).round()
        values[part] = _mean_overlap(shared, degree, rows, mode)
    return values


def _mean_overlap(shared: Tensor, degree: Tensor, rows: Tensor, mode: Mode) -> Tensor:
    """The mean overlap of some neurons with all others, from how many neighbours they share."""
    mine, others = degree[..., rows, None], degree[..., None, :]
    if mode == "max":
        size = torch.maximum(mine, others)
    elif mode == "min":
        size = torch.minimum(mine, others)
    else:
        size = mine + others - shared
    overlap = shared / size.clamp_min(1)
    itself = torch.arange(len(rows), device=rows.device)
    overlap[..., itself, rows] = 0
    count = (shared > 0).sum(-1) - (mine[..., 0] > 0).long()
    return overlap.sum(-1) / count.clamp_min(1)
