"""The report: the question, the answer from the numbers, then the paper's sections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

import polars as pl
from matplotlib.figure import Figure

from synaplex.report import Page
from synaplex.studies.finding import signed
from synaplex.studies.heath import captions
from synaplex.studies.heath.findings import findings_table
from synaplex.studies.heath.recipe import RELEASED
from synaplex.studies.heath.results import Analysis, Results
from synaplex.studies.machine import Origin

QUESTION = "Does it help to prune a sparse network where its neurons are not central?"

PLACES = {
    "fig9-final": "comparison",
    "fig6-thresholds": "thresholds",
    "fig4-sigma": "growth",
    "fig8-densities": "growth",
    "hubs": "hubs",
    "fig5-accuracy-centrality": "accuracy",
    "grid": "help",
}
"""The section of each figure."""


def page(results: Results, analysis: Analysis, drawn: Mapping[str, Figure], origin: Origin) -> Page:
    """Put the report together."""
    report = Page(QUESTION, answer(results, analysis), facts(results, origin))
    report.section("What is there", captions.missing(results) or "Everything that was planned is trained.")
    report.table(analysis.standing, captions.STANDING)
    report.section("What holds", captions.VERDICTS)
    report.table(findings_table(analysis.found).select("statement", "verdict"), "Every claim; the evidence is below.")
    for topic in topics(analysis, drawn):
        report.section(captions.TOPICS[topic], captions.TOPIC_TEXTS[topic])
        for table, caption in tables_of(analysis).get(topic, ()):
            if len(table):
                report.table(table, caption + captions.comparable(results))
        for name, figure in drawn.items():
            if PLACES[name] == topic:
                report.figure(figure, captions.FIGURES[name] + captions.comparable(results), name)
        for one in analysis.found:
            if one.topic == topic:
                report.finding(one.statement, one.verdict, one.evidence)
    report.section("Where the paper contradicts itself", captions.CONTRADICTIONS)
    report.table(analysis.contradictions, "Verified in the paper's text, its tables and its published code.")
    report.section("How it was done", captions.method(results))
    return report


def topics(analysis: Analysis, shown: Collection[str]) -> list[str]:
    """The sections that have something in them, given the figures' names."""
    held = {one.topic for one in analysis.found} | {PLACES[name] for name in shown}
    held |= {topic for topic, tables in tables_of(analysis).items() if any(len(table) for table, _ in tables)}
    return [topic for topic in captions.TOPICS if topic in held]


def tables_of(analysis: Analysis) -> dict[str, tuple[tuple[pl.DataFrame, str], ...]]:
    """The tables of each section with their captions."""
    return {
        "comparison": ((analysis.final, captions.TABLE_4), (analysis.differences, captions.DIFFERENCES)),
        "thresholds": ((analysis.thresholds, captions.THRESHOLDS),),
        "growth": ((analysis.centralities, captions.CENTRALITIES),),
        "hubs": ((analysis.hubs, captions.HUBS),),
        "help": (
            (analysis.effects, captions.EFFECTS),
            (analysis.by_growth, captions.BY_GROWTH),
            (analysis.grid, captions.GRID),
        ),
    }


def answer(results: Results, analysis: Analysis) -> str:
    """The answer in a few sentences, from the numbers."""
    counts = Counter(one.verdict for one in analysis.found)
    parts = [
        "Heath (2021) prunes sparse networks while they train where neurons have a low Laplacian centrality (CenSET) "
        "and grows as many connections at random."
    ]
    own = analysis.differences.filter((pl.col("recipe") == RELEASED.name) & (pl.col("epochs") == pl.col("planned")))
    said = [
        f"{row['difference']} {signed(row['points'])}"
        + ("" if row["low"] is None else f" ({signed(row['low'])} to {signed(row['high'])})")
        for row in own.iter_rows(named=True)
    ]
    if said:
        parts.append(f"**Differences of accuracy in points, seed by seed: {'; '.join(said)}.**")
    effects = {row["difference"]: row for row in analysis.effects.iter_rows(named=True) if row["low"] is not None}
    asked = {
        "least Laplacian − random": "beside dropping at random",
        "least Laplacian − SET": "beside dropping the smallest weights",
    }
    grid = [
        f"{signed(row['points'])} ({signed(row['low'])} to {signed(row['high'])}) {beside}"
        for name, beside in asked.items()
        if (row := effects.get(name)) is not None
    ]
    if grid:
        parts.append(
            f"At an equal budget, dropping where neurons are least central does {' and '.join(grid)}, in points."
        )
    parts.append(
        f"Of {len(analysis.found)} claims, {counts['holds']} hold, {counts['fails']} fail and {counts['undecided']} "
        "stay undecided."
    )
    if waiting := captions.missing(results):
        parts.append(waiting)
    return "\n\n".join(parts)


def facts(results: Results, origin: Origin) -> dict[str, str]:
    """The table under the title."""
    settings = results.settings
    seeds = ", ".join(f"{name} {count}" for name, count in settings.seeds.items() if count)
    epochs = ", ".join(f"{name} {count}" for name, count in settings.epochs.items() if name in results.stages)
    trained = sum(piece.epochs.height for piece in results.pieces.values())
    return {
        "dataset": results.description,
        "scale": f"{results.scale}: epochs {epochs}; seeds {seeds}",
        "trained": f"{trained:,} epochs of single networks in {origin.seconds / 3600:.2f} hours, over all sessions",
        "seed": str(results.seed),
        **origin.machine,
        "command": origin.command,
    }
