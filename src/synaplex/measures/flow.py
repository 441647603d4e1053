"""Flow measures: current through the network as resistors, and the random walk's return times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.errors import DisconnectedGraphError, SingularLaplacianError, SpecificationError, SynaplexError
from synaplex.graph import Adjacency, NeuralGraph
from synaplex.graph.network import Neurons
from synaplex.measures.inverse import inverse_diagonal, inverse_diagonal_two_sides
from synaplex.measures.limits import check_size
from synaplex.measures.naming import name_neurons
from synaplex.measures.registry import register
from synaplex.measures.undefined import Undefined, settle

OnDisconnected = Literal["raise", "component"]
_FromInverse = Callable[[Tensor, Tensor], Tensor]


@register(aliases=("current_flow_closeness_centrality", "information_centrality"))
def current_flow_closeness(
    graph: NeuralGraph,
    *,
    neurons: Neurons = "all",
    edges: str = "signed",
    on_disconnected: OnDisconnected = "raise",
    undefined: Undefined | None = None,
) -> Float[Tensor, "*networks neurons"]:
    """Current-flow closeness: 1 / sum_j R_ij, R the effective resistance with weights as conductances.

    In closed form 1 / (n L^+_ii + trace L^+), with L^+ the pseudo-inverse of the Laplacian (NetworkX's normalisation;
    the paper's eq. 10 has n - 1 on top).

    Parameters
    ----------
    graph, neurons
        As in `strength`.
    edges
        Edge rule. Signed by default, as in the paper; the result is then computable but R is no resistance any more
        (it can be negative). ``"positive"`` and ``"absolute"`` are the sound versions.
    on_disconnected
        ``"raise"``, or ``"component"``: within each component by itself. A neuron alone in its component has no
        resistance to anything and counts as undefined.
    undefined
        Collects undefined neurons instead of raising.

    Returns
    -------
    Tensor
        ``(*networks, neurons)``, float64, in units of weight.

    Raises
    ------
    DisconnectedGraphError
        If the graph falls apart; names the neurons cut off.
    SingularLaplacianError
        If signed weights make the Laplacian singular.
    GraphTooLargeError
        Above the exact limit.

    Notes
    -----
    Cost: N m^2 + 2 m^3 for sides of N >= m neurons; 2 n^3 without two sides. Source: Scabini & Bruno 2021, eq. 10;
    Brandes & Fleischer 2005.
    """

    def closeness(inverse: Tensor, _strength: Tensor) -> Tensor:
        return 1 / (inverse.shape[-1] * inverse + inverse.sum(-1, keepdim=True))

    return _from_inverse(graph, "current_flow_closeness", closeness, neurons, edges, on_disconnected, undefined)


@register(aliases=("second_order",))
def second_order_centrality(
    graph: NeuralGraph,
    *,
    neurons: Neurons = "all",
    edges: str = "positive",
    on_disconnected: OnDisconnected = "raise",
    undefined: Undefined | None = None,
) -> Float[Tensor, "*networks neurons"]:
    """Second-order centrality: the standard deviation of the return times of a perpetual random walk to a neuron.

    The walk is made regular by self-loops, P = I - L / d_max, so its stationary law is uniform and the mean
    first-passage times to i, the return included, sum to M_i = n (n z_i - 1) + n with z_i = d_max L^+_ii + 1/n; then
    so_i = sqrt(2 M_i - n (n + 1)).

    Parameters
    ----------
    graph, neurons
        As in `strength`.
    edges
        Edge rule; positive by default (the paper's). Signed weights are no probabilities and are refused.
    on_disconnected
        ``"raise"``, or ``"component"``: the walk within each component by itself (a lone neuron gets 0: it always
        returns at once).
    undefined
        Collects undefined neurons instead of raising.

    Returns
    -------
    Tensor
        ``(*networks, neurons)``, float64, in steps; lower is more central.

    Raises
    ------
    DisconnectedGraphError
        If the graph falls apart; names the neurons cut off.
    SpecificationError
        If an edge is negative.
    GraphTooLargeError
        Above the exact limit.

    Notes
    -----
    Cost as in `current_flow_closeness`. Source: Scabini & Bruno 2021, eq. 5; Kermarrec et al. 2011.
    """

    def deviation(inverse: Tensor, strength: Tensor) -> Tensor:
        size = inverse.shape[-1]
        fundamental = strength.amax(-1, keepdim=True) * inverse + 1 / size
        return (2 * (size * (size * fundamental - 1) + size) - size * (size + 1)).clamp_min(0).sqrt()

    view = graph.undirected(edges)
    if any(bool((link.weights < 0).any()) for link in view.links):
        raise SpecificationError(
            f"second-order centrality walks at random along weights, which edges={edges!r} leaves negative here; "
            "use 'positive' or 'absolute'"
        )
    name = "second_order_centrality"
    return _from_inverse(graph, name, deviation, neurons, edges, on_disconnected, undefined, everywhere=False)


def _from_inverse(
    graph: NeuralGraph,
    measure: str,
    finish: _FromInverse,
    neurons: Neurons,
    edges: str,
    on_disconnected: OnDisconnected,
    undefined: Undefined | None,
    everywhere: bool = True,
) -> Float[Tensor, "*networks neurons"]:
    """A measure that follows from the diagonal of L^+ (everywhere, or at the chosen neurons) and the strengths."""
    if on_disconnected not in ("raise", "component"):
        raise SpecificationError(f"on_disconnected={on_disconnected!r} is neither 'raise' nor 'component'")
    view = graph.undirected(edges).without_loops
    check_size(view, measure)
    chosen = graph.select(neurons)
    whole = view.connected.reshape(-1)
    strength = view.strength.reshape(len(whole), view.neurons)
    values = torch.full((len(whole), view.neurons), torch.nan, dtype=torch.float64, device=graph.device)
    singular: list[int] = []

    def fill(part: Tensor) -> None:
        values[part] = finish(_diagonal(view, part, None if everywhere else chosen), strength[part])

    part = whole.nonzero()[:, 0]
    try:
        if len(part):
            fill(part)
    except SingularLaplacianError:
        if undefined is None:
            raise
        for k in part:
            try:
                fill(k[None])
            except SingularLaplacianError:
                singular.append(int(k))
    broken = (~whole).nonzero()[:, 0].tolist()
    if on_disconnected == "component":
        for k in broken:
            values[k] = _by_component(view if view.networks is None else view.network(k), finish)
    values = values[:, chosen]

    def note(networks: list[int], error: SynaplexError, reason: str) -> None:
        nonlocal values
        mask = torch.zeros_like(values, dtype=torch.bool)
        mask[networks] = True
        values = settle(values, mask, error, reason, undefined)

    note(singular, SingularLaplacianError("singular Laplacian"), "singular Laplacian")
    if on_disconnected == "raise" and broken:
        message, reason = _describe_pieces(graph, view, edges, broken)
        note(broken, DisconnectedGraphError(message), reason)
    values = values.reshape(*view.batch_shape, len(chosen))
    if on_disconnected == "raise":
        return values
    alone = view.degree[..., chosen] == 0
    alone &= ~values.isfinite()
    where = name_neurons(graph, chosen, alone)
    error = DisconnectedGraphError(f"{measure} is undefined for neurons without a single edge: {where}")
    return settle(values, alone, error, "no edge", undefined)


def _diagonal(view: Adjacency, part: Tensor, chosen: Tensor | None) -> Float[Tensor, "part neurons"]:
    """Diagonal of L^+ for some networks of the batch, at the chosen neurons at least."""
    sides = view.sides
    if sides is None:
        dense = view.dense.reshape(view.networks or 1, view.neurons, view.neurons)
        return inverse_diagonal(dense if len(part) == len(dense) else dense[part])
    rows = None
    if chosen is not None:
        wanted = torch.zeros(view.neurons, dtype=torch.bool, device=view.device)
        wanted[chosen] = True
        rows = wanted[sides.large_index].nonzero()[:, 0]
    matrix = view.biadjacency.reshape(view.networks or 1, len(sides.large_index), len(sides.small_index))
    diagonal = inverse_diagonal_two_sides(matrix if len(part) == len(matrix) else matrix[part], rows)
    ordered = torch.empty_like(diagonal)
    ordered[:, torch.cat([sides.large_index, sides.small_index])] = diagonal
    return ordered


def _by_component(view: Adjacency, finish: _FromInverse) -> Float[Tensor, " neurons"]:
    values = torch.empty(view.neurons, dtype=torch.float64, device=view.device)
    for piece in range(int(view.components.max()) + 1):
        index = (view.components == piece).nonzero()[:, 0]
        adjacency = _block(view, index)[None]
        values[index] = finish(inverse_diagonal(adjacency), adjacency.sum(-1))[0]
    return values


def _block(view: Adjacency, index: Tensor) -> Float[Tensor, "size size"]:
    """The adjacency matrix among the given neurons, without building the whole matrix where it has two sides."""
    sides = view.sides
    if sides is None:
        return view.dense[index][:, index]
    place = torch.full((view.neurons,), -1, dtype=torch.long, device=view.device)
    place[index] = torch.arange(len(index), device=view.device)
    rows, columns = place[sides.large_index], place[sides.small_index]
    block = torch.zeros(len(index), len(index), dtype=torch.float64, device=view.device)
    part = view.biadjacency[rows >= 0][:, columns >= 0]
    block[rows[rows >= 0][:, None], columns[columns >= 0]] = part
    block[columns[columns >= 0][:, None], rows[rows >= 0]] = part.mT
    return block


def _describe_pieces(graph: NeuralGraph, view: Adjacency, edges: str, broken: list[int]) -> tuple[str, str]:
    labels = view.components if view.networks is None else view.components[broken[0]]
    sizes = torch.bincount(labels)
    cut_off = labels != sizes.argmax()
    names = name_neurons(graph, torch.arange(view.neurons), cut_off)
    network = "" if view.networks is None else f" of network {graph.first_network + broken[0]}"
    more = f" (and of {len(broken) - 1} more networks)" if len(broken) > 1 else ""
    message = (
        f"the graph of {edges} edges{network}{more} falls apart into {len(sizes)} components; "
        f"cut off from the largest: {names}. Pass on_disconnected='component' to measure each component by itself"
    )
    return message, f"the graph of {edges} edges falls apart"
