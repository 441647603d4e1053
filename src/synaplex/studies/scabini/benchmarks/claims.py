"""Claims that need several benchmarks, as tested statements."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import polars as pl

from synaplex.studies.finding import Finding, decide
from synaplex.studies.scabini import published
from synaplex.studies.scabini.analysis import STATNN
from synaplex.studies.scabini.benchmarks.benchmark import TITLES, Benchmark
from synaplex.studies.scabini.benchmarks.divergence import HALF, UNTRAINED, readings
from synaplex.studies.scabini.benchmarks.transfer import TYPES
from synaplex.studies.scabini.vocabulary import centroid_distance


def claims(benchmarks: Sequence[Benchmark], divergences: pl.DataFrame, transfers: pl.DataFrame) -> tuple[Finding, ...]:
    """What can be said of these benchmarks together; nothing of a single one."""
    if len(benchmarks) < 2:
        return ()
    return (
        types_alike(benchmarks),
        as_published(divergences),
        beyond_chance(divergences),
        types_transfer(transfers),
    )


def types_alike(benchmarks: Sequence[Benchmark]) -> Finding:
    """Section 4.1: similar types independently of the domain."""
    between = {
        f"{a.title} and {b.title}": float(
            np.sqrt(((a.vocabulary.bag.cluster_centers_ - b.vocabulary.bag.cluster_centers_) ** 2).mean())
        )
        for a, b in combinations(benchmarks, 2)
    }
    long = published.table_1().unpivot(published.KEPT, index=["benchmark", "type"], variable_name="measure")
    theirs = centroid_distance(long.pivot("benchmark", index=["measure", "type"], values="value"))
    names = {one.paper for one in benchmarks}
    known = theirs.filter(pl.col("first").is_in(names) & pl.col("second").is_in(names))["distance"]
    largest = float(known.max()) if len(known) else float(theirs["distance"].max())  # type: ignore[arg-type]
    worst = max(between, key=lambda pair: between[pair])
    return Finding(
        "types",
        "The six types are the same on all benchmarks: centroids differ no more than the published ones do.",
        decide(between[worst] <= largest, between[worst] > largest),
        f"Root mean squared difference: {'; '.join(f'{pair} {value:.3f}' for pair, value in between.items())}. "
        f"Published, up to {largest:.3f}.",
    )


def as_published(divergences: pl.DataFrame) -> Finding:
    """Table 2: low divergences between vocabularies."""
    table = readings(divergences)
    if not table.height:
        return Finding("divergence", "Divergences are those of the paper.", "undecided", "No pair is the paper's.")
    first = table.row(0, named=True)
    parts = [
        f"{reading(row)} {row['here']:.3f}, {row['apart']:.3f} apart, deviations {row['deviations_apart']:.3f} apart"
        for row in table.iter_rows(named=True)
    ]
    return Finding(
        "divergence",
        "In one reading (base, divergence or square root, scale) the divergences between vocabularies are those of the "
        "paper, within 0.05 (root mean square over the pairs).",
        decide(first["apart"] <= 0.05, first["apart"] > 0.05),
        f"Mean over {first['pairs']} pairs, published {first['published']:.3f}: {'; '.join(parts)}.",
    )


def beyond_chance(divergences: pl.DataFrame) -> Finding:
    """The null model of table 2: what a vocabulary of other networks of the same benchmark does."""
    chosen = divergences.filter((pl.col("base") == "2") & ~pl.col("root") & (pl.col("scale") == "target"))
    names = {"other benchmarks": ~pl.col("vocabulary").is_in([HALF, UNTRAINED])}
    names |= {name: pl.col("vocabulary") == name for name in (HALF, UNTRAINED)}
    means = {name: float(chosen.filter(rows)["mean"].mean()) for name, rows in names.items()}  # type: ignore[arg-type]
    smaller = means["other benchmarks"] < means[UNTRAINED]
    parts = [f"{name} {value:.3f}" for name, value in means.items()]
    return Finding(
        "divergence",
        "Vocabularies of other benchmarks describe networks more like their own does than a vocabulary of untrained "
        "networks: what they share is learned.",
        decide(smaller, not smaller),
        f"Mean divergence in bits, each on its own scale: {'; '.join(parts)}. "
        f"“{HALF.capitalize()}” is the benchmark's own vocabulary found twice, on halves of its networks.",
    )


def types_transfer(transfers: pl.DataFrame) -> Finding:
    """What types say about accuracy, carried to another benchmark."""
    away = transfers.filter((pl.col("features") == TYPES) & (pl.col("fitted_on") != pl.col("applied_to")))
    parts = [
        f"{TITLES.get(row['fitted_on'], row['fitted_on'])} to {TITLES.get(row['applied_to'], row['applied_to'])} "
        f"{row['tau']:+.2f} [{row['tau_low']:+.2f}, {row['tau_high']:+.2f}]"
        for row in away.iter_rows(named=True)
    ]
    base = transfers.filter((pl.col("features") == STATNN) & (pl.col("fitted_on") != pl.col("applied_to")))[
        "tau"
    ].to_list()
    return Finding(
        "transfer",
        "What neuron types say about accuracy on one benchmark orders the networks of another.",
        decide(all(low > 0 for low in away["tau_low"]), all(high <= 0 for high in away["tau_high"])),
        f"Kendall's τ: {'; '.join(parts)}. Weight statistics: {min(base):+.2f} to {max(base):+.2f}.".replace("-", "−"),
    )


def reading(row: dict[str, object]) -> str:
    """A reading of table 2 in words."""
    unit = "bits" if row["base"] == "2" else "nats"
    what = f"root of {unit}" if row["root"] else unit
    return f"{what} on the {row['scale']}'s scale"
