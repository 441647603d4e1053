"""Subgraph centrality: closed walks of all lengths, from the spectrum of the adjacency matrix."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.errors import MeasureOverflowError, ToleranceError
from synaplex.graph import NeuralGraph
from synaplex.graph.network import Neurons
from synaplex.measures.bounds import Bounds, accept, check_tolerance
from synaplex.measures.exact_walks import log_subgraph
from synaplex.measures.limits import Method, choose
from synaplex.measures.naming import name_neurons
from synaplex.measures.registry import register
from synaplex.measures.undefined import Undefined, settle
from synaplex.measures.walks import log_subgraph_bounds

_OVERFLOW = 709.0


@register(aliases=("subgraph", "communicability_centrality"))
def subgraph_centrality(
    graph: NeuralGraph,
    *,
    neurons: Neurons = "all",
    edges: str = "positive",
    binary: bool = True,
    log: bool = False,
    method: Method = "auto",
    tolerance: float = 1e-6,
    bounds: Bounds | None = None,
    undefined: Undefined | None = None,
) -> Float[Tensor, "*networks neurons"]:
    """Subgraph centrality: the closed walks at a neuron, those of length l weighted by 1/l!, that is (e^A)_ii.

    Parameters
    ----------
    graph, neurons
        As in `strength`.
    edges
        Edge rule; positive by default (the paper's). On a dense binary graph without a rule it is constant in a layer.
    binary
        Whether every edge counts 1 (the paper's), or its weight.
    log
        Return the natural logarithm instead. Plain values of one 784-200-100-10 network are near 1e89, and overflow
        float64 from about four times these widths.
    method, tolerance, bounds
        Where dense algebra does not fit (``"auto"``), or always (``"iterative"``): by the leading eigenvector for all
        neurons at once and Lanczos quadrature from those of which that does not say enough, until the value is known to
        within `tolerance` times itself (the logarithm to within `tolerance`). `bounds` collects the errors. Dense
        algebra is exact to a share of 1e-9; where it cannot be, negative weights cancelling, it is held to `tolerance`.
    undefined
        Collects neurons for which the tolerance is not reached instead of raising; with ``overflow`` set, also all
        neurons of a network in which a plain value exceeds float64.

    Returns
    -------
    Tensor
        ``(*networks, neurons)``, float64, at least 1 for a single neuron (0 as logarithm).

    Raises
    ------
    MeasureOverflowError
        If a plain value exceeds float64; use ``log=True``.
    GraphTooLargeError
        Above the exact limit with ``method="exact"``, or where many neurons need a quadrature each that takes hours.
    ToleranceError
        If the tolerance is not reached, by dense algebra only with negative weights.

    Notes
    -----
    Cost: with two sides of N >= m neurons and biadjacency B, one eigendecomposition of B^T B = V diag(s^2) V^T and two
    products, N m^2 + 9 m^3: sg_small = sum_k V_k^2 cosh(s_k), sg_large = 1 + sum_k (B V_k)^2 2 sinh(s_k / 2)^2 / s_k^2.
    Without two sides, an eigendecomposition of A. Components are treated one by one, since a huge eigenvalue of one
    leaves no correct digit in another. Nor do eigenvectors say much of neurons far from the dense core of a deep or
    tapering network, where their entries fall below the rounding. Where no weight is negative, such neurons are done
    again by doubling a short step, which never subtracts, for some 40 products of m x m matrices; where one is, the
    large terms cancel, and beyond `tolerance` the neuron is refused. Iterative: some 50 products with A, and 5 to 60
    for each neuron left. Source: Scabini & Bruno 2021, eq. 6; Estrada & Rodriguez-Velazquez 2005; Golub & Meurant
    1994; Benzi & Boito 2010.
    """
    view = graph.undirected(edges, binary=binary)
    check_tolerance(tolerance)
    iterative = choose(view, method, "subgraph_centrality") == "iterative"
    chosen = graph.select(neurons)
    if iterative:
        values, bound = log_subgraph_bounds(view, chosen, tolerance)
        values = values.masked_fill(~values.isfinite(), 0)  # where nothing is known: the bound is no number either
    else:
        values, rounding = log_subgraph(view, chosen)
        values = _without_noise(graph, chosen, edges, values, rounding, tolerance, undefined)
    beyond = (values > _OVERFLOW).any(-1, keepdim=True)
    if not log and bool(beyond.any()):
        error = MeasureOverflowError(
            f"subgraph centrality reaches e^{float(values.nan_to_num().max()):.0f} here, beyond float64: ask for its "
            "logarithm (log=True, or the measure log_subgraph_centrality)"
        )
        reason = "beyond float64 in this network; use log_subgraph_centrality"
        collects = undefined if undefined is not None and undefined.overflow else None
        values = settle(values, beyond.expand_as(values), error, reason, collects)
    if not iterative:
        return values if log else values.exp()
    allowed = torch.full_like(values, tolerance)
    if not log:
        values = values.exp()
        bound = replace(bound, error=values * torch.expm1(bound.error))
        allowed = values * math.expm1(tolerance)
    return accept(graph, chosen, "subgraph_centrality", values, bound, allowed, bounds, undefined)


@register()
def log_subgraph_centrality(
    graph: NeuralGraph,
    *,
    neurons: Neurons = "all",
    edges: str = "positive",
    binary: bool = True,
    method: Method = "auto",
    tolerance: float = 1e-6,
    bounds: Bounds | None = None,
    undefined: Undefined | None = None,
) -> Float[Tensor, "*networks neurons"]:
    """Natural logarithm of the subgraph centrality; see `subgraph_centrality`, with ``log=True``."""
    return subgraph_centrality(
        graph,
        neurons=neurons,
        edges=edges,
        binary=binary,
        log=True,
        method=method,
        tolerance=tolerance,
        bounds=bounds,
        undefined=undefined,
    )


def _without_noise(
    graph: NeuralGraph,
    chosen: Tensor,
    edges: str,
    values: Float[Tensor, "*networks neurons"],
    rounding: Float[Tensor, "*networks neurons"],
    tolerance: float,
    undefined: Undefined | None,
) -> Float[Tensor, "*networks neurons"]:
    """The exact logarithms where rounding moves them by no more than the tolerance; else an error, or undefined."""
    noise = ~(rounding <= tolerance)
    if not bool(noise.any()):
        return values
    error = ToleranceError(
        f"subgraph_centrality cannot be told from rounding to tolerance={tolerance:g} for "
        f"{name_neurons(graph, chosen, noise)}: their values lie too far below those of other neurons for float64. "
        f"Where weights are negative, as edges={edges!r} may leave them, the terms of e^A cancel: read "
        "edges='positive' or 'absolute', or binary=True"
    )
    return settle(values, noise, error, "lost in rounding beside the values of other neurons", undefined)
