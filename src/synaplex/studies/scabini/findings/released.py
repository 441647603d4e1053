"""Claims about MNIST on the scale of the released data."""

from __future__ import annotations

import polars as pl

from synaplex.studies.finding import Finding, decide
from synaplex.studies.scabini.analysis import Results

CLOSE = 0.03
"""Centroids agree if no number differs by more."""


def centroids_agree(results: Results) -> Finding:
    """The 18 numbers of the released centroids."""
    parts, largest = [], {}
    table = results.tables["types_beside_released"].filter(pl.col("rows") == "all layers")
    for networks in table["networks"].unique(maintain_order=True):
        rows = table.filter(pl.col("networks") == networks)
        worst = rows.sort(pl.col("difference").abs(), descending=True).row(0, named=True)
        largest[networks] = abs(worst["difference"])
        root = float((rows["difference"] ** 2).mean() ** 0.5)  # type: ignore[operator]
        parts.append(
            f"{networks}: at most {largest[networks]:.3f} ({worst['measure']} of ψ{worst['type']}), root mean square "
            f"{root:.3f}"
        )
    scale = results.tables["largest_values"].filter(pl.col("measure") != "bipartite_clustering")
    ends = [
        f"{row['measure'].replace('_', ' ')} layer {row['layer']} {row['here']:.1f} here, {row['released']:.1f} there"
        for row in scale.iter_rows(named=True)
    ]
    return Finding(
        "released",
        f"On the scale of the released data every centroid lies within {CLOSE} of the released one.",
        decide(largest["trained"] <= CLOSE, largest["trained"] > CLOSE),
        f"Largest difference, {'; '.join(parts)}. Largest values (subgraph centrality as logarithm): "
        f"{'; '.join(ends)}.",
    )


def elbow_on_released_scale(results: Results) -> Finding:
    """Six types on that scale as well."""
    row = results.tables["elbow"].filter(pl.col("picked") & (pl.col("rows") == "released scale")).row(0, named=True)
    six = row["n_types"] == 6
    return Finding(
        "released",
        "On the scale of the released data the elbow is at six types.",
        decide(six, not six),
        f"It is at {row['n_types']}.",
    )


def third_on_released_scale(results: Results) -> Finding:
    """The most frequent type on that scale."""
    table = results.tables["types_beside_released"].filter(
        (pl.col("rows") == "all layers") & (pl.col("measure") == "strength")
    )
    parts, top = [], {}
    for networks in table["networks"].unique(maintain_order=True):
        rows = table.filter(pl.col("networks") == networks).sort("type")
        shares = rows["share"].to_list()
        top[networks] = shares.index(max(shares)) + 1
        parts.append(f"{networks} ψ{top[networks]} ({max(shares):.1%}; ψ3 {shares[2]:.1%})")
    third = top["trained"] == 3
    return Finding(
        "released",
        "On the scale of the released data ψ3 is the most frequent type.",
        decide(third, not third),
        f"Most frequent: {'; '.join(parts)}. In the released data: ψ3 (27.8%).",
    )
