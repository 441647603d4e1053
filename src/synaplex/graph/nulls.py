"""Null models of a graph: the same links, with their weights in random order or with random signs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from synaplex.errors import SpecificationError
from synaplex.graph.conv import ConvLink
from synaplex.graph.conv_transpose import ConvTransposeLink
from synaplex.graph.dense import DenseLink
from synaplex.graph.diagonal import DiagonalLink
from synaplex.graph.gain import GainLink
from synaplex.graph.link import Link
from synaplex.graph.network import NeuralGraph
from synaplex.graph.repeated import RepeatedLink
from synaplex.graph.sparse import SparseLink
from synaplex.graph.sum import SumLink
from synaplex.graph.transposed import TransposedLink

Change = Callable[[Tensor, torch.Generator], Tensor]


def shuffled(graph: NeuralGraph, seed: int = 0) -> NeuralGraph:
    """The network with the weights of each link in random order.

    What is left is what the distribution of weights in each layer brings about; what is gone is where they are. Kernels
    stay kernels and sparse connections stay where they are: it is the parameters that change places. Links of one
    parameter (tied, repeated, unrolled over time) change alike; residual additions, pooling, attention and biases stay.

    Parameters
    ----------
    graph
        A network, or a batch, in which each network has an order of its own.
    seed
        Of the order: the same for the same seed and names of parameters.

    Raises
    ------
    SpecificationError
        If an edge rule has been applied to the graph; apply it afterwards.

    Notes
    -----
    Cost: a sort of the parameters.

    Examples
    --------
    >>> graph = NeuralGraph.from_weights([torch.tensor([[1.0, 2.0], [3.0, 4.0]])])
    >>> sorted(shuffled(graph, seed=1).links[0].weights.tolist())
    [1.0, 2.0, 3.0, 4.0]
    """
    return _changed(graph, seed, _in_random_order)


def flipped(graph: NeuralGraph, seed: int = 0) -> NeuralGraph:
    """The network with each weight of each link at its place, under a random sign.

    For what is claimed of signs: strengths lose what positive and negative weights have to do with each other, |w|
    stays. Parameters, errors and what is left alone are those of `shuffled`.
    """
    return _changed(graph, seed, _with_random_signs)


def _in_random_order(weight: Tensor, generator: torch.Generator) -> Tensor:
    order = torch.rand(weight.shape, generator=generator, dtype=torch.float64).argsort(-1).to(weight.device)
    return weight.gather(-1, order)


def _with_random_signs(weight: Tensor, generator: torch.Generator) -> Tensor:
    sign = torch.randint(2, weight.shape, generator=generator, dtype=torch.int8) * 2 - 1
    return weight * sign.to(weight.device, weight.dtype)


def _changed(graph: NeuralGraph, seed: int, change: Change) -> NeuralGraph:
    drawn: dict[tuple[int, int], int] = {}

    def generator(weight: Tensor, name: str) -> torch.Generator:
        """The same for links that hold the same tensor, whatever they call it."""
        key = drawn.setdefault((weight.data_ptr(), weight.numel()), crc32(name.encode()))
        return torch.Generator().manual_seed(int(np.random.default_rng((seed, key)).integers(2**62)))

    links = tuple(_link(link, link.name or str(i), generator, change) for i, link in enumerate(graph.links))
    return replace(graph, links=links, _views=None)


def _link(link: Link, name: str, generator: Callable[[Tensor, str], torch.Generator], change: Change) -> Link:
    """A link with changed parameters."""
    if isinstance(link, RepeatedLink | TransposedLink):
        return replace(link, link=_link(link.link, link.link.name or name, generator, change))
    if isinstance(link, SumLink):
        if link.function is not None:
            raise SpecificationError("null models are made of networks as they are: apply edge rules to what comes out")
        large, small = (_link(part, part.name or name, generator, change) for part in (link.large, link.small))
        return replace(link, large=large, small=small)
    if isinstance(link, SparseLink):
        random, bounds = generator(link.weight, name), link.row_start[:: max(link.shape[0], 1)].tolist()
        parts = [change(link.weight[start:end], random) for start, end in pairwise(bounds)]
        return replace(link, weight=torch.cat(parts)) if parts else link
    if isinstance(link, DenseLink | ConvLink | ConvTransposeLink):
        return replace(link, weight=_flat(link.weight, link.networks, generator(link.weight, name), change))
    if isinstance(link, GainLink | DiagonalLink):
        return replace(link, gain=_flat(link.gain, link.networks, generator(link.gain, name), change))
    return link


def _flat(weight: Tensor, networks: int | None, generator: torch.Generator, change: Change) -> Tensor:
    """Change parameters as one line a network."""
    line = weight.reshape(-1) if networks is None else weight.reshape(networks, -1)
    return change(line, generator).reshape(weight.shape)
