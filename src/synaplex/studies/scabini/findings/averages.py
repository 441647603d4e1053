"""Claims about accuracy, layer averages and the selection of measures (figs. 3 to 5)."""

from __future__ import annotations

import polars as pl

from synaplex.studies.finding import Finding, decide, signed
from synaplex.studies.scabini import published
from synaplex.studies.scabini.analysis import STATNN, Results
from synaplex.studies.scabini.findings.claim import interval, listed, null_of, null_text, plain, row_of, strongest
from synaplex.studies.scabini.selection import SIGNIFICANCE

SEPARABLE = 0.9
"""Groups are practically linearly separable if a line tells at least this share of unseen networks apart."""

MODERATE = 0.3
"""A measure is taken to be unrelated to accuracy where a correlation this large can be excluded."""


def spread(results: Results) -> Finding:
    """Section 3.1, figure 3: a fairly distributed population."""
    accuracy = results.accuracy
    deviation = float(accuracy.std())
    return Finding(
        "population",
        "Networks that differ in nothing but their initial weights end up at clearly different accuracies.",
        decide(deviation > 2 * results.noise, deviation <= 2 * results.noise),
        f"From {accuracy.min():.1%} to {accuracy.max():.1%}, standard deviation {100 * deviation:.1f} points. "
        f"The finite test set alone would spread equal networks by {100 * results.noise:.1f} points; "
        f"it leaves an R² of at most {results.ceiling:.2f} to be explained."
        + ("" if deviation > 2 * results.noise else " All networks have nearly the same accuracy: read on with care."),
    )


def separable(results: Results) -> Finding:
    """Section 4, figure 4: practically linearly separable groups."""
    rows = [row_of(results, "separability", features=name) for name in published.SEPARABLE]
    baseline = row_of(results, "separability", features=STATNN)
    parts = [
        f"{plain(name)} {row['accuracy']:.0%} [{row['low']:.0%}, {row['high']:.0%}] "
        f"(shuffled {null_of(results, 'separability', name, 'shuffled')['null_mean']:.0%})"
        for name, row in zip(published.SEPARABLE, rows, strict=True)
    ]
    return Finding(
        "averages",
        "The averages of strength, second-order centrality, cliques or bipartite clustering over the two hidden layers "
        f"separate the best from the worst networks by a line, each for at least {SEPARABLE:.0%} of unseen networks.",
        decide(all(row["low"] >= SEPARABLE for row in rows), any(row["high"] < SEPARABLE for row in rows)),
        f"Told rightly in cross-validation: {'; '.join(parts)}. Weight statistics: {baseline['accuracy']:.0%} "
        f"[{baseline['low']:.0%}, {baseline['high']:.0%}]. Chance: 50%.",
    )


def related(results: Results) -> Finding:
    """Abstract: measures are highly related to performance."""
    parts, significant, weak = [], [], []
    for name in published.KEPT:
        row = strongest(results, name)
        shuffled, flipped = (null_of(results, "spearman", name, null, row["layer"]) for null in ("shuffled", "flipped"))
        significant.append(row["p_adjusted"] < SIGNIFICANCE)
        weak.append(max(row["spearman_high"], -row["spearman_low"]) < MODERATE)
        parts.append(
            f"{plain(name)} ρ = {interval(row, 'spearman')} in layer {row['layer']}, shuffled {null_text(shuffled)}, "
            f"flipped {null_text(flipped)}"
        )
    return Finding(
        "averages",
        "The layer averages of strength, bipartite clustering and subgraph centrality are related to accuracy.",
        decide(all(significant), all(weak) and not any(significant)),
        f"Spearman, the layer that says most: {'; '.join(parts)}.",
    )


def same_in_both_layers(results: Results) -> Finding:
    """Section 4: a total correlation of subgraph centrality between the layers."""
    columns = results.averages.of(["subgraph_centrality"]).complete.T
    rho = float(pl.DataFrame({"a": columns[0], "b": columns[-1]}).select(pl.corr("a", "b")).item())
    return Finding(
        "averages",
        "Subgraph centrality says the same in both hidden layers: its averages correlate almost perfectly.",
        decide(rho > 0.95, rho <= 0.95),
        f"Pearson's correlation of the two layers' averages over {len(results.seeds)} networks: {rho:.3f}.",
    )


def unrelated(results: Results) -> Finding:
    """Section 4: three measures that express no relation to performance."""
    table = results.tables["relations"].filter(pl.col("measure").is_in(published.UNRELATED))
    reach = max(float(table["spearman_high"].max()), -float(table["spearman_low"].min()))  # type: ignore[arg-type]
    least = float(table["p_adjusted"].min())  # type: ignore[arg-type]
    parts = [
        f"{plain(row['measure'])} layer {row['layer']}: {interval(row, 'spearman')}"
        for row in table.iter_rows(named=True)
    ]
    return Finding(
        "averages",
        "Average neighbor strength, current-flow closeness and harmonic centrality are not related to accuracy: "
        f"correlations of {MODERATE} or more can be excluded.",
        decide(least >= SIGNIFICANCE and reach < MODERATE, least < SIGNIFICANCE),
        f"Spearman: {'; '.join(parts)}.",
    )


def poorer_have_more(results: Results) -> Finding:
    """Abstract: higher subgraph centrality on lower-performing models."""
    row = strongest(results, "subgraph_centrality")
    return Finding(
        "averages",
        "Subgraph centrality is higher in networks of lower accuracy.",
        decide(row["spearman_high"] < 0, row["spearman_low"] > 0),
        f"Spearman's correlation of its average with accuracy, layer {row['layer']}: {interval(row, 'spearman')}; "
        f"shuffled {null_text(null_of(results, 'spearman', 'subgraph_centrality', 'shuffled', row['layer']))}.",
    )


def redundant(results: Results) -> Finding:
    """Section 4, figure 5: what strength says already."""
    pairs = results.tables["measure_pairs"].filter(
        (pl.col("first") == "strength") & pl.col("second").is_in(published.REDUNDANT)
    )
    strong = (pairs["pearson"].abs() > published.REDUNDANCY).to_list()
    parts = [
        f"{plain(row['second'])} layer {row['layer']}: {signed(row['pearson'])}" for row in pairs.iter_rows(named=True)
    ]
    return Finding(
        "selection",
        "Second-order centrality and the number of maximal cliques say what strength says: |ρ| above "
        f"{published.REDUNDANCY} over the neurons of each hidden layer.",
        decide(all(strong), not all(strong)),
        f"Pearson's correlation with strength: {'; '.join(parts)}.",
    )


def selected(results: Results) -> Finding:
    """Section 4.1: the three measures of the descriptor."""
    kept = results.selection.kept
    same = set(kept) == set(published.KEPT)
    return Finding(
        "selection",
        "The two selection steps leave strength, bipartite clustering and subgraph centrality.",
        decide(same, not same),
        f"Related to accuracy: {listed(results.selection.related)}. Left without the redundant: {listed(kept)}."
        + ("" if same else " The types below are found with the paper's three all the same, to be comparable."),
    )
