"""Flow measures: current through the network as resistors, and the random walk's return times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.errors import DisconnectedGraphError, SingularLaplacianError, SpecificationError, SynaplexError
from synaplex.graph import Adjacency, NeuralGraph
from synaplex.graph.network import Neurons
from synaplex.measures.bounds import Bounds, accept, check_tolerance
from synaplex.measures.flow_bounds import flow_bounds
from synaplex.measures.flow_exact import flow_values
from synaplex.measures.flow_formulas import CLOSENESS, DEVIATION, Formula
from synaplex.measures.limits import Method, choose
from synaplex.measures.naming import name_neurons
from synaplex.measures.registry import register
from synaplex.measures.undefined import Undefined, settle

OnDisconnected = Literal["raise", "component"]


@register(aliases=("current_flow_closeness_centrality", "information_centrality"))
def current_flow_closeness(
    graph: NeuralGraph,
    *,
    neurons: Neurons = "all",
    edges: str = "signed",
    on_disconnected: OnDisconnected = "raise",
    method: Method = "auto",
    tolerance: float = 1e-4,
    seed: int = 0,
    bounds: Bounds | None = None,
    undefined: Undefined | None = None,
) -> Float[Tensor, "*networks neurons"]:
    """Current-flow closeness: 1 / sum_j R_ij, R the effective resistance with weights as conductances.

    In closed form 1 / (n L^+_ii + trace L^+), with L^+ the pseudo-inverse of the Laplacian (NetworkX's normalisation,
    and its value with ``weight="weight"``; the paper's eq. 10 has n - 1 on top).

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
    method, tolerance, seed, bounds
        Where dense algebra does not fit (``"auto"``), or always (``"iterative"``): bounds of L^+_ii from the moments of
        the spectrum or from one linear system a neuron, and of trace L^+ as their sum or by random probes, until the
        value is known to within `tolerance` times itself. `seed` draws the probes; `bounds` collects the errors.
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
        If signed weights make the Laplacian singular, of the graph or of a component in which a neuron is measured.
    GraphTooLargeError
        Above the exact limit with ``method="exact"``, or where many neurons need a system each that takes hours.
    ToleranceError
        If the tolerance is not reached: with ``"iterative"`` also where the Laplacian is singular.

    Notes
    -----
    Cost: N m^2 + 2 m^3 for sides of N >= m neurons; 2 n^3 without two sides; for each component, where these are
    measured by themselves. Source: Scabini & Bruno 2021, eq. 10; Brandes & Fleischer 2005.
    """
    running = _Running(method, tolerance, seed, bounds)
    return _from_inverse(graph, CLOSENESS, neurons, edges, on_disconnected, running, undefined)


@register(aliases=("second_order",))
def second_order_centrality(
    graph: NeuralGraph,
    *,
    neurons: Neurons = "all",
    edges: str = "positive",
    on_disconnected: OnDisconnected = "raise",
    method: Method = "auto",
    tolerance: float = 1e-6,
    seed: int = 0,
    bounds: Bounds | None = None,
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
    method, tolerance, seed, bounds
        Where dense algebra does not fit (``"auto"``), or always (``"iterative"``): bounds of L^+_ii as in
        `current_flow_closeness`, until the value is known to within `tolerance` times itself (or times one step, where
        it is smaller). `bounds` collects the errors.
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
        Above the exact limit with ``method="exact"``, or where many neurons need a system each that takes hours.
    ToleranceError
        If the tolerance is not reached.

    Notes
    -----
    Cost as in `current_flow_closeness`. Source: Scabini & Bruno 2021, eq. 5; Kermarrec et al. 2011.
    """
    view = graph.undirected(edges)
    if any(bool((link.weights < 0).any()) for link in view.links):
        raise SpecificationError(
            f"second-order centrality walks at random along weights, which edges={edges!r} leaves negative here; "
            "use 'positive' or 'absolute'"
        )
    running = _Running(method, tolerance, seed, bounds)
    return _from_inverse(graph, DEVIATION, neurons, edges, on_disconnected, running, undefined)


@dataclass(frozen=True)
class _Running:
    """How a measure is computed: the arguments of that name."""

    method: Method
    tolerance: float
    seed: int
    bounds: Bounds | None


def _from_inverse(
    graph: NeuralGraph,
    formula: Formula,
    neurons: Neurons,
    edges: str,
    on_disconnected: OnDisconnected,
    running: _Running,
    undefined: Undefined | None,
) -> Float[Tensor, "*networks neurons"]:
    """A measure that follows from the diagonal of L^+ and the strengths."""
    if on_disconnected not in ("raise", "component"):
        raise SpecificationError(f"on_disconnected={on_disconnected!r} is neither 'raise' nor 'component'")
    view = graph.undirected(edges).without_loops
    check_tolerance(running.tolerance)
    iterative = choose(view, running.method, formula.measure) == "iterative"
    chosen = graph.select(neurons)
    whole = view.connected.reshape(-1)
    broken = (~whole).nonzero()[:, 0].tolist()
    if iterative:
        wanted = [bool(one) or on_disconnected == "component" for one in whole]
        values, bound = flow_bounds(view, chosen, formula, wanted, running.tolerance, running.seed)
    else:
        pieces, collect = on_disconnected == "component", undefined is not None
        values, singular = flow_values(view, chosen, formula, by_component=pieces, collect=collect)
        error: SynaplexError = SingularLaplacianError(
            "the Laplacian is singular"
        )  # with its condition number, where it is raised
        values = settle(values, singular, error, "singular Laplacian", undefined)
    if on_disconnected == "raise" and broken:
        message, reason = _describe_pieces(formula.measure, graph, view, edges, broken)
        apart = ~view.connected[..., None].expand(values.shape)
        values = settle(values, apart, DisconnectedGraphError(message), reason, undefined)
    if on_disconnected == "component":
        alone = view.degree[..., chosen] == 0
        alone &= ~values.isfinite()
        where = name_neurons(graph, chosen, alone)
        error = DisconnectedGraphError(f"{formula.measure} is undefined for neurons without a single edge: {where}")
        values = settle(values, alone, error, "no edge", undefined)
    if not iterative:
        return values
    allowed = formula.near(values, running.tolerance)
    return accept(graph, chosen, formula.measure, values, bound, allowed, running.bounds, undefined)


def _describe_pieces(
    measure: str, graph: NeuralGraph, view: Adjacency, edges: str, broken: list[int]
) -> tuple[str, str]:
    labels = view.components if view.networks is None else view.components[broken[0]]
    sizes = torch.bincount(labels)
    cut_off = labels != sizes.argmax()
    names = name_neurons(graph, torch.arange(view.neurons), cut_off)
    network = "" if view.networks is None else f" of network {graph.first_network + broken[0]}"
    more = f" (and of {len(broken) - 1} more networks)" if len(broken) > 1 else ""
    message = (
        f"{measure} needs a connected graph, and that of {edges} edges{network}{more} falls apart into {len(sizes)} "
        f"components; cut off from the largest: {names}. Pass on_disconnected='component' to measure each component "
        "by itself"
    )
    return message, f"the graph of {edges} edges falls apart"
