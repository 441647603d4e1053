"""Snapshot: the networks of a chunk at one moment of their training, to be measured in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl
from jaxtyping import Float
from torch import Tensor, nn

from synaplex.errors import SpecificationError
from synaplex.graph import NeuralGraph
from synaplex.networks import MLP, Architecture, Autoencoder
from synaplex.population.modules.specification import TrainingSpec


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Networks as they are after a step; those that have diverged are left out.

    Attributes
    ----------
    spec
        What the networks are.
    step
        Batches they were trained on.
    seeds
        One network each.
    scores
        A row a network, in the order of the seeds: columns of `ModulePopulation.networks`.
    parameters
        By name, ``(networks, ...)``; a copy.
    """

    spec: TrainingSpec
    step: int
    seeds: tuple[int, ...]
    scores: pl.DataFrame
    parameters: Mapping[str, Float[Tensor, "networks ..."]]

    def modules(self) -> Iterator[tuple[int, nn.Module]]:
        """Seed and module of each network; modules share their values with `parameters`."""
        for place, seed in enumerate(self.seeds):
            state = {name: value[place] for name, value in self.parameters.items()}
            yield seed, filled(self.spec.network, state)

    def graph(self) -> NeuralGraph:
        """All networks as one batch of graphs, if they are dense.

        Raises
        ------
        SpecificationError
            For another architecture: turn its modules into graphs one by one.
        """
        if not isinstance(self.spec.network, MLP | Autoencoder):
            raise SpecificationError(f"{self.spec.network} is not dense: pass each of modules() to synaplex.graph")
        weights = [value for value in self.parameters.values() if value.ndim == 3]
        biases = [value for value in self.parameters.values() if value.ndim == 2]
        return NeuralGraph.from_weights(weights, biases or None)


Measuring = Callable[[Snapshot], pl.DataFrame]
"""Measures a snapshot: a table with a column ``seed``, the same columns each time."""


def filled(network: Architecture, state: Mapping[str, Tensor]) -> nn.Module:
    """A module of an architecture with given parameters, not copied."""
    module = network.skeleton()
    module.load_state_dict(dict(state), assign=True)
    return module
