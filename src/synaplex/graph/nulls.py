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

Stream = Callable[[Tensor], torch.Generator]
"""Random numbers for a parameter, the same for all links that hold it."""

Change = Callable[[Link, str, Stream], Link]
"""What a null model makes of a link, given the name of its parameter, if it has any, and random numbers."""


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
    return changed(graph, seed, _to_weights(in_random_order))


def flipped(graph: NeuralGraph, seed: int = 0) -> NeuralGraph:
    """The network with each weight of each link at its place, under a random sign.

    For what is claimed of signs: strengths lose what positive and negative weights have to do with each other, |w|
    stays. Parameters, errors and what is left alone are those of `shuffled`.
    """
    return changed(graph, seed, _to_weights(_with_random_signs))


def in_random_order(weight: Tensor, generator: torch.Generator) -> Tensor:
    """Each line of weights, the last axis, in an order of its own."""
    order = torch.rand(weight.shape, generator=generator, dtype=torch.float64).argsort(-1).to(weight.device)
    return weight.gather(-1, order)


def _with_random_signs(weight: Tensor, generator: torch.Generator) -> Tensor:
    sign = torch.randint(2, weight.shape, generator=generator, dtype=torch.int8) * 2 - 1
    return weight * sign.to(weight.device, weight.dtype)


def changed(graph: NeuralGraph, seed: int, change: Change) -> NeuralGraph:
    """The network with each link changed, and those that others are made of in their place.

    The links within a link are given the layers that it joins.
    """
    drawn: dict[tuple[int, int, bool], int] = {}

    def generator(weight: Tensor, name: str, copied: bool) -> torch.Generator:
        """The same for links that hold the same tensor, whatever they call it."""
        key = drawn.setdefault(_identity(weight, copied), crc32(name.encode()))
        return torch.Generator().manual_seed(int(np.random.default_rng((seed, key)).integers(2**62)))

    def within(link: Link, name: str, place: int) -> Link:
        name = link.name or name
        if isinstance(link, RepeatedLink):
            return replace(link, link=within(link.link.between(link.source, link.target), name, place))
        if isinstance(link, TransposedLink):
            return replace(link, link=within(link.link.between(link.target, link.source), name, place))
        if isinstance(link, SumLink):
            if link.function is not None:
                raise SpecificationError(
                    "null models are made of networks as they are: apply edge rules to what comes out"
                )
            parts = (part.between(link.source, link.target) for part in (link.large, link.small))
            large, small = (within(part, name, place) for part in parts)
            return replace(link, large=large, small=small)
        if isinstance(link, DenseLink) and _is_turned(link.weight):
            return within(link.transpose(), name, place).transpose()
        copied = isinstance(link, SparseLink) and bool(graph.records)
        return change(link, name, lambda weight: generator(weight, name or str(place), copied))

    links = tuple(within(link, "", place) for place, link in enumerate(graph.links))
    return replace(graph, links=links, _views=None)


def _identity(weight: Tensor, copied: bool) -> tuple[int, int, bool]:
    """What links of one parameter share: its place in memory; its values, where a model's sparse layers copy them."""
    if copied and not weight.is_meta:
        values = weight.detach().cpu().contiguous().view(torch.uint8).numpy()
        return crc32(values.tobytes()), weight.numel(), True
    return weight.data_ptr(), weight.numel(), False


def _is_turned(weight: Tensor) -> bool:
    """Whether a matrix is read from one that is stored the other way round, as a decoder's tied to its encoder's."""
    return weight.mT.is_contiguous() and not weight.is_contiguous()


def _to_weights(change: Callable[[Tensor, torch.Generator], Tensor]) -> Change:
    """A change of the parameters of a link, as one line a network."""

    def to_link(link: Link, _: str, stream: Stream) -> Link:
        if isinstance(link, SparseLink):
            random, bounds = stream(link.weight), link.row_start[:: max(link.shape[0], 1)].tolist()
            parts = [change(link.weight[start:end], random) for start, end in pairwise(bounds)]
            return replace(link, weight=torch.cat(parts)) if parts else link
        if isinstance(link, DenseLink | ConvLink | ConvTransposeLink):
            return replace(link, weight=flat(link.weight, link.networks, stream(link.weight)))
        if isinstance(link, GainLink | DiagonalLink):
            return replace(link, gain=flat(link.gain, link.networks, stream(link.gain)))
        return link

    def flat(weight: Tensor, networks: int | None, generator: torch.Generator) -> Tensor:
        line = weight.reshape(-1) if networks is None else weight.reshape(networks, -1)
        return change(line, generator).reshape(weight.shape)

    return to_link
