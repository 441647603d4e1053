"""Samples: graphs with their performance, of one network at every epoch or of many networks at some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from jaxtyping import Float, Int

from synaplex.encoders import GraphSet
from synaplex.studies.structurereps.recipe import TARGETS, Settings, Task, grid
from synaplex.studies.structurereps.trajectories import Trajectories


@dataclass(frozen=True, eq=False)
class Sample:
    """Networks with their performance.

    Attributes
    ----------
    graphs
        With the epoch of each.
    performance
        On the training set and on the test set.
    networks
        Which trajectory each graph belongs to.
    measured
        What `MeasuredOnce` keeps.
    """

    graphs: GraphSet
    performance: Mapping[str, Float[np.ndarray, " rows"]]
    networks: Int[np.ndarray, " rows"]
    measured: dict[int, pl.DataFrame] = field(default_factory=dict)


def trajectory_sample(task: Task, known: Sequence[Trajectories], place: int) -> Sample:
    """Traced network number `place` at every epoch from 1."""
    own = known[task.middle[0]]
    member = [one for one in own.networks if one.rate == task.middle[1]][place]
    scores = {target: own.performance(target, member)[1:] for target in TARGETS}
    epochs = np.arange(1, len(scores["train"]) + 1)
    return Sample(GraphSet.of(own.every_graph(place), epochs=epochs), scores, np.zeros(len(epochs), dtype=np.int64))


def network_sample(task: Task, known: Sequence[Trajectories], settings: Settings) -> Sample:
    """Every network of every layout and learning rate, at some epochs each."""
    members = list(grid(task, settings))
    at = list(settings.snapshots)
    scores = {
        target: np.concatenate([known[one.layout].performance(target, one)[at] for one in members])
        for target in TARGETS
    }
    graphs = GraphSet.of([known[one.layout].graphs(one) for one in members], epochs=np.tile(at, len(members)))
    return Sample(graphs, scores, np.repeat(np.arange(len(members)), len(at)))
