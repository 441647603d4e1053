"""Centralities that igraph computes, by name."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.errors import SpecificationError, UndefinedMeasureError, UnknownNameError, require
from synaplex.graph.interop import to_igraph, to_scipy
from synaplex.graph.network import NeuralGraph

# Where igraph reads weights as lengths, and where as strengths.
_BY_LENGTH = {
    "betweenness": "betweenness",
    "closeness": "closeness",
    "harmonic": "harmonic_centrality",
}
_BY_STRENGTH = {
    "authority": "authority_score",
    "burt_constraint": "constraint",
    "eigenvector": "eigenvector_centrality",
    "hub": "hub_score",
    "pagerank": "pagerank",
    "strength": "strength",
}
_UNWEIGHTED = {
    "coreness": "coreness",
    "degree": "degree",
    "eccentricity": "eccentricity",
    "local_clustering": "transitivity_local_undirected",
}
_ALIASES = {
    "betweenness_centrality": "betweenness",
    "closeness_centrality": "closeness",
    "constraint": "burt_constraint",
    "core_number": "coreness",
    "eigenvector_centrality": "eigenvector",
    "k_core": "coreness",
    "k_coreness": "coreness",
    "katz_centrality": "katz",
    "page_rank": "pagerank",
}

_MOST_STEPS = 100_000

CENTRALITIES = tuple(sorted({*_BY_LENGTH, *_BY_STRENGTH, *_UNWEIGHTED, "katz"}))
"""The names that `centrality` knows, besides common aliases of them."""


def centrality(
    graph: NeuralGraph,
    name: str,
    *,
    edges: str = "absolute",
    directed: bool = False,
    distance: str = "inverse",
    **options: Any,
) -> Float[Tensor, " neurons"]:
    """A centrality of every neuron, computed by igraph (Katz: here).

    Coreness, degree, eccentricity and local clustering read no weights. Betweenness, closeness and harmonic
    centrality read them as lengths, the others as strengths.

    Parameters
    ----------
    graph
        A single network.
    name
        One of `CENTRALITIES`.
    edges
        The edge rule, see `EdgeRule`; most centralities are defined on weights above zero only.
    directed
        Whether edges have their direction.
    distance
        How long an edge of weight w is, where paths count: ``"inverse"`` 1 / w, so that strong edges are
        short, ``"weight"`` w, ``"hops"`` 1.
    options
        Passed on to igraph's method, such as ``damping`` of PageRank or ``cutoff`` of betweenness. Katz takes
        ``alpha`` (by default half of the largest that converges, or 0.1 where all do) and ``beta`` (1).

    Returns
    -------
    Tensor
        float64, in the order of the neurons, on the graph's device. Katz is scaled to unit length.

    Raises
    ------
    UnknownNameError
        If there is no such centrality.
    UndefinedMeasureError
        If it is not defined on this graph, as most are not with negative weights.
    MissingExtraError
        If igraph is not installed.
    """
    chosen = _ALIASES.get(name, name)
    if chosen not in CENTRALITIES:
        raise UnknownNameError("centrality", name, CENTRALITIES)
    if chosen == "katz":
        values = _katz(to_scipy(graph, edges=edges, directed=directed), **options)
    else:
        values = _by_igraph(to_igraph(graph, edges=edges, directed=directed), chosen, distance, options)
    return torch.as_tensor(values, dtype=torch.float64, device=graph.device)


def _by_igraph(graph: Any, name: str, distance: str, options: dict[str, Any]) -> Any:
    lengths: dict[str, Callable[[float], float]] = {
        "inverse": lambda weight: 1 / weight,
        "weight": lambda weight: weight,
        "hops": lambda weight: 1.0,
    }
    if distance not in lengths:
        raise UnknownNameError("distance", distance, lengths)
    weights = graph.es["weight"]
    _check_weights(name, weights)
    if name in _UNWEIGHTED:
        keywords = dict(options)
    elif name in _BY_LENGTH:
        keywords = {"weights": [lengths[distance](weight) for weight in weights], **options}
    else:
        keywords = {"weights": weights, **options}
    if name == "local_clustering":
        keywords = {"mode": "zero", **keywords}
    if name in ("hub", "authority") and not graph.is_directed():
        name = "eigenvector"  # the same without directions
    method = getattr(graph, {**_BY_LENGTH, **_BY_STRENGTH, **_UNWEIGHTED}[name])
    igraph = require("igraph", "interop")
    # Where igraph draws starting vectors, it takes them from Python's own generator: lend it one state, put back
    # the caller's.
    state = random.getstate()
    random.seed(0)
    try:
        return method(**keywords)
    except igraph.InternalError as error:
        raise UndefinedMeasureError(f"igraph cannot compute {name} here: {str(error).splitlines()[0]}") from error
    except TypeError as error:
        raise SpecificationError(f"{name}: {error}") from error
    finally:
        random.setstate(state)


def _check_weights(name: str, weights: list[float]) -> None:
    negative = sum(weight < 0 for weight in weights)
    if negative and name not in _UNWEIGHTED and name != "strength":
        raise UndefinedMeasureError(
            f"{name} needs weights above zero, and {negative} of {len(weights)} are below: "
            "pass edges='absolute' or edges='positive'"
        )


def _katz(adjacency: Any, *, alpha: float | None = None, beta: float = 1.0) -> Any:
    """The solution of x = alpha A^T x + beta, by fixed-point iteration, scaled to unit length."""
    incoming = adjacency.T.tocsr()
    radius = _spectral_radius(incoming)
    if alpha is None:
        alpha = 0.5 / radius if radius else 0.1
    if not 0 < alpha * radius < 1 and (radius or alpha <= 0):
        raise UndefinedMeasureError(f"Katz centrality needs 0 < alpha < {1 / radius:.6g} here, not {alpha:g}")
    values = np.full(incoming.shape[0], beta, dtype=np.float64)
    for _ in range(_MOST_STEPS):
        following = alpha * (incoming @ values) + beta
        change = abs(following - values).max()
        values = following
        if change <= 1e-15 * abs(values).max():
            return values / np.linalg.norm(values)
    raise UndefinedMeasureError(
        f"Katz centrality did not converge with alpha = {alpha:g}, close to its limit {1 / radius:.6g}"
    )


def _spectral_radius(matrix: Any) -> float:
    """The largest modulus of an eigenvalue; exactly 0 where the graph has no cycle."""
    from scipy.sparse.csgraph import connected_components
    from scipy.sparse.linalg import eigs, eigsh

    count = matrix.shape[0]
    parts, _ = connected_components(matrix, connection="strong")
    if parts == count and not matrix.diagonal().any():
        return 0.0
    if count < 64:
        return float(abs(np.linalg.eigvals(matrix.toarray())).max())
    solve = eigsh if abs(matrix - matrix.T).sum() == 0 else eigs
    return float(abs(solve(matrix, k=1, v0=np.ones(count), return_eigenvectors=False)[0]))
