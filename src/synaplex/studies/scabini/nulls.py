"""Null models of a population: the same networks with weights shuffled within each link, or with signs flipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import polars as pl
import torch
from torch import Tensor

from synaplex.graph import NeuralGraph
from synaplex.measures import measure
from synaplex.population.snapshots import Option
from synaplex.studies.nulls import NULLS

NETWORKS_AT_ONCE = 64


def null_networks(graph: NeuralGraph, null: str, draw: int, seeds: Sequence[int], seed: int) -> NeuralGraph:
    """One draw of a null model for each network of a batch.

    Parameters
    ----------
    graph
        A batch of networks with dense links.
    null
        A name in `NULLS`.
    draw
        Number of the draw.
    seeds
        One for each network: its draws are its own, whatever networks are beside it.
    seed
        Of the analysis.
    """
    generators = [np.random.default_rng((seed, list(NULLS).index(null), draw, network_seed)) for network_seed in seeds]
    links: list[Tensor] = []
    for link in graph.links:
        whole = link.to_dense().numpy()
        links.append(
            torch.from_numpy(
                np.stack([NULLS[null](one, generator) for one, generator in zip(whole, generators, strict=True)])
            )
        )
    return NeuralGraph.from_weights(links)


def measured(graph: NeuralGraph, seeds: Sequence[int], measures: Mapping[str, Mapping[str, Option]]) -> pl.DataFrame:
    """The hidden neurons of a batch, measured as in a snapshot: `seed`, `layer`, `neuron`, the measures, `reason`."""
    frame = measure(graph, measures, layers="hidden", undefined="null")
    names = pl.Series("seed", list(seeds), dtype=pl.Int64)
    return frame.select(names.gather(frame["network"]), "layer", "neuron", *measures, "reason")


def null_draws(
    weights: Callable[[Sequence[int]], NeuralGraph],
    seeds: Sequence[int],
    measures: Mapping[str, Mapping[str, Option]],
    *,
    draws: int,
    seed: int,
) -> Iterator[tuple[str, int, pl.DataFrame]]:
    """The measured neurons of the whole population under each draw of each null model.

    Parameters
    ----------
    weights
        Gives the trained networks of some seeds.
    seeds
        Of all networks.
    measures
        What to measure, with options.
    draws
        Of each null model.
    seed
        Of the analysis.

    Yields
    ------
    Name of the null model, number of the draw, and its neurons as `measured` gives them.
    """
    for null in NULLS:
        for draw in range(draws):
            parts = []
            for start in range(0, len(seeds), NETWORKS_AT_ONCE):
                some = seeds[start : start + NETWORKS_AT_ONCE]
                parts.append(measured(null_networks(weights(some), null, draw, some, seed), some, measures))
            yield null, draw, pl.concat(parts)
