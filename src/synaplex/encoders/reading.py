"""From the links of a network to blocks of edges."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.encoders.nodes import ELEMENTWISE, NodePlan, node_plan
from synaplex.encoders.structure import Block, StructureGraph
from synaplex.errors import GraphTooLargeError, IncompleteGraphError
from synaplex.graph import (
    ConvLink,
    ConvTransposeLink,
    DenseLink,
    DiagonalLink,
    GainLink,
    IdentityLink,
    Link,
    NeuralGraph,
    PoolLink,
)

MOST_PAIRS = 30_000_000
"""Pairs of nodes between two groups up to which their edges are held as a block."""


def structure_graph(graph: NeuralGraph) -> StructureGraph:
    """The nodes and edges of a network, or of a batch of networks, as an encoder reads them.

    Neurons are nodes, and channels in layers of images. A weight is an edge with a footprint of 1 x 1, a kernel one
    with its own height and width, and where a Linear reads an image the h w weights from one channel are one edge with
    a footprint of h x w. Kernels of groups that do not meet are no edges. Links without weights of their own that do
    not pass nodes on one to one (slices, concatenations, repeated heads) join nodes by the mean of the edges between
    them.

    Returns
    -------
    StructureGraph
        With an axis of networks, of length 1 for a single network.

    Raises
    ------
    IncompleteGraphError
        If a part of the model was not understood, so that edges are unknown.
    InvalidGraphError
        If kernels have three axes.
    GraphTooLargeError
        If two groups have more than `MOST_PAIRS` pairs of nodes.

    Notes
    -----
    Cost: views of the weights, except where links are sparse. Source: section 2 of the paper (StructureReps, 2024).
    """
    if graph.gaps:
        gap = graph.gaps[0]
        raise IncompleteGraphError(
            f"the edges across {gap.module!r} are not known ({gap.reason}), so that the network has no embedding; "
            "graph.coverage() lists what was understood"
        )
    plan = node_plan(graph)
    networks = graph.networks or 1
    blocks = tuple(_block(link, graph, plan) for i, link in enumerate(graph.links) if i not in plan.passing)
    sizes = plan.sizes
    position = torch.linspace(0, 1, len(sizes)).double() if len(sizes) > 1 else torch.zeros(1).double()
    return StructureGraph(
        sizes,
        blocks,
        bias=_bias(graph, plan, networks),
        gain=_gain(graph, plan, networks),
        position=position.repeat_interleave(torch.tensor(sizes)),
    )


def _block(link: Link, graph: NeuralGraph, plan: NodePlan) -> Block:
    sources, targets = plan.counts[link.source], plan.counts[link.target]
    between = plan.groups[link.source], plan.groups[link.target]
    diagonal = sources == targets and isinstance(link, (*ELEMENTWISE, PoolLink))
    if diagonal:
        weight = _per_node(link, targets)[..., None, None]
    else:
        if sources * targets > MOST_PAIRS:
            raise GraphTooLargeError(
                f"{link!r} has {sources * targets:,} pairs of nodes; encoders hold blocks of up to {MOST_PAIRS:,}"
            )
        weight = _footprints(link, plan)
    batched = weight if graph.networks is not None else weight[None]
    kernel = isinstance(link, ConvLink | ConvTransposeLink)
    return Block(*between, weight=batched.detach(), diagonal=diagonal, kernel=kernel, name=link.name)


def _footprints(link: Link, plan: NodePlan) -> Float[Tensor, "*networks targets sources height width"]:
    if isinstance(link, ConvLink):
        return _plane(_ungrouped(link.weight, link.groups, len(link.in_shape) - 1), len(link.in_shape) - 1)
    if isinstance(link, ConvTransposeLink):
        axes = len(link.in_shape) - 1
        kernels = _ungrouped(link.weight, link.groups, axes)
        return _plane(kernels.transpose(-axes - 1, -axes - 2), axes)
    into, out = plan.footprints[link.source], plan.footprints[link.target]
    sources, targets = plan.counts[link.source], plan.counts[link.target]
    if not isinstance(link, DenseLink):
        return _mean_edges(link, targets, sources)[..., None, None]
    weight = link.weight
    lead = weight.shape[:-2]
    if math.prod(out) == 1:
        return weight.reshape(*lead, targets, sources, *into)
    spread = weight.reshape(*lead, targets, math.prod(out), sources, math.prod(into)).transpose(-3, -2)
    return spread.reshape(*lead, targets, sources, *out) if math.prod(into) == 1 else spread


def _ungrouped(weight: Tensor, groups: int, axes: int) -> Tensor:
    """The kernels between all channels, zero between those of different groups.

    The first axis of channels is the one that groups divide; the second counts the channels of one group.
    """
    if groups == 1:
        return weight
    lead, (first, second), kernel = weight.shape[: -axes - 2], weight.shape[-axes - 2 : -axes], weight.shape[-axes:]
    split = weight.reshape(*lead, groups, first // groups, second, *kernel)
    whole = weight.new_zeros(*lead, groups, first // groups, groups, second, *kernel)
    every = torch.arange(groups, device=weight.device)
    inside = whole.movedim((-axes - 4, -axes - 2), (0, 1))
    inside[every, every] = split.movedim(-axes - 3, 0)
    return whole.reshape(*lead, first, groups * second, *kernel)


def _plane(kernels: Tensor, axes: int) -> Tensor:
    """Kernels of one axis as kernels of two, one high."""
    return kernels if axes == 2 else kernels[..., None, :]


def _mean_edges(link: Link, targets: int, sources: int) -> Float[Tensor, "*networks targets sources"]:
    """The mean weight of the edges between each two nodes, 0 where there is none."""
    singles = [link] if link.networks is None else [link.network(k) for k in range(link.networks)]
    means = []
    for single in singles:
        sparse = single.to_sparse()
        target, source = sparse.row // (single.out_size // targets), sparse.column // (single.in_size // sources)
        place = target * sources + source
        total = torch.zeros(targets * sources, dtype=torch.float64, device=place.device)
        total = total.index_add(0, place, sparse.weight.double())
        count = torch.bincount(place, minlength=targets * sources).clamp(min=1)
        means.append((total / count).reshape(targets, sources))
    return means[0] if link.networks is None else torch.stack(means)


def _per_node(link: Link, nodes: int) -> Float[Tensor, "*networks nodes"]:
    """The weight that joins each node to itself, the mean over the positions of a channel."""
    if isinstance(link, IdentityLink):
        return link.scale[..., None].expand(*link.scale.shape, nodes)
    if isinstance(link, PoolLink):
        mean = link.gain.flatten(0 if link.networks is None else 1).mean(-1)
        return mean[..., None].expand(*mean.shape, nodes)
    if isinstance(link, GainLink):
        link = link.to_diagonal()
    if not isinstance(link, DiagonalLink):
        raise TypeError(f"{link!r} joins no node to itself alone")
    return link.gain.reshape(*link.gain.shape[:-1], nodes, -1).mean(-1)


def _layers(graph: NeuralGraph, plan: NodePlan) -> Sequence[tuple[int, slice]]:
    """Each layer with the place of its nodes."""
    sizes = plan.sizes
    starts = [sum(sizes[:group]) for group in range(len(sizes))]
    return [(i, slice(starts[g], starts[g] + sizes[g])) for i, g in enumerate(plan.groups)]


def _bias(graph: NeuralGraph, plan: NodePlan, networks: int) -> Float[Tensor, "networks nodes"]:
    """The sum of the biases of the layers that share a node."""
    total = torch.zeros(networks, sum(plan.sizes), dtype=torch.float64, device=graph.device)
    for i, place in _layers(graph, plan):
        if i in graph.biases:
            bias = graph.biases[i].detach().double()
            total[:, place] += bias.reshape(*bias.shape[:-1], plan.counts[i], -1).mean(-1)
    return total


def _gain(graph: NeuralGraph, plan: NodePlan, networks: int) -> Float[Tensor, "networks nodes"]:
    """The product of the normalisations of a node."""
    product = torch.ones(networks, sum(plan.sizes), dtype=torch.float64, device=graph.device)
    places = dict(_layers(graph, plan))
    for k in sorted(plan.passing):
        link = graph.links[k]
        if isinstance(link, GainLink | DiagonalLink):
            product[:, places[link.target]] *= _per_node(link, plan.counts[link.target]).detach().double()
    return product
