"""A chunk of a population: networks trained and measured together, from a specification and seeds alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from synaplex.datasets import Dataset
from synaplex.population.snapshots import DIVERGED, empty_snapshot, take_snapshot
from synaplex.population.specification import PopulationSpec
from synaplex.population.trainer import EpochScores, Trainer

NETWORK_SCHEMA = pl.Schema(
    {
        "seed": pl.Int64,
        "epoch": pl.Int32,
        "train_loss": pl.Float32,
        "train_accuracy": pl.Float32,
        "test_loss": pl.Float32,
        "test_accuracy": pl.Float32,
        "reason": pl.String,
    }
)
"""Columns of the table of networks, a row a network and epoch; see `EpochScores`."""


@dataclass(frozen=True)
class Chunk:
    """Which networks belong together.

    Attributes
    ----------
    index
        Number of the chunk in its store.
    seeds
        One network each.
    """

    index: int
    seeds: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class ChunkResult:
    """What becomes of a chunk.

    Attributes
    ----------
    seeds
        One network each.
    weights, biases
        After the last epoch; `biases` is empty where the networks have none.
    networks
        With the columns of `NETWORK_SCHEMA`, in the order of seeds and epochs.
    neurons
        With the columns of `synaplex.population.snapshots.empty_snapshot`, ``seed`` in place of ``network``,
        in the order of seeds, snapshots, layers and neurons.
    """

    seeds: tuple[int, ...]
    weights: list[Float[Tensor, "networks _out _in"]]
    biases: list[Float[Tensor, "networks _out"]]
    networks: pl.DataFrame
    neurons: pl.DataFrame


def train_chunk(
    spec: PopulationSpec,
    dataset: Dataset,
    seeds: Sequence[int],
    *,
    device: torch.device | str = "cpu",
    on_epoch: Callable[[int], None] = lambda networks: None,
) -> ChunkResult:
    """Train and measure the networks of a chunk.

    Parameters
    ----------
    spec
        What to train.
    dataset
        The data that `spec` names, whole.
    seeds
        One network each.
    device
        Where to train and measure.
    on_epoch
        Called after each epoch, 0 included, with the number of networks in the chunk.
    """
    trainer = Trainer(spec, dataset.subset(spec.train_size, spec.test_size), seeds, device)
    sound = torch.ones(len(seeds), dtype=torch.bool, device=device)
    scores, snapshots = [], []
    for epoch in range(spec.epochs + 1):
        reached = trainer.epoch() if epoch else trainer.untrained()
        sound = sound & reached.finite
        scores.append(_score_rows(epoch, reached, sound))
        if epoch in spec.snapshots:
            snapshots.append(take_snapshot(trainer.weights, trainer.biases, sound, epoch, spec.measures))
        on_epoch(len(seeds))
    return ChunkResult(
        tuple(seeds),
        [weight.cpu().clone() for weight in trainer.weights],
        [bias.cpu().clone() for bias in trainer.biases],
        _by_seed(pl.concat(scores), seeds),
        _by_seed(pl.concat([empty_snapshot(spec.measures), *snapshots]), seeds),
    )


def _score_rows(epoch: int, scores: EpochScores, sound: Bool[Tensor, " networks"]) -> pl.DataFrame:
    """A row a network; null, with the reason, where the network has diverged."""
    known = pl.Series(sound.cpu().numpy())
    values = {name: getattr(scores, name) for name in NETWORK_SCHEMA if hasattr(scores, name)}
    frame = pl.DataFrame(
        {
            "network": range(len(known)),
            "epoch": [epoch] * len(known),
            **{name: None if value is None else value.cpu().numpy() for name, value in values.items()},
            "reason": DIVERGED,
        },
        schema_overrides={"network": pl.Int32},
    )
    kept = [pl.when(known).then(pl.col(name)).cast(NETWORK_SCHEMA[name]) for name in values]
    return frame.with_columns(
        *kept, pl.col("epoch").cast(pl.Int32), pl.when(~known).then(pl.col("reason")).alias("reason")
    )


def _by_seed(frame: pl.DataFrame, seeds: Sequence[int]) -> pl.DataFrame:
    """In the order of networks and epochs, with each network's seed in place of its position."""
    frame = frame.sort("network", "epoch", maintain_order=True)
    position = pl.Series("seed", seeds, dtype=pl.Int64)
    return frame.select(position.gather(frame["network"]), pl.exclude("network"))
