"""The results as a page of the documentation: the paper's numbers and claims beside ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from matplotlib.figure import Figure

from synaplex.report.files import write_text
from synaplex.studies.la_malfa_2024 import captions
from synaplex.studies.la_malfa_2024.findings import claims_table
from synaplex.studies.la_malfa_2024.page import facts
from synaplex.studies.la_malfa_2024.reading import reading
from synaplex.studies.la_malfa_2024.results import Results
from synaplex.studies.machine import Origin
from synaplex.studies.markdown import markdown_table, write_images

SHOWN = ("fig2-architectures", "fig3-heat", "correlations", "depths")
"""Figures that the page shows."""


def write_results_page(results: Results, drawn: Mapping[str, Figure], origin: Origin, path: Path) -> None:
    """Write the page, and its figures as PNG into a folder of its name."""
    folder = path.with_suffix("")
    shown = [name for name in SHOWN if name in drawn]
    write_images({name: drawn[name] for name in shown}, folder)
    write_text(path, results_markdown(results, origin, folder.name, shown))


def results_markdown(results: Results, origin: Origin, folder: str, shown: list[str]) -> str:
    """The page: provenance, table 1 beside ours, scalings, what holds, and every claim with its verdict."""
    lines = [
        "# La Malfa et al. 2024: what neurons receive and send",
        "",
        "E. La Malfa, G. La Malfa, G. Nicosia & V. Latora, *Deep neural networks via complex network theory: a "
        "perspective*, IJCAI 2024. Printed by",
        "",
        f"    {origin.command}",
        "",
        *(f"- {name}: {value}" for name, value in facts(results, origin).items() if name != "command"),
        "",
        "## Table 1",
        "",
        captions.TABLE_1,
        "",
        *markdown_table(results.performance),
        "",
        "Which scaling of the images gives which error: what knows nothing of an image (always 0, its brightness on "
        "average, the mean image), the best that an output in [0, 1] can do, and our autoencoders.",
        "",
    ]
    for name, table in results.scalings.items():
        lines += [f"{name}:", "", *markdown_table(table), ""]
    lines += ["## What holds and what does not", "", *_summary(results), ""]
    for name in shown:
        lines += [f"![{name}]({folder}/{name}.png)", "", f"*{captions.caption(name)}*", ""]
    lines += ["## Every claim", "", captions.VERDICTS, "", captions.CLAIMS_TABLE, ""]
    lines += [*markdown_table(claims_table(results.tests)), "", "## The control", "", captions.DIFFERENTIATION, ""]
    lines += [*markdown_table(results.differentiation), "", "## How it was done", ""]
    lines += [captions.method(results.settings, results.datasets)]
    return "\n".join(lines).rstrip() + "\n"


def _summary(results: Results) -> Iterator[str]:
    counts = Counter(one.verdict for one in results.found)
    yield (
        f"Of {len(results.found)} claims {counts['holds']} hold, {counts['fails']} fail and {counts['undecided']} come "
        f"out mixed, from {len(results.tests):,} tests of single cells and layers."
    )
    yield ""
    yield reading(results)
