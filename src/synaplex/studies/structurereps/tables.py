"""Tables of what was decoded: the paper's splits beside its numbers, and whole networks held out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import polars as pl

from synaplex.encoders.scores import SCORES
from synaplex.studies.structurereps.fits import DECODERS, Decoded
from synaplex.studies.structurereps.judging import judged, score_of
from synaplex.studies.structurereps.methods import COMPLEX, EPOCH, STATISTICS, UNTRAINED
from synaplex.studies.structurereps.published import PUBLISHED
from synaplex.studies.structurereps.recipe import TARGETS
from synaplex.studies.structurereps.splits import EPOCHS

BESIDE = (STATISTICS, COMPLEX, UNTRAINED, EPOCH)
"""What encoders are compared with on networks that were held out."""


def every_fit(fits: Iterable[Decoded]) -> pl.DataFrame:
    """A row a fit, target and decoder: ``task``, ``split``, ``fold``, ``method``, ``target``, ``decoder``, scores."""
    rows = []
    for one in fits:
        for target in TARGETS:
            for decoder in DECODERS:
                predicted, actual = one.arrays[f"{decoder}/{target}"], one.actual[target]
                scores = {key: score_of(key, predicted, actual, np.zeros(len(actual))) for key in SCORES}
                seconds = float(one.arrays["seconds"])
                named = {"task": one.task, "split": one.split, "fold": one.fold, "method": one.method}
                rows.append({**named, "target": target, "decoder": decoder, **scores, "seconds": seconds})
    schema = {**dict.fromkeys(("task", "split"), pl.String), "fold": pl.Int32}
    schema |= dict.fromkeys(("method", "target", "decoder"), pl.String)
    return pl.DataFrame(rows, schema={**schema, **dict.fromkeys((*SCORES, "seconds"), pl.Float64)})


def trajectory_table(fits: pl.DataFrame) -> pl.DataFrame:
    """Means and variances over seeds, by task, split, target and method, with the linear decoder.

    Returns
    -------
    polars.DataFrame
        ``task``, ``split``, ``target``, ``method``; ``pearson``, ``variance`` (of it), ``kendall``, ``r2`` (a median:
        least squares fall far off now and then); ``fits``, how many seeds, and ``undefined``, of how many of them
        there is no correlation, because predictions or performance are constant; ``published`` and
        ``published_variance``.
    """
    keys = ["task", "split", "target", "method"]
    table = (
        fits.filter(pl.col("decoder") == "linear")
        .group_by(keys, maintain_order=True)
        .agg(
            pl.col("pearson").mean(),
            pl.col("pearson").var().alias("variance"),
            pl.col("kendall").mean(),
            pl.col("r2").median(),
            pl.len().cast(pl.Int32).alias("fits"),
            pl.col("pearson").null_count().cast(pl.Int32).alias("undefined"),
        )
    )
    said = [
        PUBLISHED[row["target"]].get((row["method"], row["task"]), (None, None))
        if row["split"] == EPOCHS
        else (None, None)
        for row in table.iter_rows(named=True)
    ]
    return table.with_columns(
        pl.Series("published", [mean for mean, _ in said], dtype=pl.Float64),
        pl.Series("published_variance", [variance for _, variance in said], dtype=pl.Float64),
    )


def network_table(
    fits: Sequence[Decoded], *, beside: Sequence[str], resamples: int, seed: int, decoder: str = "ridge"
) -> pl.DataFrame:
    """Scores of networks of a task, each predicted by a fold that has not seen it, means over folds; see `judged`.

    Whole networks are drawn in the bootstrap. ``last`` is Kendall's tau among networks at their last epoch alone.
    """
    tables = []
    for (task, split), group in groupby(fits, key=lambda one: (one.task, one.split)):
        listed = list(group)
        for target in TARGETS:
            joined = {name: _joined(listed, name, target, decoder) for name in dict.fromkeys(f.method for f in listed)}
            networks, folds, epochs, actual = (
                joined[listed[0].method][key] for key in ("networks", "folds", "epochs", "actual")
            )
            predictions = {name: one["predicted"] for name, one in joined.items()}
            scores = judged(
                predictions, actual, beside=beside, groups=networks, folds=folds, resamples=resamples, seed=seed
            )
            at_end = epochs == epochs.max()
            last = [score_of("kendall", row[at_end], actual[at_end], folds[at_end]) for row in predictions.values()]
            named = {"task": task, "unseen": split, "target": target}
            tables.append(
                scores.with_columns(
                    pl.Series("last", last, dtype=pl.Float64), *(pl.lit(v).alias(k) for k, v in named.items())
                )
            )
    whole = pl.concat(tables)
    first = ["task", "unseen", "target", "method"]
    return whole.select(*first, *(name for name in whole.columns if name not in first))


def _joined(fits: Sequence[Decoded], name: str, target: str, decoder: str) -> Mapping[str, np.ndarray]:
    """The predictions of all folds of a method, in the order of the sample's rows."""
    own = [one for one in fits if one.method == name]
    order = np.argsort(np.concatenate([one.rows for one in own]), kind="stable")
    parts = {
        "networks": [one.networks for one in own],
        "folds": [np.full(len(one.rows), one.fold) for one in own],
        "epochs": [one.epochs for one in own],
        "actual": [one.actual[target] for one in own],
        "predicted": [one.arrays[f"{decoder}/{target}"] for one in own],
    }
    return {key: np.concatenate(values)[order] for key, values in parts.items()}


