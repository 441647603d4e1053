"""The strength family: sums of the weights at a neuron."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.errors import SpecificationError, UndefinedMeasureError
from synaplex.graph import NeuralGraph
from synaplex.graph.network import Neurons
from synaplex.measures.naming import name_neurons
from synaplex.measures.registry import register
from synaplex.measures.undefined import Undefined, settle

Bias = Literal["none", "once", "per_edge"]


@register(aliases=("weighted_degree", "node_strength"), reach=1)
def strength(
    graph: NeuralGraph,
    *,
    neurons: Neurons = "all",
    edges: str = "signed",
    bias: Bias = "none",
    missing: float = 0.0,
    undefined: Undefined | None = None,
) -> Float[Tensor, "*networks neurons"]:
    """Strength: the summed weight of a neuron's links, s_i = sum_j w_ij over the undirected graph.

    With a bias or a stand-in for a missing side it is the sum of `in_strength` and `out_strength`.

    Parameters
    ----------
    graph
        A network or a batch.
    neurons
        ``"all"``, ``"hidden"``, or global indices.
    edges
        Edge rule; the default reads every weight with its sign.
    bias
        ``"none"``; ``"once"`` adds a neuron's bias to its in-strength once (released code of La Malfa et al.);
        ``"per_edge"`` adds it to every incoming weight (their 2024 eqs. 1 to 3). Signed edges only.
    missing
        What the absent side of input and output neurons counts: 0, or 1 as in the released code of La Malfa et al.
    undefined
        Not used: a sum is always defined.

    Returns
    -------
    Tensor
        ``(*networks, neurons)``, float64, in units of weight.

    Notes
    -----
    Cost: one pass over the weights. Source: Scabini & Bruno 2021, eq. 3; La Malfa et al. 2021.

    Examples
    --------
    >>> import torch
    >>> strength(NeuralGraph.from_weights([torch.tensor([[1.0, -3.0]])]))
    tensor([ 1., -3., -2.], dtype=torch.float64)
    """
    if bias == "none" and missing == 0:
        view = graph.undirected(edges)
        if isinstance(neurons, str) and neurons == "hidden" and graph.hidden:
            return torch.cat([view.strength_of(layer) for layer in graph.hidden], -1)
        return graph.pick(view.strength, neurons)
    received = in_strength(graph, edges=edges, bias=bias, missing=missing)
    sent = out_strength(graph, edges=edges, bias=bias, missing=missing)
    return graph.pick(received + sent, neurons)


@register(reach=1)
def in_strength(
    graph: NeuralGraph,
    *,
    neurons: Neurons = "all",
    edges: str = "signed",
    bias: Bias = "none",
    missing: float = 0.0,
    undefined: Undefined | None = None,
) -> Float[Tensor, "*networks neurons"]:
    """In-strength: the summed weight of a neuron's incoming links, s_in = W 1.

    Parameters, returns and cost as in `strength`; a neuron that no link enters gets `missing`.
    Source: La Malfa et al. 2021.
    """
    return graph.pick(_sided(graph, edges, bias, missing, incoming=True), neurons)


@register(reach=1)
def out_strength(
    graph: NeuralGraph,
    *,
    neurons: Neurons = "all",
    edges: str = "signed",
    bias: Bias = "none",
    missing: float = 0.0,
    undefined: Undefined | None = None,
) -> Float[Tensor, "*networks neurons"]:
    """Out-strength: the summed weight of a neuron's outgoing links, s_out = W^T 1.

    Parameters, returns and cost as in `strength`; a neuron that no link leaves gets `missing`. With
    ``bias="per_edge"`` the bias of the neuron at the far end is added to each link. Source: La Malfa et al. 2021.
    """
    return graph.pick(_sided(graph, edges, bias, missing, incoming=False), neurons)


def _sided(
    graph: NeuralGraph, edges: str, bias: Bias, missing: float, *, incoming: bool
) -> Float[Tensor, "*networks neurons"]:
    """In- or out-strength of all neurons."""
    if bias not in ("none", "once", "per_edge"):
        raise SpecificationError(f"bias={bias!r} is none of 'none', 'once', 'per_edge'")
    if bias != "none" and edges != "signed":
        raise SpecificationError(f"bias={bias!r} is defined on signed edges only, not on edges={edges!r}")
    batch = () if graph.networks is None else (graph.networks,)
    parts: list[Tensor | None] = [None] * len(graph.layers)
    for link in graph.directed(edges):
        layer, far = (link.target, link.source) if incoming else (link.source, link.target)
        one = torch.ones((), dtype=torch.float64, device=graph.device).expand(graph.sizes[far])
        value = link.forward(one) if incoming else link.backward(one)
        if bias == "per_edge" and link.target in graph.biases:
            indicator = link.map(lambda weight: (weight != 0).to(weight.dtype))
            offset = graph.biases[link.target].double()
            degree = indicator.forward(torch.ones(link.in_size, dtype=torch.float64, device=graph.device))
            value = value + (degree * offset if incoming else indicator.backward(offset))
        before = parts[layer]
        parts[layer] = value if before is None else before + value
    if bias == "once" and incoming:
        for layer, offset in graph.biases.items():
            before = parts[layer]
            parts[layer] = offset.double() if before is None else before + offset.double()
    return torch.cat(
        [
            torch.full((*batch, size), missing, dtype=torch.float64, device=graph.device)
            if part is None
            else part.expand(*batch, size)
            for part, size in zip(parts, graph.sizes, strict=True)
        ],
        dim=-1,
    )


@register(aliases=("average_neighbor_strength",), reach=2)
def neighbor_strength(
    graph: NeuralGraph,
    *,
    neurons: Neurons = "all",
    edges: str = "signed",
    form: Literal["strength", "degree"] = "strength",
    undefined: Undefined | None = None,
) -> Float[Tensor, "*networks neurons"]:
    """Average neighbour strength: sum_j w_ij s_j / s_i over a neuron's neighbours j.

    Parameters
    ----------
    graph, neurons
        As in `strength`.
    edges
        Edge rule; signed by default.
    form
        ``"strength"`` weighs the neighbours' strengths s_j (the definition); ``"degree"`` their unweighted degrees k_j
        (the released data of Scabini & Bruno, and NetworkX's ``average_neighbor_degree(weight=...)``).
    undefined
        Collects neurons of zero strength instead of raising.

    Returns
    -------
    Tensor
        ``(*networks, neurons)``, float64. With signed weights it is unbounded: s_i may be close to zero.

    Raises
    ------
    UndefinedMeasureError
        If a chosen neuron has strength zero.

    Notes
    -----
    Cost: two passes over the weights. Source: Scabini & Bruno 2021, eq. 4.
    """
    if form not in ("strength", "degree"):
        raise SpecificationError(f"form={form!r} is neither 'strength' nor 'degree'")
    view = graph.undirected(edges)
    total = view.product(view.strength if form == "strength" else view.degree)
    return _ratio("neighbor_strength", graph, total, view.strength, neurons, undefined)


@register(reach=1)
def disparity(
    graph: NeuralGraph,
    *,
    neurons: Neurons = "all",
    edges: str = "absolute",
    undefined: Undefined | None = None,
) -> Float[Tensor, "*networks neurons"]:
    """Disparity: sum_j (w_ij / s_i)^2, how unevenly a neuron's weight is spread over its links.

    1/k for k equal weights, 1 where a single link carries everything.

    Parameters
    ----------
    graph, neurons
        As in `strength`.
    edges
        Edge rule; |w| by default. With signed edges it is unbounded.
    undefined
        Collects neurons of zero strength instead of raising.

    Returns
    -------
    Tensor
        ``(*networks, neurons)``, float64, in (0, 1] for non-negative weights.

    Raises
    ------
    UndefinedMeasureError
        If a chosen neuron has strength zero.

    Notes
    -----
    Cost: two passes over the weights. Source: Barthélemy, Gondran & Guichard 2003 (the Y2 of a node).
    """
    view = graph.undirected(edges)
    return _ratio("disparity", graph, view.map(torch.square).strength, view.strength**2, neurons, undefined)


def _ratio(
    measure: str, graph: NeuralGraph, above: Tensor, below: Tensor, neurons: Neurons, undefined: Undefined | None
) -> Float[Tensor, "*networks neurons"]:
    """One value over another at the chosen neurons."""
    above, below = graph.pick(above, neurons), graph.pick(below, neurons)
    zero = below == 0
    where = name_neurons(graph, graph.select(neurons), zero) if bool(zero.any()) else ""
    error = UndefinedMeasureError(f"{measure} is undefined for neurons of zero strength: {where}")
    return settle(above / below, zero, error, "zero strength", undefined)
