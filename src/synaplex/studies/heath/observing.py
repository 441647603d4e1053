"""What is written down of each network after an epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from synaplex.sparse import inference_flops
from synaplex.studies.heath.centralities import VERSIONS, exact, matrix_of, released, variant
from synaplex.studies.heath.hubs import beside_nulls
from synaplex.studies.heath.member import Member

MOST_WEIGHTS = 2_000_000
"""Weights beyond which the graph that the code built is measured at snapshots only, as the code did for dense ones."""

EPOCHS = pl.Schema(
    {
        "method": pl.String,
        "epoch": pl.Int64,
        "train_loss": pl.Float64,
        "train_accuracy": pl.Float64,
        "test_loss": pl.Float64,
        "test_accuracy": pl.Float64,
        **{f"{name}_{part}": pl.Float64 for name in VERSIONS for part in ("mean", "sigma")},
        "weight_mean": pl.Float64,
        "weight_sigma": pl.Float64,
        "connections": pl.Int64,
        "dropped": pl.Int64,
        "grown": pl.Int64,
        "neurons_dropped": pl.Int64,
        "neurons_grown": pl.Int64,
        "neurons_chosen": pl.Int64,
        "neurons_without_inputs": pl.Int64,
        "explored": pl.Float64,
        "flops": pl.Int64,
    }
)
"""Columns of the table of epochs. Losses and accuracies, centralities, weights (of all layers but the output's) and
connections are those at the end of the epoch; what was dropped and grown is of the round that follows it."""

HUBS = pl.Schema(
    {
        "method": pl.String,
        "epoch": pl.Int64,
        "centrality": pl.String,
        "statistic": pl.String,
        "null": pl.String,
        "observed": pl.Float64,
        "null_mean": pl.Float64,
        "null_deviation": pl.Float64,
        "z": pl.Float64,
        "remark": pl.String,
    }
)
"""Columns of the table of null models."""

_COUNTS = ("dropped", "grown", "neurons_dropped", "neurons_grown", "neurons_chosen", "neurons_without_inputs")


def measured(member: Member, epoch: int, *, snapshot: bool, draws: int, seed: int) -> dict[str, Any]:
    """Centralities and weights of a network: mean and standard deviation of each version.

    At a snapshot the values of all neurons are kept with the member, and null models are drawn.
    """
    links = [matrix_of(link) for link in member.links]
    found = {"exact": exact(links), "variant": variant(links)}
    if snapshot or sum(link.shape[0] * link.shape[1] for link in links) < MOST_WEIGHTS or not member.method.dense:
        found["released"] = released(links, member.method.name)
    if snapshot:
        member.snapshots |= {f"{name}/{epoch}": values.astype(np.float32) for name, values in found.items()}
        random = np.random.default_rng((seed, epoch, 2))
        member.hubs += [{"epoch": epoch, **row} for row in beside_nulls(links, draws, random)]
    weights = [link.weight.detach().double() for link in member.links[:-1]]
    count = sum(one.numel() for one in weights)
    mean = sum(float(one.sum()) for one in weights) / count
    square = sum(float((one - mean).square().sum()) for one in weights) / count
    row: dict[str, Any] = {"weight_mean": mean, "weight_sigma": square**0.5}
    for name in VERSIONS:
        known = name in found
        row[f"{name}_mean"] = float(found[name].mean()) if known else None
        row[f"{name}_sigma"] = float(found[name].std()) if known else None
    return row


def evolved(member: Member, connections: int) -> dict[str, Any]:
    """What the last round did; nothing for a dense network."""
    if member.evolution is None:
        none = dict.fromkeys((*_COUNTS, "explored"))
        return {"connections": connections, **none, "flops": inference_flops(member.model)}
    last = member.evolution.log.row(-1, named=True)
    return {"connections": connections, **{name: last[name] for name in (*_COUNTS, "explored", "flops")}}
