"""Which neurons are one node: channels of an image, and layers that only pass values on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from synaplex.errors import InvalidGraphError
from synaplex.graph import (
    ConvLink,
    ConvTransposeLink,
    DiagonalLink,
    FoldLink,
    GainLink,
    IdentityLink,
    Link,
    NeuralGraph,
    PoolLink,
    SelectLink,
    TransposedLink,
)

ELEMENTWISE = (IdentityLink, DiagonalLink, GainLink)
_SPATIAL = (ConvLink, ConvTransposeLink, PoolLink)


@dataclass(frozen=True)
class NodePlan:
    """How the layers of a network become groups of nodes.

    A neuron is a node; in a layer of images, which some convolution or pooling reads or makes, a channel is. A layer
    whose only incoming link joins each node to the same node of an earlier layer (normalisation, pooling, the mean over
    positions, padding) shares the nodes of that layer.

    Attributes
    ----------
    counts
        Nodes of each layer.
    footprints
        Height and width of what a node stands for in each layer: 1 x 1 for a neuron.
    groups
        The group of each layer.
    passing
        Indices of the links inside a group, which are no edges.
    """

    counts: tuple[int, ...]
    footprints: tuple[tuple[int, int], ...]
    groups: tuple[int, ...]
    passing: frozenset[int]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Nodes of each group."""
        return tuple(self.counts[self.groups.index(group)] for group in range(max(self.groups) + 1))


def node_plan(graph: NeuralGraph) -> NodePlan:
    """The groups of nodes of a network.

    Raises
    ------
    InvalidGraphError
        If a convolution runs over three axes, whose kernels have no footprint in the plane.
    """
    images = _images(graph)
    counts, footprints = [], []
    for i, layer in enumerate(graph.layers):
        if i in images and len(layer.shape) > 3:
            raise InvalidGraphError(
                f"layer {layer.name!r} of shape {layer.shape} belongs to a convolution over three axes; encoders read "
                "kernels of one or two axes"
            )
        inner = layer.shape[1:] if i in images else ()
        counts.append(layer.shape[0] if i in images else layer.size)
        footprints.append((1, 1) if not inner else (math.prod(inner[:-1]), inner[-1]))
    groups: list[int] = []
    passing = set()
    for i in range(len(graph.layers)):
        incoming = [k for k, link in enumerate(graph.links) if link.target == i]
        only = graph.links[incoming[0]] if len(incoming) == 1 else None
        if only is not None and only.source < i and _passes(only, counts, footprints):
            groups.append(groups[only.source])
            passing.add(incoming[0])
        else:
            groups.append(max(groups, default=-1) + 1)
    return NodePlan(tuple(counts), tuple(footprints), tuple(groups), frozenset(passing))


def _images(graph: NeuralGraph) -> set[int]:
    """The layers of images: those that a convolution or pooling joins, and what has the same elements."""
    found: set[int] = set()
    for link in graph.links:
        inner = link.link if isinstance(link, TransposedLink) else link
        if isinstance(inner, _SPATIAL):
            found |= {end for end in (link.source, link.target) if len(graph.layers[end].shape) > 1}
    while True:
        reached = {
            end
            for link in graph.links
            if isinstance(link, ELEMENTWISE) and graph.layers[link.source].shape == graph.layers[link.target].shape
            for end in (link.source, link.target)
            if {link.source, link.target} & found
        }
        if reached <= found:
            return found
        found |= reached


def _passes(link: Link, counts: list[int], footprints: list[tuple[int, int]]) -> bool:
    """Whether a link joins each node to the same node of the other layer and to no other."""
    nodes = counts[link.source]
    if nodes != counts[link.target]:
        return False
    inner = link.link if isinstance(link, TransposedLink) else link
    if isinstance(inner, ELEMENTWISE) or (isinstance(inner, PoolLink) and inner.in_shape[0] == nodes):
        return True
    if isinstance(inner, FoldLink):
        return inner.outer == nodes and inner.inner == 1
    if isinstance(link, SelectLink):
        read, place = math.prod(footprints[link.source]), math.prod(footprints[link.target])
        index = link.index.cpu()
        same = index // read == torch.arange(len(index)) // place
        return bool((same | (index < 0)).all())
    return False
