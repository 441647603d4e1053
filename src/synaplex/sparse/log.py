"""What happened in each round of evolution, as a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import polars as pl


@dataclass(frozen=True)
class Entry:
    """One round, or an epoch without one.

    Attributes
    ----------
    epoch, step
        Epochs ended and steps taken.
    rounds
        Rounds so far, this one included.
    dropped, grown
        Connections.
    neurons_dropped
        Target neurons of sparse layers that lost the last of their inputs from one.
    neurons_grown
        Target neurons without inputs that got some.
    neurons_chosen
        Neurons that a rule by centrality chose; null for other rules.
    connections
        Connections of all sparse layers afterwards.
    neurons_without_inputs
        Target neurons of sparse layers without an input afterwards.
    explored
        Share of all possible connections of the sparse layers that existed at any time.
    flops
        Of one sample's forward pass through all linear layers: two a connection.
    mean_centrality
        Mean of what a rule by centrality judges by, over the neurons it may choose; null for other rules.
    accuracy, loss
        As told to `Evolution.epoch`.
    """

    epoch: int
    step: int
    rounds: int
    dropped: int
    grown: int
    neurons_dropped: int
    neurons_grown: int
    neurons_chosen: int | None
    connections: int
    neurons_without_inputs: int
    explored: float
    flops: int
    mean_centrality: float | None
    accuracy: float | None
    loss: float | None


_SCHEMA: dict[str, type[pl.DataType]] = {
    "epoch": pl.Int64,
    "step": pl.Int64,
    "rounds": pl.Int64,
    "dropped": pl.Int64,
    "grown": pl.Int64,
    "neurons_dropped": pl.Int64,
    "neurons_grown": pl.Int64,
    "neurons_chosen": pl.Int64,
    "connections": pl.Int64,
    "neurons_without_inputs": pl.Int64,
    "explored": pl.Float64,
    "flops": pl.Int64,
    "mean_centrality": pl.Float64,
    "accuracy": pl.Float64,
    "loss": pl.Float64,
}


def table(entries: Iterable[Entry]) -> pl.DataFrame:
    """A row an entry, columns as `Entry` describes them."""
    return pl.DataFrame([asdict(entry) for entry in entries], schema=_SCHEMA)
