"""The numbers that matter most, read in words and in small tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from synaplex.studies.structurereps.findings import difference
from synaplex.studies.structurereps.methods import COMPLEX, EIGHT, EPOCH, FLAT, OWN, STATISTICS, UNTRAINED
from synaplex.studies.structurereps.population import SHUFFLED, Prediction
from synaplex.studies.structurereps.results import Results
from synaplex.studies.structurereps.splits import EPOCHS
from synaplex.studies.structurereps.tables import with_interval


def answer(results: Results) -> str:
    """The answer in a few sentences, from the numbers."""
    return "\n\n".join(_answer(results))


def _answer(results: Results) -> Iterator[str]:
    values = {
        name: results.trajectories.filter((pl.col("method") == name) & (pl.col("split") == EPOCHS))[
            "pearson"
        ].drop_nulls()
        for name in (OWN, STATISTICS, EPOCH)
    }
    ranges = {name: f"{_two(own.min())} to {_two(own.max())}" for name, own in values.items() if len(own)}
    train, test = (difference(results.fits, EPOCHS, target, STATISTICS) for target in ("train", "test"))
    yield (
        f"**A high correlation on the paper's split proves little.** With random epochs of one training held out, "
        f"EA+TC+LF decodes performance with a Pearson of {ranges.get(OWN, 'none')} (means of tasks); plain weight "
        f"statistics reach {ranges.get(STATISTICS, 'none')}, the number of the epoch alone "
        f"{ranges.get(EPOCH, 'none')}. Difference to weight statistics: {train} on training and {test} on "
        "test performance, with 95% intervals over tasks."
    )
    own = results.networks.filter(pl.col("method") == OWN)
    lines = []
    for other in (STATISTICS, COMPLEX, UNTRAINED, EPOCH):
        better = int((own[f"above {other}_low"] > 0).sum())
        worse = int((own[f"above {other}_high"] < 0).sum())
        lines.append(f"better than {other} in {better} of {len(own)} tests and worse in {worse}")
    verb = _verdict(results, "plain weight statistics", "networks")
    yield f"**With whole networks held out, the encoder {verb} plain weight statistics.** It ranks {'; '.join(lines)}."
    scores = {(row["method"], row["decoder"]): row for row in results.prediction.scores.iter_rows(named=True)}
    best = {
        name: max(
            (row for (method, _), row in scores.items() if method == name),
            key=lambda row: -2.0 if row["kendall"] is None else row["kendall"],
        )
        for name in (OWN, STATISTICS, COMPLEX, EIGHT, FLAT, UNTRAINED, f"{OWN}{SHUFFLED}")
    }
    said = ", ".join(f"{name} {with_interval(row, 'kendall')}" for name, row in best.items())
    verb = _verdict(results, "plain weight statistics", "population")
    yield (
        f"**Across {len(results.population.rates):,} networks that differ in seed, initial scale and learning rate, it "
        f"{verb} them.** Kendall's tau on {len(results.prediction.actual)} held-out networks, the better of two "
        f"regressions each: {said}."
    )


def _verdict(results: Results, words: str, topic: str) -> str:
    found = next(one for one in results.found if one.topic == topic and words in one.statement)
    return {"holds": "beats", "fails": "does not beat", "undecided": "does not clearly beat"}[found.verdict]


def prediction_readable(prediction: Prediction) -> pl.DataFrame:
    """A row a method and regression: columns, and each score with its interval."""
    rows = []
    for row in prediction.scores.iter_rows(named=True):
        scores = {key: with_interval(row, key) for key in ("kendall", "pearson", "r2")}
        gaps = {f"tau above {other}": with_interval(row, f"above {other}") for other in (STATISTICS, COMPLEX)}
        rows.append({"method": row["method"], "decoder": row["decoder"], "columns": row["columns"], **scores, **gaps})
    return pl.DataFrame(rows)


def ablation_readable(table: pl.DataFrame) -> pl.DataFrame:
    """A row a change: for each task and target tau, and its difference to the whole encoder with the interval."""
    rows: dict[str, dict[str, object]] = {}
    for row in table.iter_rows(named=True):
        own = rows.setdefault(row["method"], {"encoder": row["method"]})
        own[f"{row['task']}, {row['target']}"] = _two(row["kendall"]) if row["method"] == "everything" else _change(row)
    return pl.DataFrame(list(rows.values()))


def _change(row: dict[str, Any]) -> str:
    if row["kendall"] is None:
        return "constant"
    return f"{_two(row['kendall'])}: {with_interval(row, 'above everything')}"


def _two(value: object) -> str:
    return "constant" if not isinstance(value, float) else f"{value:.2f}".replace("-", "−")
