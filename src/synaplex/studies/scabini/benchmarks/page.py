"""The report on all benchmarks as one HTML page."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
from matplotlib.figure import Figure

from synaplex.report import Page
from synaplex.studies.machine import Origin
from synaplex.studies.scabini.benchmarks.divergence import readings
from synaplex.studies.scabini.benchmarks.results_page import Combined

QUESTION = "Do the same types of neurons emerge on every benchmark?"


def page(results: Combined, drawn: Mapping[str, Figure], origin: Origin) -> Page:
    """Put the report together."""
    titles = [one.title for one in results.benchmarks]
    facts = {
        "benchmarks": ", ".join(f"{one.title} ({len(one.seeds)} networks)" for one in results.benchmarks),
        "missing": "; ".join(f"{name}: {why}" for name, why in results.missing.items()) or "none",
        **origin.machine,
        "wall time": f"{origin.seconds:.0f} s",
        "command": origin.command,
    }
    report = Page(QUESTION, _answer(results), facts)
    report.section("What holds", "Each claim, and what became of it on each benchmark; each has a report of its own.")
    tables = [one.tables["findings"].select("statement", "verdict") for one in results.benchmarks]
    matrix = pl.DataFrame({"claim": list(dict.fromkeys(s for table in tables for s in table["statement"]))})
    for title, table in zip(titles, tables, strict=True):
        named = table.rename({"statement": "claim", "verdict": title})
        matrix = matrix.join(named, on="claim", how="left", maintain_order="left")
    report.table(matrix, "Claims about each benchmark.")
    report.section("The benchmarks", "What the networks see, and how they do (figures 2 and 3).")
    report.figure(drawn["fig2-samples"], "Test images of each class.", "fig2-samples")
    report.figure(drawn["fig3-accuracy"], "Test accuracy of all networks.", "fig3-accuracy")
    report.section("Neuron types", "Figures 6 and 7 and table 1 of the paper, for each benchmark on its own scale.")
    report.figure(drawn["fig6-elbow"], "Inertia over the number of types; dots are elbows.", "fig6-elbow")
    report.figure(drawn["table1-types"], "Centroids here (solid) and published (dotted).", "table1-types")
    report.figure(drawn["fig7-occurrence"], "Types in the worst, median and best networks.", "fig7-occurrence")
    report.section("Vocabularies of other benchmarks", "Table 2 of the paper in every reading.")
    report.figure(drawn["table2-divergence"], "Mean divergence in base 2; rows are vocabularies.", "table2-divergence")
    fits = readings(results.divergences)
    if fits.height:
        report.table(fits, "How well each reading fits the paper, the best first.", digits=3)
    report.table(results.divergences, "Every divergence.", digits=3)
    report.table(results.transfers, "Accuracy ordered by a regression fitted on one benchmark (Kendall's τ).", digits=2)
    for one in results.found:
        report.finding(one.statement, one.verdict, one.evidence)
    return report


def _answer(results: Combined) -> str:
    counts = {verdict: sum(one.verdict == verdict for one in results.found) for verdict in ("holds", "fails")}
    words = {one.topic: one for one in results.found}
    first = words.get("types")
    short = "" if first is None else f"**{'Yes' if first.verdict == 'holds' else 'Not as the paper says'}.** "
    return (
        f"{short}Scabini and Bruno (2021) found six types of neurons on four benchmarks. Here are "
        f"{', '.join(one.title for one in results.benchmarks)}. Of {len(results.found)} claims about all of them "
        f"{counts['holds']} hold and {counts['fails']} fail."
    )
