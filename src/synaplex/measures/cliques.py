"""Maximal cliques: sets of neurons that are all joined, and cannot be extended."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.errors import GraphTooLargeError
from synaplex.graph import Adjacency, NeuralGraph
from synaplex.graph.network import Neurons
from synaplex.measures.registry import register
from synaplex.measures.undefined import Undefined

MAX_CLIQUES = 1_000_000
"""How many cliques are enumerated in a graph with triangles before the measure refuses."""


@register(counts=True, aliases=("number_of_cliques", "number_of_maximal_cliques"))
def maximal_cliques(
    graph: NeuralGraph,
    *,
    neurons: Neurons = "all",
    edges: str = "positive",
    undefined: Undefined | None = None,
) -> Float[Tensor, "*networks neurons"]:
    """Number of maximal cliques that a neuron belongs to.

    A graph without triangles, as every feed-forward chain of layers is, has its edges and isolated neurons for maximal
    cliques, so the count is max(degree, 1). With triangles (links within a layer, or skips over an even number of
    layers) the cliques are enumerated.

    Parameters
    ----------
    graph, neurons
        As in `strength`.
    edges
        Edge rule; positive by default (the paper's). Weights are not read beyond the rule.
    undefined
        Not used.

    Returns
    -------
    Tensor
        ``(*networks, neurons)``, whole numbers in float64.

    Raises
    ------
    GraphTooLargeError
        If a graph with triangles has more than `MAX_CLIQUES` maximal cliques.

    Notes
    -----
    Cost: one pass over the weights; exponential at worst with triangles. Source: Scabini & Bruno 2021, eq. 7.
    """
    view = graph.undirected(edges, binary=True).without_loops
    chosen = graph.select(neurons)
    if view.sides is not None:
        return view.degree.clamp_min(1)[..., chosen]
    counts = [_count(single) for single in view.singles()]
    return (counts[0] if view.networks is None else torch.stack(counts))[..., chosen]


def _count(view: Adjacency) -> Tensor:
    import networkx as nx

    first, second, _ = view.edges()
    triangular = nx.Graph()
    triangular.add_nodes_from(range(view.neurons))
    triangular.add_edges_from(zip(first.tolist(), second.tolist(), strict=True))
    counts = [0] * view.neurons
    for number, clique in enumerate(nx.find_cliques(triangular)):
        if number >= MAX_CLIQUES:
            raise GraphTooLargeError(
                f"this graph of {view.neurons:,} neurons has triangles and more than {MAX_CLIQUES:,} maximal cliques; "
                "counting them all is not feasible: keep fewer edges (edges='top:0.01') or leave this measure out"
            )
        for neuron in clique:
            counts[neuron] += 1
    return torch.tensor(counts, dtype=torch.float64, device=view.device)
