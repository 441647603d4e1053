"""A training's table of epochs: what was seen of each, beside what evolution did in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from synaplex.sparse.evolution import Evolution
from synaplex.sparse.log import table

_SUMMED = ("dropped", "grown", "neurons_dropped", "neurons_grown", "neurons_chosen")


def by_epoch(rows: Sequence[dict[str, Any]], evolution: Evolution) -> pl.DataFrame:
    """A row an epoch.

    Counts of several rounds in one epoch are summed; what the log knows of none of them stays unknown. Of the log's
    other columns, the last round's value counts.

    Parameters
    ----------
    rows
        What was seen, with the number of the ``epoch``.
    """
    log = evolution.log if len(evolution.log) else table([])
    log = log.drop("accuracy", "loss").with_columns(epoch=_epoch_of(evolution))
    each = log.group_by("epoch", maintain_order=True).agg(
        [_summed(name) if name in _SUMMED else pl.col(name).last() for name in log.columns if name != "epoch"]
    )
    return pl.DataFrame(list(rows)).with_columns(pl.col("epoch").cast(pl.Int64)).join(each, on="epoch", how="left")


def _summed(name: str) -> pl.Expr:
    return pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum()).alias(name)


def _epoch_of(evolution: Evolution) -> pl.Expr:
    """The epoch in which a round took place: rounds between epochs belong to the one that is under way."""
    steps = evolution.steps // max(evolution.epochs, 1)
    return (pl.col("step") + steps - 1) // max(steps, 1)
