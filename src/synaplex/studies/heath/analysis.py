"""The analysis: all tables and findings from what there is."""

from __future__ import annotations

import polars as pl

from synaplex.studies.heath.comparison import differences_table, final_table
from synaplex.studies.heath.findings import findings, findings_table
from synaplex.studies.heath.grids import accuracies, by_growth_table, effects_table, grid_table
from synaplex.studies.heath.growth import centralities_table, hubs_table
from synaplex.studies.heath.published import contradictions
from synaplex.studies.heath.results import Analysis, Results, standing
from synaplex.studies.heath.searches import thresholds_table


def analyse(results: Results) -> Analysis:
    """Everything that can be said of what there is."""
    made = {
        "differences": differences_table(results),
        "thresholds": thresholds_table(results),
        "centralities": centralities_table(results),
        "hubs": hubs_table(results),
        "effects": effects_table(results),
    }
    rows = [(one.text, one.tables) for one in contradictions()]
    return Analysis(
        standing=standing(results),
        final=final_table(results),
        **made,
        grid=grid_table(results),
        by_growth=by_growth_table(accuracies(results)),
        contradictions=pl.DataFrame(rows, schema=["the text", "its tables and code"], orient="row"),
        found=tuple(findings(results, **made)),
    )


def tables(results: Results, analysis: Analysis) -> dict[str, pl.DataFrame]:
    """Everything in tables, by name."""
    made = {
        "epochs": results.epochs,
        "final": analysis.final,
        "differences": analysis.differences,
        "thresholds": analysis.thresholds,
        "centralities": analysis.centralities,
        "hubs": analysis.hubs,
        "grid": analysis.grid,
        "effects": analysis.effects,
        "by-growth": analysis.by_growth,
        "contradictions": analysis.contradictions,
        "findings": findings_table(analysis.found),
        "standing": analysis.standing.drop("hours"),
    }
    return {name: table for name, table in made.items() if table.width}
