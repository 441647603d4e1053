"""Doubts: whether structure says more than the weights alone, and whether learning makes it."""

from __future__ import annotations

import polars as pl

from synaplex.studies.finding import Finding, decide
from synaplex.studies.scabini.analysis import STATNN, Results
from synaplex.studies.scabini.findings.claim import interval, null_of, null_text, row_of


def beyond_shuffled(results: Results) -> Finding:
    """The null model of shuffled weights."""
    rows = {name: null_of(results, "r2", name, "shuffled") for name in ("layer averages", "neuron types")}
    beyond = [row["z"] is not None and row["z"] > 2 for row in rows.values()]
    parts = [f"{name} R² = {row['observed']:.2f}, shuffled {null_text(row)}" for name, row in rows.items()]
    return Finding(
        "controls",
        "Structure tells more about accuracy than the mere distribution of weights in each layer: networks predict it "
        "better than their copies with shuffled weights do.",
        decide(all(beyond), not any(beyond)),
        f"{'; '.join(parts)}. The claim needs z above 2 for both.",
    )


def beyond_statistics(results: Results) -> Finding:
    """The baseline of weight statistics, alone."""
    names = ("layer averages, all eight measures", "layer averages of s, bc, sg", "neuron types")
    rows = {name: row_of(results, "prediction", features=name) for name in names}
    best = max(rows, key=lambda name: rows[name]["r2"])
    above = rows[best]
    baseline = row_of(results, "prediction", features=STATNN)
    parts = [f"{name} {interval(row, 'r2')}" for name, row in rows.items()]
    return Finding(
        "controls",
        "Measures or neuron types predict accuracy better than seven plain statistics of each layer's weights.",
        decide(above["r2_above_baseline_low"] > 0, above["r2_above_baseline_high"] < 0),
        f"R²: weight statistics {interval(baseline, 'r2')}; {'; '.join(parts)}. "
        f"The best of these minus weight statistics: {interval(above, 'r2_above_baseline', 3)}.",
    )


def adds_to_statistics(results: Results) -> Finding:
    """The baseline of weight statistics, with structure added to it."""
    rows = [row_of(results, "prediction", features=f"StatNN and {name}") for name in ("layer averages", "neuron types")]
    parts = [f"{row['features']} {interval(row, 'r2_above_baseline', 3)}" for row in rows]
    return Finding(
        "controls",
        "Measures or neuron types add something to weight statistics.",
        decide(
            any(row["r2_above_baseline_low"] > 0 for row in rows),
            all(row["r2_above_baseline_high"] < 0 for row in rows),
        ),
        f"R² gained: {'; '.join(parts)}.",
    )


def types_emerge(results: Results) -> Finding:
    """Section 5, future work: how types emerge from random initial weights."""
    first = results.evolution.types.row(0, named=True)
    distances = results.tables["type_distances"].filter(pl.col("first") != "here")["distance"]
    largest = float(distances.max())  # type: ignore[arg-type]
    near = first["centroid_distance"] <= largest
    steady = results.stability
    settled = "" if first["settled"] is None else f" {first['settled']:.0%} of neurons have their final type already."
    return Finding(
        "training",
        "Neuron types emerge while networks learn: untrained networks have other types.",
        decide(not near and first["agreement"] < steady.low, near),
        f"Types found in untrained networks differ from the final ones by {first['centroid_distance']:.3f} (root mean "
        f"square); the published benchmarks differ from each other by up to {largest:.3f}.{settled} The two "
        f"vocabularies agree by an adjusted Rand index of {first['agreement']:.2f}; those of resampled populations "
        f"agree with the final one by {steady.mean:.2f} [{steady.low:.2f}, {steady.high:.2f}].",
    )


def foretold(results: Results) -> Finding:
    """Section 5, future work: what the initial weights decide."""
    names = ("untrained: StatNN", "untrained: layer averages", "untrained: neuron types")
    rows = {name: row_of(results, "prediction", features=name) for name in names}
    strongest = max(rows.values(), key=lambda row: row["r2"])
    parts = [f"{name} {interval(row, 'r2')}" for name, row in rows.items()]
    return Finding(
        "training",
        "Part of the final accuracy can be foretold from the untrained weights.",
        decide(strongest["r2_low"] > 0, strongest["r2_high"] <= 0),
        f"R²: {'; '.join(parts)}.",
    )
