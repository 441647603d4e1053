"""Claims about other initial weights (section 3.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from synaplex.studies.finding import Finding, decide, minus
from synaplex.studies.scabini.analysis import Results
from synaplex.studies.scabini.findings.claim import interval, row_of
from synaplex.studies.scabini.initialization import OTHERS, OWN

NARROWER = ("0.6", "0.3")


def wider_is_poorer(results: Results) -> Finding:
    """Section 3.1: a wider range tends to produce poorer models."""
    row = _row(results, "1.0")
    return Finding(
        "initialization",
        "Initial weights in [−1, 1] give poorer networks than those in [−0.9, 0.9].",
        decide(row["difference_high"] < 0, row["difference_low"] >= 0),
        f"Mean accuracy {row['mean']:.2%} against {_row(results, OWN)['mean']:.2%} of {row['networks']} networks of "
        f"the same seeds, a difference of {_points(row)} points. {_chance(results)}",
    )


def narrower_is_more_alike(results: Results) -> Finding:
    """Section 3.1: compressing the range tends to produce more similar models."""
    rows = [_row(results, name) for name in NARROWER]
    parts = [
        f"±{row['initialization']}: {row['standard_deviation']:.2%}, {interval(row, 'ratio')} of that of ±0.9 "
        f"(mean accuracy {row['mean']:.2%})"
        for row in rows
    ]
    return Finding(
        "initialization",
        "Narrower initial weights give networks that are more alike in accuracy.",
        decide(all(row["ratio_high"] < 1 for row in rows), any(row["ratio_low"] >= 1 for row in rows)),
        f"Standard deviation of accuracy: {'; '.join(parts)}. ±0.9: {_row(results, OWN)['standard_deviation']:.2%}; a "
        f"finite test set alone gives {results.noise:.2%}.",
    )


def streams_same_types(results: Results) -> Finding:
    """The released data: all layers of a network start from one sequence."""
    row = _row(results, "streams" if results.spec.shared_stream else "shared")
    distances = results.tables["type_distances"].filter(pl.col("first") != "here")["distance"]
    largest = float(distances.max())  # type: ignore[arg-type]
    own = _row(results, OWN)
    return Finding(
        "initialization",
        "Whether the layers of a network share one random sequence, as in the released data, makes no difference to "
        "the types: centroids are as near as the published benchmarks are to each other.",
        decide(row["distance"] <= largest, row["distance"] > largest),
        f"{'A stream for each layer' if results.spec.shared_stream else 'One stream'}: root mean squared difference "
        f"{row['distance']:.3f}, published benchmarks up to {largest:.3f}. Largest strength "
        f"{row['largest_strength']:.1f} against {own['largest_strength']:.1f}, logarithm of subgraph centrality "
        f"{row['largest_log_subgraph']:.2f} against {own['largest_log_subgraph']:.2f} (means over layers). Accuracy: "
        f"{_points(row)} points. {_chance(results)}",
    )


def clipping_makes_the_spread(results: Results) -> Finding:
    """Section 4.1 suspects saturated neurons and vanishing gradients behind poor networks."""
    clipped = results.spec.loss == "clipped_cross_entropy"
    row, own = _row(results, "exact" if clipped else "clipped"), _row(results, OWN)
    poor, good = (own, row) if clipped else (row, own)
    poorer = row["difference_low"] > 0 if clipped else row["difference_high"] < 0
    wider = row["ratio_high"] < 1 if clipped else row["ratio_low"] > 1
    against = row["difference_high"] <= 0 if clipped else row["difference_low"] >= 0
    return Finding(
        "initialization",
        "The cross-entropy of Keras 2.2, which clips probabilities so that samples told wrongly with certainty teach "
        "nothing, makes networks poorer and less alike than the exact one.",
        decide(bool(poorer and wider), bool(against)),
        f"Clipped: {poor['mean']:.2%} ± {poor['standard_deviation']:.2%}, {poor['lowest']:.2%} to "
        f"{poor['highest']:.2%}. Exact: {good['mean']:.2%} ± {good['standard_deviation']:.2%}, {good['lowest']:.2%} to "
        f"{good['highest']:.2%}. Difference {_points(row)} points, centroids {row['distance']:.3f} apart. "
        f"{_chance(results)}",
    )


def _row(results: Results, name: str) -> dict[str, Any]:
    return row_of(results, "initializations", initialization=name)


def _points(row: dict[str, Any]) -> str:
    value, low, high = (100 * row[f"difference{end}"] for end in ("", "_low", "_high"))
    return minus(f"{value:+.2f} [{low:+.2f}, {high:+.2f}]")


def _chance(results: Results) -> str:
    table = results.tables["initializations"].filter(pl.col("initialization") == OTHERS)
    if not table.height:
        return ""
    row = table.row(0, named=True)
    return f"As many networks with other seeds: {_points(row)} points, centroids {row['distance']:.3f} apart."


def claims(results: Results) -> tuple[Callable[[Results], Finding], ...]:
    """Those whose networks are there."""
    if "initializations" not in results.tables:
        return ()
    there = set(results.tables["initializations"]["initialization"])
    needed = {
        wider_is_poorer: {"1.0"},
        narrower_is_more_alike: set(NARROWER),
        streams_same_types: {"streams" if results.spec.shared_stream else "shared"},
        clipping_makes_the_spread: {"exact" if results.spec.loss == "clipped_cross_entropy" else "clipped"},
    }
    return tuple(claim for claim, names in needed.items() if names <= there)
