"""Path measures: shortest distances between neurons."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.errors import SpecificationError
from synaplex.graph import Adjacency, NeuralGraph
from synaplex.graph.network import Neurons
from synaplex.measures.bounds import Bound, Bounds, accept, check_tolerance
from synaplex.measures.limits import Method, choose
from synaplex.measures.minplus import close_paths, minplus
from synaplex.measures.registry import register
from synaplex.measures.sampled_paths import edge_lengths, from_each, sampled_harmonic
from synaplex.measures.undefined import Undefined

Distance = Literal["weight", "inverse"]


@register(aliases=("harmonic",))
def harmonic_centrality(
    graph: NeuralGraph,
    *,
    neurons: Neurons = "all",
    edges: str = "positive",
    distance: Distance = "weight",
    method: Method = "auto",
    tolerance: float = 0.1,
    sources: int = 4096,
    seed: int = 0,
    bounds: Bounds | None = None,
    undefined: Undefined | None = None,
) -> Float[Tensor, "*networks neurons"]:
    """Harmonic centrality: sum_j 1 / d(i, j) over all other neurons, d the shortest distance; unreachable ones add 0.

    Parameters
    ----------
    graph, neurons
        As in `strength`.
    edges
        Edge rule; positive by default (the paper's). Negative distances are refused.
    distance
        ``"weight"``: an edge is as long as its weight (the paper's: strong = far; NetworkX's with
        ``distance="weight"``); ``"inverse"``: 1 / weight.
    method, tolerance, sources, seed, bounds
        Where the small side is too large for dense algebra (``"auto"``), or always (``"iterative"``): for at most
        `sources` neurons, shortest paths from each, which is exact; for more, from a random sample of at most so many,
        until all values are known to within `tolerance` times themselves. `seed` draws it; `bounds` collects the
        errors, which hold for all neurons at once with a probability of 99 % whatever the distances are.
    undefined
        Collects neurons for which the tolerance is not reached instead of raising. (The sum is defined on any graph.)

    Returns
    -------
    Tensor
        ``(*networks, neurons)``, float64.

    Raises
    ------
    SpecificationError
        If an edge is negative.
    GraphTooLargeError
        Above the exact limit with ``method="exact"``, or where there are too many edges to list.
    ToleranceError
        If the tolerance is not reached.

    Notes
    -----
    Cost: for sides of N >= m neurons, (min, +) products of N m^2 (two-hop distances), m^3 (Floyd-Warshall) and, for k
    chosen neurons, k N m operations. On the CPU few of the first and last are carried out: an edge longer than the way
    through a landmark is on no shortest path. Without two sides, Dijkstra's algorithm from every chosen neuron.
    Iterative: Dijkstra's algorithm from each source, on the few edges that a shortest path can take, each listed once.
    Source: Scabini & Bruno 2021, eq. 9.
    """
    if distance not in ("weight", "inverse"):
        raise SpecificationError(f"distance={distance!r} is neither 'weight' nor 'inverse'")
    view = graph.undirected(edges).without_loops
    check_tolerance(tolerance)
    if sources < 1:
        raise SpecificationError(f"sources={sources} is no number of neurons")
    iterative = choose(view, method, "harmonic_centrality") == "iterative"
    if any(bool((link.weights < 0).any()) for link in view.links):
        raise SpecificationError(
            f"harmonic_centrality: distances cannot be negative, as edges={edges!r} leaves some here; "
            "use edges='positive' or 'absolute'"
        )
    chosen = graph.select(neurons)
    if iterative:
        found = [sampled_harmonic(one, chosen, distance, tolerance, sources, seed) for one in view.singles()]
        shape = (*view.batch_shape, len(chosen))
        values = torch.stack([one.values for one in found]).reshape(shape)
        errors = torch.stack([one.errors for one in found]).reshape(shape)
        failure = sum(one.failure for one in found)
        bound = Bound(errors, max(0.0, 1 - failure), "; ".join(dict.fromkeys(one.method for one in found)))
        return accept(graph, chosen, "harmonic_centrality", values, bound, tolerance * values, bounds, undefined)
    if view.sides is None:
        rows = [from_each(edge_lengths(single, distance), chosen) for single in view.singles()]
        return rows[0] if view.networks is None else torch.stack(rows)
    return _by_sides(view, chosen, distance)


def _by_sides(view: Adjacency, chosen: Tensor, distance: Distance) -> Float[Tensor, "*networks chosen"]:
    sides = view.sides
    assert sides is not None
    matrix = view.biadjacency.reshape(view.networks or 1, len(sides.large_index), len(sides.small_index))
    length = torch.where(matrix > 0, matrix if distance == "weight" else 1 / matrix, torch.inf)
    wanted = torch.zeros(view.neurons, dtype=torch.bool, device=view.device)
    wanted[chosen] = True
    small = wanted[sides.small_index].nonzero()[:, 0]
    large = wanted[sides.large_index].nonzero()[:, 0]
    sums = _sums_compiled if view.device.type == "cpu" else sums_by_products
    of_small, of_large = sums(length, small, large)
    values = torch.zeros(len(matrix), view.neurons, dtype=torch.float64, device=view.device)
    values[:, sides.small_index[small]] = of_small
    values[:, sides.large_index[large]] = of_large
    return values.reshape(*view.batch_shape, view.neurons)[..., chosen]


def _sums_compiled(
    length: Float[Tensor, "networks large small"],
    small: Int[Tensor, " chosen1"],
    large: Int[Tensor, " chosen2"],
) -> tuple[Float[Tensor, "networks chosen1"], Float[Tensor, "networks chosen2"]]:
    from synaplex.measures.path_kernel import harmonic_sums

    of_small = torch.empty(len(length), len(small), dtype=torch.float64)
    of_large = torch.empty(len(length), len(large), dtype=torch.float64)
    edges, first, second = length.contiguous().numpy(), of_small.numpy(), of_large.numpy()
    chosen = small.numpy(), large.numpy()

    def one(network: int) -> None:
        harmonic_sums(edges[network], *chosen, first[network], second[network])

    if len(length) == 1:
        one(0)
    else:
        with ThreadPoolExecutor(torch.get_num_threads()) as pool:
            list(pool.map(one, range(len(length))))
    return of_small, of_large


def sums_by_products(
    length: Float[Tensor, "networks large small"],
    small: Int[Tensor, " chosen1"],
    large: Int[Tensor, " chosen2"],
) -> tuple[Float[Tensor, "networks chosen1"], Float[Tensor, "networks chosen2"]]:
    """Sums of inverse distances by dense (min, +) products in plain torch: the way on a GPU, and the reference."""
    across = length.mT.contiguous()
    between = minplus(across, length)
    between.diagonal(dim1=-2, dim2=-1).zero_()
    between = close_paths(between)
    inside, outside = between[:, small], minplus(between[:, small], across)
    inside[:, torch.arange(len(small), device=length.device), small] = torch.inf
    of_small = (1 / inside).sum(-1) + (1 / outside).sum(-1)
    outside = minplus(length[:, large], between)
    inside = minplus(outside, across)
    inside[:, torch.arange(len(large), device=length.device), large] = torch.inf
    of_large = (1 / inside).sum(-1) + (1 / outside).sum(-1)
    return of_small, of_large
