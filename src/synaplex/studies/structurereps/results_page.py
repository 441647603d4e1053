"""The results as a page of the documentation: the paper's tables and claims beside ours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl
from matplotlib.figure import Figure

from synaplex.report.files import write_text
from synaplex.studies.machine import Origin
from synaplex.studies.markdown import markdown_table, write_images
from synaplex.studies.structurereps import captions
from synaplex.studies.structurereps.page import facts, sections
from synaplex.studies.structurereps.reading import answer
from synaplex.studies.structurereps.results import Results

SHOWN = ("tables", "networks", "population", "fig2-shapes", "ablation")
"""Figures that the page shows."""

DOTS = 80
"""Dots an inch of its images."""


def write_results_page(results: Results, drawn: Mapping[str, Figure], origin: Origin, path: Path) -> None:
    """Write the page, and its figures as PNG into a folder of its name."""
    folder = path.with_suffix("")
    shown = [name for name in SHOWN if name in drawn]
    write_images({name: drawn[name] for name in shown}, folder, DOTS)
    write_text(path, results_markdown(results, origin, folder.name, shown))


def results_markdown(results: Results, origin: Origin, folder: str, shown: list[str]) -> str:
    """The page: provenance, the answer, and each part with its tables, a figure and its claims."""
    lines = [
        "# StructureReps 2024: performance read off the graph of a network",
        "",
        "*Structure Matters: Deciphering Neural Network's Properties from its Structure* (StructureReps, 2024; no code "
        "was released). Printed by",
        "",
        f"    {origin.command}",
        "",
        *(f"- {name}: {value}" for name, value in facts(results, origin).items() if name != "command"),
        "",
        answer(results),
        "",
        "## Every claim",
        "",
        captions.VERDICTS,
        "",
        *markdown_table(pl.DataFrame([{"claim": one.statement, "verdict": one.verdict} for one in results.found])),
        "",
    ]
    for topic, title in captions.TOPICS.items():
        claims = [one for one in results.found if one.topic == topic]
        if not claims:
            continue
        lines += [f"## {title}", "", captions.TOPIC_TEXTS[topic], ""]
        for table, caption in sections(results)[topic]:
            lines += [caption, "", *markdown_table(table), ""]
        for name in shown:
            if captions.topic_of(name) == topic:
                lines += [f"![{name}]({folder}/{name}.png)", "", f"*{captions.FIGURES[name]}*", ""]
        for one in claims:
            lines += [f"**{one.statement}** *{one.verdict}*. {one.evidence}", ""]
    lines += [
        "## How it was done",
        "",
        captions.method(results.settings, results.tasks, results.population.dataset),
        "",
        "The encoder of the population, with its decoder, lies in `encoder/` beside the report: "
        "`synaplex.encoders.load_encoder` reads it. "
        f"Its decoder is {results.saved}, which errs least in cross-validation over the training networks.",
    ]
    return "\n".join(lines).rstrip() + "\n"
