"""What is kept of a network at one moment: strengths, fluctuations, weights, plain statistics; also under null models.

Strength is the published variant: a missing side counts 1, a neuron's bias is added once. A layer's fluctuation is the
standard deviation of these strengths over all its neurons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.graph import NeuralGraph
from synaplex.graph.conv import ConvLink
from synaplex.graph.dense import DenseLink
from synaplex.graph.link import Link
from synaplex.measures import strength, weight_features
from synaplex.studies.nulls import NULLS

Arrays = dict[str, np.ndarray]
"""Arrays by name, a row a network."""


@dataclass(frozen=True)
class Kept:
    """Which neurons and weights are kept.

    Attributes
    ----------
    neurons, weights
        Places within each layer and link.
    null_draws, seed
        Of the null models.
    """

    neurons: tuple[np.ndarray, ...]
    weights: tuple[np.ndarray, ...]
    null_draws: int
    seed: int

    @classmethod
    def of(cls, sizes: Sequence[int], weights: Sequence[int], most: tuple[int, int], draws: int, seed: int) -> Kept:
        """At most so many places of each layer and link, drawn from a seed."""

        def places(sizes: Sequence[int], at_most: int, stream: int) -> tuple[np.ndarray, ...]:
            generator = np.random.default_rng((seed, stream))
            return tuple(np.sort(generator.choice(n, min(n, at_most), replace=False)) for n in sizes)

        return cls(places(sizes, most[0], 0), places(weights, most[1], 1), draws, seed)


def null_kinds(draws: int) -> list[str]:
    """Names of all draws of all null models."""
    return [f"{null} {draw}" for null in NULLS for draw in range(draws)]


def observe(graph: NeuralGraph, keys: Sequence[int], kept: Kept) -> Arrays:
    """Look at a batch of networks.

    Parameters
    ----------
    graph
        The batch.
    keys
        A number for each network and moment, from which its null draws are made.
    kept
        Which neurons and weights.

    Returns
    -------
    dict
        ``strength/KIND/LAYER`` and ``fluctuation/KIND`` for the trained networks (kind ``"trained"``) and each draw of
        each null model, ``weights/LINK``, and ``statistics``.
    """
    result: Arrays = _strengths(graph, "trained", kept)
    for link, (one, places) in enumerate(zip(graph.links, kept.weights, strict=True)):
        result[f"weights/{link}"] = _weight(one).flatten(1).numpy()[:, places].astype(np.float32)
    result["statistics"] = _statistics(graph)
    for kind in null_kinds(kept.null_draws):
        result |= _strengths(_null(graph, kind, keys, kept.seed), kind, kept)
    return result


def _strengths(graph: NeuralGraph, kind: str, kept: Kept) -> Arrays:
    values = strength(graph, bias="once", missing=1.0).numpy()
    layers = [values[:, graph.layer_slice(i)] for i in range(len(graph.layers))]
    result = {
        f"strength/{kind}/{i}": layer[:, places].astype(np.float32)
        for i, (layer, places) in enumerate(zip(layers, kept.neurons, strict=True))
    }
    result[f"fluctuation/{kind}"] = np.stack([layer.std(axis=1) for layer in layers], axis=1).astype(np.float32)
    return result


def _statistics(graph: NeuralGraph) -> Float[np.ndarray, "networks statistics"]:
    """Plain statistics of the weights of each link ; a shared kernel counts once."""
    plain = (NeuralGraph.from_weights([_weight(link).flatten(1)[:, None]]) for link in graph.links)
    parts = [weight_features(one).to_numpy() for one in plain]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _null(graph: NeuralGraph, kind: str, keys: Sequence[int], seed: int) -> NeuralGraph:
    name, draw = kind.split()
    stream = list(NULLS).index(name)
    generators = [np.random.default_rng((seed, stream, int(draw), key)) for key in keys]
    links: list[Link] = []
    for link in graph.links:
        whole = _weight(link).numpy()
        drawn = [NULLS[name](one.reshape(len(one), -1), rng) for one, rng in zip(whole, generators, strict=True)]
        weight = torch.from_numpy(np.stack(drawn).reshape(whole.shape))
        assert isinstance(link, DenseLink | ConvLink)
        links.append(replace(link, weight=weight))
    return NeuralGraph(graph.layers, tuple(links), graph.biases)


def _weight(link: Link) -> Tensor:
    assert isinstance(link, DenseLink | ConvLink)
    return link.weight
