"""The results as a page of the documentation: the paper's numbers and claims beside ours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl
from matplotlib.figure import Figure

from synaplex.report.files import write_text
from synaplex.studies.heath import captions
from synaplex.studies.heath.page import PLACES, answer, facts, tables_of, topics
from synaplex.studies.heath.results import Analysis, Results
from synaplex.studies.machine import Origin
from synaplex.studies.markdown import markdown_table, write_images


def write_results_page(
    results: Results, analysis: Analysis, drawn: Mapping[str, Figure], origin: Origin, path: Path
) -> None:
    """Write the page, and its figures as PNG into a folder of its name."""
    folder = path.with_suffix("")
    write_images(drawn, folder)
    write_text(path, results_markdown(results, analysis, origin, folder.name, list(drawn)))


def results_markdown(results: Results, analysis: Analysis, origin: Origin, folder: str, shown: list[str]) -> str:
    """The page: provenance, what is there, each section with its tables, figures and claims, contradictions."""
    lines = [
        f"# Heath 2021: pruning by centrality, on {results.dataset}",
        "",
        "A. Heath, *Investigating the use of hub neuron identification for pruning sparse neural networks*, 35th "
        "Twente Student Conference on IT, 2021; code and data at github.com/andrewjh9/CenBench. Printed by",
        "",
        f"    {origin.command}",
        "",
        *(f"- {name}: {value}" for name, value in facts(results, origin).items() if name != "command"),
        "",
        answer(results, analysis),
        "",
        "## What is there",
        "",
        captions.STANDING,
        "",
        *markdown_table(analysis.standing, digits=4),
        "",
    ]
    shuffled = analysis.hubs.filter(pl.col("null") == "shuffled").drop("null", "remark")
    tables = tables_of(analysis) | {"hubs": ((shuffled, captions.HUBS_SHUFFLED),)}
    for topic in topics(analysis, shown):
        lines += [f"## {captions.TOPICS[topic]}", "", captions.TOPIC_TEXTS[topic], ""]
        for table, caption in tables.get(topic, ()):
            if len(table):
                lines += [caption + captions.comparable(results), "", *markdown_table(table, digits=4), ""]
        for name in shown:
            if PLACES[name] == topic:
                lines += [
                    f"![{name}]({folder}/{name}.png)",
                    "",
                    f"*{captions.FIGURES[name]}{captions.comparable(results)}*",
                    "",
                ]
        for one in analysis.found:
            if one.topic == topic:
                lines += [f"**{one.verdict}: {one.statement}** {one.evidence}", ""]
    lines += ["## Where the paper contradicts itself", "", captions.CONTRADICTIONS, ""]
    lines += [*markdown_table(analysis.contradictions, digits=4), "", "## How it was done", "", captions.VERDICTS, ""]
    lines += [captions.method(results)]
    return "\n".join(lines).rstrip() + "\n"
