"""Trajectories: networks of a task, their performance at every epoch, and their weights where they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from synaplex.datasets import Dataset
from synaplex.graph import NeuralGraph
from synaplex.networks import CNN, MLP
from synaplex.studies.structurereps.crowd import Crowd
from synaplex.studies.structurereps.graphs import graph_of
from synaplex.studies.structurereps.pieces import Arrays, Pieces
from synaplex.studies.structurereps.recipe import (
    TARGETS,
    Member,
    Settings,
    Task,
    members,
    network_seed,
    traced,
)


@dataclass(frozen=True, eq=False)
class Trajectories:
    """Networks of one layout of a task.

    Attributes
    ----------
    network
        The architecture.
    networks
        Who they are.
    epochs
        Whose weights are kept of all networks.
    arrays
        ``train`` and ``test``, ``(networks, epochs + 1)``; ``some/N``, parameter N of all networks at `epochs`, and
        ``every/N`` of the traced ones at every epoch from 1: ``(networks, epochs, ...)``.
    """

    network: MLP | CNN
    networks: tuple[Member, ...]
    epochs: tuple[int, ...]
    arrays: Arrays

    def performance(self, target: str, member: Member) -> Float[np.ndarray, " epochs"]:
        """Of a network after each epoch, 0 being untrained."""
        return np.asarray(self.arrays[target][self.networks.index(member)], dtype=np.float64)

    def graphs(self, member: Member) -> NeuralGraph:
        """A network at each epoch that is kept of all."""
        place = self.networks.index(member)
        return graph_of(self.network, [value[place] for value in self._parameters("some")])

    def every_graph(self, place: int) -> NeuralGraph:
        """Traced network number `place` at each epoch from 1."""
        return graph_of(self.network, [value[place] for value in self._parameters("every")])

    def _parameters(self, which: str) -> list[np.ndarray]:
        count = sum(name.startswith(f"{which}/") for name in self.arrays)
        return [self.arrays[f"{which}/{number}"] for number in range(count)]


def trajectories(task: Task, settings: Settings, seed: int, data: Dataset, pieces: Pieces) -> tuple[Trajectories, ...]:
    """The networks of all layouts of a task, trained where they are not among the pieces."""
    found = []
    for layout, hidden in enumerate(task.layouts):
        known = members(task, layout, settings)
        own = [place for place, member in enumerate(known) if traced(task, member, settings)]
        seeds = [network_seed(settings.number(task), member, seed) for member in known]
        rates = [task.rates[member.rate] for member in known]
        arrays = trained(task, hidden, seeds, rates, settings, settings.snapshots, own, data, pieces)
        features, outputs = (int(size) for size in arrays["ends"])
        network = task.network(hidden, features, outputs)
        found.append(Trajectories(network, known, settings.snapshots, arrays))
    return tuple(found)


def trained(
    task: Task,
    hidden: tuple[int, ...],
    seeds: Sequence[int],
    rates: Sequence[float],
    settings: Settings,
    kept: Sequence[int],
    every: Sequence[int],
    data: Dataset,
    pieces: Pieces,
) -> Arrays:
    """Train networks of some hidden layers as one batch; see `Trajectories.arrays`.

    Parameters
    ----------
    kept
        Epochs whose weights are kept of all networks.
    every
        Places of the networks whose weights are kept at every epoch.
    data
        What they learn. It is no part of the identity of a piece: `known_data` sees that it is the same.
    """

    def make() -> Arrays:
        network = task.network(hidden, data.features, data.outputs)
        crowd = Crowd(network, data, seeds, rates, batch_size=task.batch_size)
        scores: dict[str, list[np.ndarray]] = {target: [] for target in TARGETS}
        some: list[list[np.ndarray]] = []
        traces: list[list[np.ndarray]] = []
        for epoch in range(settings.epochs + 1):
            if epoch:
                crowd.epoch()
            for target, values in crowd.performance().items():
                scores[target].append(values)
            parameters = list(crowd.parameters.values())
            if epoch in kept:
                some.append(parameters)
            if epoch and len(every):
                traces.append([value[list(every)] for value in parameters])
        arrays = {target: np.stack(values, 1) for target, values in scores.items()}
        for which, snapshots in (("some", some), ("every", traces)):
            arrays |= {f"{which}/{i}": np.stack(part, 1) for i, part in enumerate(zip(*snapshots, strict=True))}
        return arrays | {"ends": np.array([data.features, data.outputs])}

    identity = (task, hidden, tuple(seeds), tuple(rates), settings.epochs, tuple(kept), tuple(every))
    return pieces.get(f"trajectories/{task.name}-{'-'.join(map(str, hidden))}", identity, make)