def paper_table(table: pl.DataFrame, target: str, split: str) -> pl.DataFrame:
    """Tables 1 and 2 as they are read: a row a method, a column a task, ours and the published number behind it.

    A cell says of how many seeds it is where others have more.
    """
    seeds = int(table["fits"].max() or 0)  # type: ignore[arg-type]
    own = table.filter((pl.col("target") == target) & (pl.col("split") == split))
    rows = []
    for name in own["method"].unique(maintain_order=True):
        row: dict[str, object] = {"method": name}
        for one in own.filter(pl.col("method") == name).iter_rows(named=True):
            row[one["task"]] = _cell(one, seeds)
        rows.append(row)
    return pl.DataFrame(rows)


def _cell(row: Mapping[str, Any], seeds: int) -> str:
    defined = row["fits"] - row["undefined"]
    if row["pearson"] is None:
        text = "constant"
    else:
        text = f"{row['pearson']:.2f}"
        text += f" ({row['variance']:.4f})" if row["variance"] is not None else ""
        text += f", {defined} of {seeds} seeds" if defined < seeds else ""
    if row["published"] is not None:
        text += f"; paper {row['published']:.2f} ({row['published_variance']:.4f})"
    return text.replace("-", "−")


def readable_networks(table: pl.DataFrame, target: str) -> pl.DataFrame:
    """Kendall's tau with its interval for each method, a column a task and what was unseen."""
    own = table.filter(pl.col("target") == target)
    rows: dict[str, dict[str, object]] = {}
    for one in own.iter_rows(named=True):
        row = rows.setdefault(f"{one['method']}/{one['unseen']}", {"method": one["method"], "unseen": one["unseen"]})
        row[one["task"]] = with_interval(one, "kendall")
    return pl.DataFrame(list(rows.values())).sort("unseen", maintain_order=True)


def mean_scores(table: pl.DataFrame, by: str, scores: Sequence[str]) -> pl.DataFrame:
    """Means over tasks: a row a method and value of the column `by`, two columns a score, one a target.

    Of cells where a score is undefined nothing enters the mean.
    """
    keys = [by, "method"]
    parts = []
    for target in TARGETS:
        own = table.filter(pl.col("target") == target).group_by(keys, maintain_order=True)
        parts.append(own.agg(pl.col(score).mean().alias(f"{score}, {target}") for score in scores))
    joined = parts[0].join(parts[1], on=keys, maintain_order="left")
    return joined.select(*keys, *(f"{score}, {target}" for score in scores for target in TARGETS)).sort(
        by, maintain_order=True
    )


def with_interval(row: Mapping[str, Any], key: str) -> str:
    """A score with its interval, two decimals each."""
    if row[key] is None:
        return "constant"
    low, high = row[f"{key}_low"], row[f"{key}_high"]
    return f"{row[key]:.2f} ({low:.2f} to {high:.2f})".replace("-", "−")
