"""The baseline: plain statistics of the weights of each network (StatNN), trained and untrained."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from jaxtyping import Float

from synaplex.graph import NeuralGraph
from synaplex.measures import weight_features
from synaplex.networks import initial_weights
from synaplex.population import PopulationSpec

NETWORKS_AT_ONCE = 64


def weight_statistics(
    weights: Callable[[Sequence[int]], NeuralGraph], seeds: Sequence[int]
) -> Float[np.ndarray, "networks statistics"]:
    """Mean, variance and five quantiles of the weights of each link, a row a network.

    Parameters
    ----------
    weights
        Gives the networks of some seeds.
    seeds
        Of all networks.

    Notes
    -----
    Unterthiner et al. (2020). Cost: a sort of the weights.
    """
    parts = [
        weight_features(weights(seeds[start : start + NETWORKS_AT_ONCE]))
        for start in range(0, len(seeds), NETWORKS_AT_ONCE)
    ]
    return pl.concat(parts).to_numpy()


def untrained(spec: PopulationSpec) -> Callable[[Sequence[int]], NeuralGraph]:
    """What gives the networks of some seeds as they were before training."""

    def weights(seeds: Sequence[int]) -> NeuralGraph:
        return NeuralGraph.from_weights(
            initial_weights(spec.network.widths, seeds, spec.initializer, shared_stream=spec.shared_stream)
        )

    return weights
