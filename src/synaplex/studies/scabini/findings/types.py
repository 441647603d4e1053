"""Claims about neuron types and their occurrence (figs. 6 and 7, table 1)."""

from __future__ import annotations

import polars as pl

from synaplex.studies.finding import Finding, decide, signed
from synaplex.studies.scabini import published
from synaplex.studies.scabini.analysis import Results
from synaplex.studies.scabini.findings.claim import null_of, points, row_of


def six_types(results: Results) -> Finding:
    """Section 4.1, figure 6: six types in any case."""
    picked = {row["rows"]: row["n_types"] for row in results.tables["elbow"].filter("picked").iter_rows(named=True)}
    ours = [picked[name] for name in picked if "layer" in name]
    near = [abs(count - published.TYPES) <= 1 for count in ours]
    parts = [f"{name} {count}" for name, count in picked.items() if "layer" in name]
    return Finding(
        "types",
        f"The inertia has its elbow at about {published.TYPES} types, give or take one, in each layer and in both.",
        decide(all(near), not all(near)),
        f"{'; '.join(parts)}. The same in networks that know nothing: untrained {picked['untrained']}, "
        f"weights shuffled {picked['shuffled']}, signs flipped {picked['flipped']}.",
    )


def published_types(results: Results) -> Finding:
    """Section 4.1, table 1: similar types across tasks."""
    distances = results.tables["type_distances"]
    ours = distances.filter(pl.col("first") == "here").sort("distance").row(0, named=True)
    theirs = distances.filter(pl.col("first") != "here")["distance"]
    largest = float(theirs.max())  # type: ignore[arg-type]
    beside = results.tables["types_beside_published"]
    rho = float(beside.select(pl.corr("here", ours["second"])).item())
    return Finding(
        "types",
        "The six types are those of the published benchmarks: as near to one of them as these are to each other.",
        decide(ours["distance"] <= largest, ours["distance"] > largest),
        f"Root mean squared difference to the centroids of the nearest, {ours['second']}: {ours['distance']:.3f}; "
        f"among the published {float(theirs.min()):.3f} to {largest:.3f}. "  # type: ignore[arg-type]
        f"Over all {beside.height} numbers ours and those of {ours['second']} correlate by {rho:.2f}.",
    )


def fourth_stands_out(results: Results) -> Finding:
    """Section 4.1: a type of highest subgraph centrality, by a margin."""
    types = results.tables["types"].sort("subgraph_centrality", descending=True)
    first, second = types.row(0, named=True), types.row(1, named=True)
    return Finding(
        "types",
        "Type ψ4, of small strength, has the highest subgraph centrality.",
        decide(first["type"] == 4, first["type"] != 4),
        f"Highest: ψ{first['type']} with {first['subgraph_centrality']:.2f} (strength {signed(first['strength'])}), "
        f"then ψ{second['type']} with {second['subgraph_centrality']:.2f}.",
    )


def third_most_common(results: Results) -> Finding:
    """Section 4.1, figure 7: the most common type among the best networks."""
    best = results.tables["occurrence"].filter(pl.col("group") == "best").sort("mean_share", descending=True)
    third = best.row(by_predicate=pl.col("type") == 3, named=True)
    top = row_of(results, "occurrence_difference", type=3)["top_in_best"]
    about = third["low"] <= 0.35 and third["high"] >= 0.25
    return Finding(
        "occurrence",
        "Type ψ3 is the most common among the best networks, with about 30% of their hidden neurons (25% to 35%).",
        decide(top >= 0.95 and about, top <= 0.05 or not about),
        f"ψ3: {third['mean_share']:.1%} [{third['low']:.1%}, {third['high']:.1%}]; the most common is "
        f"ψ{best['type'][0]} with {best['mean_share'][0]:.1%}. ψ3 is first in {top:.0%} of bootstrap samples.",
    )


def third_differs_most(results: Results) -> Finding:
    """Section 4.1, figure 7: the type whose occurrence differs most between good and poor networks."""
    table = results.tables["occurrence_difference"]
    third = row_of(results, "occurrence_difference", type=3)
    largest = table.sort("difference", descending=True).row(0, named=True)
    beaten = third["high"] < float(table.filter(pl.col("type") != 3)["low"].max())  # type: ignore[arg-type]
    null = null_of(results, "share difference", f"type {largest['type']}", "shuffled")
    return Finding(
        "occurrence",
        "ψ3 is more frequent in the best than in the worst networks, and no type gains more.",
        decide(third["low"] > 0 and largest["type"] == 3, third["high"] < 0 or beaten),
        f"Best minus worst: ψ3 {points(third['difference'])} [{points(third['low'])}, {points(third['high'])}] points. "
        f"The largest gain is ψ{largest['type']}'s, {points(largest['difference'])} "
        f"[{points(largest['low'])}, {points(largest['high'])}]; in shuffled networks {points(null['null_mean'])} "
        f"± {100 * null['null_deviation']:.1f}.",
    )


def poor_have_fourth(results: Results) -> Finding:
    """Section 4.1: more neurons of high subgraph centrality in poor networks."""
    row = results.tables["high_subgraph_centrality"].row(0, named=True)
    fourth = row_of(results, "occurrence_difference", type=4)
    return Finding(
        "occurrence",
        f"Poor networks have more neurons of high subgraph centrality (above {row['above']} of the largest value).",
        decide(row["high"] < 0, row["low"] > 0),
        f"{row['worst']:.1%} of the neurons of the worst and {row['best']:.1%} of the best networks: "
        f"{points(row['difference'])} [{points(row['low'])}, {points(row['high'])}] points. "
        f"Type ψ4: {points(fourth['difference'])} [{points(fourth['low'])}, {points(fourth['high'])}].",
    )
