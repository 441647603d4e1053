"""Centrality over epochs: tables 9 and 10 beside ours in three versions, and how its spread grows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from jaxtyping import Float
from scipy.stats import rankdata

from synaplex.studies.heath.centralities import VERSIONS
from synaplex.studies.heath.published import EPOCHS, family, mean_at, sigma_at
from synaplex.studies.heath.recipe import RELEASED
from synaplex.studies.heath.results import Results, complete

WINDOW = 7
"""Neighbouring epochs whose mean counts as the trend."""


def centralities_table(results: Results) -> pl.DataFrame:
    """A row a method and epoch of tables 9 and 10: mean ± sigma of each version, beside the printed ones.

    Epochs are the paper's: its epoch 0 is after one epoch of training. Printed means of MLP and SET stand at the epoch
    that they belong to, half the printed one. Means over the networks of all seeds that have come so far.
    """
    own = results.final(RELEASED.name)
    rows = []
    for method in own["method"].unique(maintain_order=True):
        some = own.filter(pl.col("method") == method)
        for epoch in _shown(results):
            at = some.filter(pl.col("epoch") == epoch + 1)
            if not len(at):
                continue
            row: dict[str, object] = {"method": method, "epoch": epoch, "networks": len(at)}
            for name in VERSIONS:
                for part in ("mean", "sigma"):
                    row[f"{name} {part}"] = at[f"{name}_{part}"].mean()
            row["published mean"] = mean_at(results.dataset, family(method), epoch)
            row["published sigma"] = sigma_at(results.dataset, family(method), epoch)
            rows.append(row)
    numbers = [f"{name} {part}" for name in VERSIONS for part in ("mean", "sigma")]
    schema = {"method": pl.String, "epoch": pl.Int64, "networks": pl.Int64}
    return pl.DataFrame(
        rows, schema={**schema, **dict.fromkeys((*numbers, "published mean", "published sigma"), pl.Float64)}
    )


def _shown(results: Results) -> Iterator[int]:
    said, last = EPOCHS.get(results.dataset, ()), results.settings.epochs["final"]
    step = results.settings.snapshots
    yield from (said if said and last > said[-1] else range(0, last, step))


def slope_ratio(sigma: Float[np.ndarray, " epochs"]) -> float:
    """Slope of a straight line through the second half of a series over that through the first: 1 if it is linear."""
    half = len(sigma) // 2
    first, last = (np.polyfit(np.arange(len(part)), part, 1)[0] for part in (sigma[:half], sigma[-half:]))
    return float(last / first)


def beyond_trend(a: Float[np.ndarray, " epochs"], b: Float[np.ndarray, " epochs"]) -> float:
    """Rank correlation of two series over epochs, each without the mean of its `WINDOW` neighbouring epochs.

    Both rise while a network learns; that alone makes any two quantities correlate.
    """
    return rank_correlation(_without_trend(a), _without_trend(b))


def of_changes(a: Float[np.ndarray, " epochs"], b: Float[np.ndarray, " epochs"]) -> float:
    """Rank correlation of the changes of two series from epoch to epoch."""
    return rank_correlation(np.diff(a), np.diff(b))


def rank_correlation(a: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"]) -> float:
    """Spearman's correlation; NaN where a series does not vary."""
    left, right = rankdata(a), rankdata(b)
    return float(np.corrcoef(left, right)[0, 1]) if np.ptp(left) and np.ptp(right) else float("nan")


def _without_trend(values: Float[np.ndarray, " epochs"]) -> np.ndarray:
    half = WINDOW // 2
    return np.asarray(values[half:-half] - np.convolve(values, np.full(WINDOW, 1 / WINDOW), mode="valid"))


def series(results: Results, column: str, recipe: str = RELEASED.name) -> dict[tuple[str, int], np.ndarray]:
    """A column over all epochs of each network of the final comparison that has come to the end: by method and seed."""
    own = complete(results.final(recipe)).sort("epoch")
    return {
        (str(method), int(seed)): rows[column].to_numpy()
        for (method, seed), rows in own.group_by("method", "seed", maintain_order=True)
        if rows[column].null_count() == 0
    }


def hubs_table(results: Results) -> pl.DataFrame:
    """A row a method, version, statistic and null model, at the last snapshot: means over seeds, and z-scores."""
    own = results.hubs.filter((pl.col("recipe") == RELEASED.name) & pl.col("finished"))
    ends = own.filter(pl.col("epoch") == pl.col("epoch").max().over("method", "seed"))
    return (
        ends.group_by("method", "centrality", "statistic", "null", maintain_order=True)
        .agg(
            pl.len().alias("networks"),
            pl.col("observed").mean(),
            pl.col("null_mean").mean().alias("null model"),
            pl.col("z").mean(),
            pl.col("z").min().alias("least z"),
            pl.col("z").max().alias("largest z"),
            pl.col("remark").first(),
        )
        .with_columns(pl.col("networks").cast(pl.Int64))
    )
