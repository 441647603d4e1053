"""Subgraph centrality: closed walks of all lengths, from the spectrum of the adjacency matrix."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.errors import MeasureOverflowError
from synaplex.graph import Adjacency, NeuralGraph
from synaplex.graph.network import Neurons
from synaplex.measures.bounds import Bounds, accept, check_tolerance
from synaplex.measures.limits import Method, choose
from synaplex.measures.registry import register
from synaplex.measures.undefined import Undefined
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
        within `tolerance` times itself (the logarithm to within `tolerance`). `bounds` collects the errors.
    undefined
        Collects neurons for which the tolerance is not reached instead of raising.

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
        If the tolerance is not reached.

    Notes
    -----
    Cost: with two sides of N >= m neurons and biadjacency B, one eigendecomposition of B^T B = V diag(s^2) V^T and two
    products, N m^2 + 9 m^3: sg_small = sum_k V_k^2 cosh(s_k), sg_large = 1 + sum_k (B V_k)^2 2 sinh(s_k / 2)^2 / s_k^2.
    Without two sides, an eigendecomposition of A. Components are treated one by one, since a huge eigenvalue of one
    leaves no correct digit in another. Iterative: some 50 products with A, and 5 to 60 for each neuron left. Source:
    Scabini & Bruno 2021, eq. 6; Estrada & Rodriguez-Velazquez 2005; Golub & Meurant 1994; Benzi & Boito 2010.
    """
    view = graph.undirected(edges, binary=binary)
    check_tolerance(tolerance)
    iterative = choose(view, method, "subgraph_centrality") == "iterative"
    chosen = graph.select(neurons)
    if iterative:
        values, bound = log_subgraph_bounds(view, chosen, tolerance)
    else:
        values = _log_subgraph(view, chosen)[..., chosen]
    if not log and bool((values > _OVERFLOW).any()):
        raise MeasureOverflowError(
            f"subgraph centrality reaches e^{float(values.max()):.0f} here, beyond float64: ask for its logarithm "
            "(log=True, or the measure log_subgraph_centrality)"
        )
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


def _log_subgraph(view: Adjacency, chosen: Tensor) -> Float[Tensor, "*networks neurons"]:
    """Logarithms for all neurons; those not chosen may be left at zero."""
    values = torch.zeros(*view.batch_shape, view.neurons, dtype=torch.float64, device=view.device)
    whole = view.connected
    if view.networks is None:
        return _of_pieces(view) if not bool(whole) else _of_connected(view, chosen, values)
    if bool(whole.any()):
        values = _of_connected(view, chosen, values)
    for k in (~whole).nonzero()[:, 0].tolist():
        values[k] = _of_pieces(view.network(k))
    return values


def _of_connected(view: Adjacency, chosen: Tensor, values: Tensor) -> Tensor:
    sides = view.sides
    if sides is None:
        return _log_diagonal_exponential(view.dense)
    wanted = torch.zeros(view.neurons, dtype=torch.bool, device=view.device)
    wanted[chosen] = True
    rows = wanted[sides.large_index].nonzero()[:, 0]
    large, small = _log_two_sides(view.biadjacency, rows)
    values[..., sides.large_index[rows]] = large
    values[..., sides.small_index] = small
    return values


def _of_pieces(view: Adjacency) -> Float[Tensor, " neurons"]:
    """Component by component, for one network that falls apart."""
    values = torch.zeros(view.neurons, dtype=torch.float64, device=view.device)
    labels, sides = view.components, view.sides
    sizes = torch.bincount(labels)
    loops = view.dense.diagonal() if sides is None else values
    values = values + torch.where(sizes[labels] == 1, loops, 0.0)
    for piece in (sizes > 1).nonzero()[:, 0]:
        inside = labels == piece
        if sides is None:
            index = inside.nonzero()[:, 0]
            values[index] = _log_diagonal_exponential(view.dense[index][:, index])
        else:
            rows, columns = inside[sides.large_index], inside[sides.small_index]
            block = view.biadjacency[rows][:, columns]
            first, second = sides.large_index[rows], sides.small_index[columns]
            if len(first) < len(second):
                block, first, second = block.mT, second, first
            values[first], values[second] = _log_two_sides(block, torch.arange(len(first), device=view.device))
    return values


def _log_two_sides(matrix: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Log subgraph centrality of the given rows (large side) and of all columns (small side) of a biadjacency."""
    squared, vectors = torch.linalg.eigh(matrix.mT @ matrix)
    singular = squared.clamp_min(0).sqrt()
    top = singular[..., -1:]
    raised = 0.5 * ((singular - top).exp() + (-singular - top).exp())
    small = top + (vectors**2 @ raised[..., None])[..., 0].log()
    squares = singular**2
    half = 0.5 * ((singular - top) / 2).exp() * -torch.expm1(-singular)
    share = torch.where(squares > 1e-8, 2 * half**2 / squares.clamp_min(1e-8), 0.5 * (-top).exp() * (1 + squares / 12))
    walks = ((matrix[..., rows, :] @ vectors) ** 2 @ share[..., None])[..., 0]
    large = top + ((-top).exp() + walks).log()
    return large, small


def _log_diagonal_exponential(matrix: Tensor) -> Float[Tensor, "*networks neurons"]:
    """Logarithm of the diagonal of e^A."""
    values, vectors = torch.linalg.eigh(matrix)
    top = values[..., -1:]
    diagonal: Tensor = top + (vectors**2 @ (values - top).exp()[..., None])[..., 0].log()
    return diagonal
