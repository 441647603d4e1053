"""Laplacian centrality: how much of the graph's Laplacian energy goes with a neuron."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.errors import SpecificationError, UndefinedMeasureError
from synaplex.graph import NeuralGraph
from synaplex.graph.network import Neurons
from synaplex.measures.registry import register
from synaplex.measures.undefined import Undefined, settle


@register(aliases=("laplacian",), reach=2)
def laplacian_centrality(
    graph: NeuralGraph,
    *,
    neurons: Neurons = "all",
    edges: str = "signed",
    normalized: bool = False,
    variant: Literal["exact", "censet"] = "exact",
    undefined: Undefined | None = None,
) -> Float[Tensor, "*networks neurons"]:
    """Laplacian centrality: the drop of the Laplacian energy sum_k lambda_k^2 when a neuron is removed.

    In closed form s_i^2 + sum_j w_ij^2 + 2 sum_j w_ij s_j over the undirected graph, self-loops left out. It is
    exact for signed weights too (NetworkX subtracts |w| there, which is another quantity).

    Parameters
    ----------
    graph, neurons
        As in `strength`.
    edges
        Edge rule; signed by default.
    normalized
        Divide by the energy of the whole graph, as NetworkX does by default.
    variant
        ``"exact"``, or ``"censet"``: what the released CenSET notebook computed on the directed graph of the sparse
        layers, links into the output layer left out: trunc(s_out)^2 + sum over out-links of w (w + 2 s_out of the far
        end), with the weighted out-degree truncated to an integer (NetworKit's directed implementation). Neurons
        without out-links in that graph, the output layer's among them, get 0.
    undefined
        Collects, for ``normalized=True``, the neurons of a graph without energy instead of raising.

    Returns
    -------
    Tensor
        ``(*networks, neurons)``, float64, in squared units of weight.

    Raises
    ------
    UndefinedMeasureError
        If ``normalized=True`` and the graph has no Laplacian energy.

    Notes
    -----
    Cost: two passes over the weights. Source: Heath 2021, eqs. 1 to 4; Qi et al. 2012.
    """
    if variant not in ("exact", "censet"):
        raise SpecificationError(f"variant={variant!r} is neither 'exact' nor 'censet'")
    if variant == "censet":
        if normalized:
            raise SpecificationError("variant='censet' was published without normalisation")
        return graph.pick(_censet(graph, edges), neurons)
    view = graph.undirected(edges).without_loops
    own = torch.addcmul(view.map(torch.square).strength, view.strength, view.strength)
    energy = own.sum(-1, keepdim=True) if normalized else own
    drop = graph.pick(own.add_(view.product(view.strength), alpha=2), neurons)
    if not normalized:
        return drop
    return settle(
        drop / energy,
        (energy == 0).expand_as(drop),
        UndefinedMeasureError("normalised Laplacian centrality is undefined: the graph has no Laplacian energy"),
        "no Laplacian energy",
        undefined,
    )


def _censet(graph: NeuralGraph, edges: str) -> Float[Tensor, "*networks neurons"]:
    links = [link for link in graph.directed(edges) if graph.layers[link.target].role != "output"]
    batch = () if graph.networks is None else (graph.networks,)
    sent = torch.zeros(*batch, graph.neurons, dtype=torch.float64, device=graph.device)
    for link in links:
        ones = torch.ones(link.out_size, dtype=torch.float64, device=graph.device)
        sent[..., graph.layer_slice(link.source)] += link.backward(ones)
    total = sent.trunc() ** 2
    for link in links:
        source, target = graph.layer_slice(link.source), graph.layer_slice(link.target)
        ones = torch.ones(link.out_size, dtype=torch.float64, device=graph.device)
        total[..., source] += link.map(torch.square).backward(ones) + 2 * link.backward(sent[..., target])
    return total
