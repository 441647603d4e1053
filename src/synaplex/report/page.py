"""Page: a report as one HTML file that opens offline."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal, get_args

import polars as pl
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup
from matplotlib.figure import Figure

from synaplex.errors import SpecificationError
from synaplex.report.cells import Cell, cell, is_numeric
from synaplex.report.embed import Interactive, embed
from synaplex.report.files import write_text
from synaplex.report.markup import inline, paragraphs, slug

Verdict = Literal["holds", "fails", "undecided"]

MOST_ROWS = 2000
"""Rows of a table that a page shows; the rest is left out, and the page says so."""


@dataclass(frozen=True)
class Block:
    """A part of a section: a figure, a table, a finding or text.

    Attributes
    ----------
    kind
        Which macro of the template renders it.
    content
        What that macro reads.
    """

    kind: Literal["figure", "table", "finding", "text"]
    content: Mapping[str, object]


@dataclass
class Section:
    """A titled part of a page."""

    title: str
    anchor: str
    blocks: list[Block] = field(default_factory=list)


class Page:
    """A report: sections of text, figures, tables and findings, saved as one file that opens offline.

    Text is escaped; an empty line parts paragraphs, lines that begin with ``- `` make a list, and ``**bold**`` and
    backquoted code are understood.

    Parameters
    ----------
    title
        The heading.
    lead
        What the page says, in a sentence or two.
    facts
        A small table under the title: seed, scale, machine, version, command.

    Examples
    --------
    >>> page = Page("A network", "What its **weights** say.", {"seed": "0"})
    >>> page.section("Neurons", "One row a neuron.")
    >>> page.table(pl.DataFrame({"neuron": [0, 1], "strength": [0.5, -1.25]}), "Strengths.")
    >>> "Strengths." in page.html()
    True
    """

    def __init__(self, title: str, lead: str, facts: Mapping[str, str]) -> None:
        self.title = title
        self.lead = lead
        self.facts = dict(facts)
        self._sections: list[Section] = []
        self._anchors: set[str] = set()
        self._plotly = False

    def section(self, title: str, text: str = "") -> None:
        """Start a section."""
        self._sections.append(Section(title, self._anchor(title)))
        if text.strip():
            self.text(text)

    def text(self, text: str) -> None:
        """Add paragraphs to the current section."""
        self._add(Block("text", {"html": paragraphs(text)}))

    def figure(self, figure: Figure | Interactive, caption: str, name: str) -> None:
        """Add a figure to the current section.

        Parameters
        ----------
        figure
            A matplotlib figure, shown as vector graphics (as an image where it has very many marks), or a plotly
            figure, which stays interactive.
        caption
            What it shows and how to read it.
        name
            A short name, unique on the page; the figure's anchor.
        """
        anchor = self._anchor(name)
        embedded = embed(figure, anchor, caption)
        self._plotly = self._plotly or embedded.needs_plotly
        content = {"html": embedded.html, "caption": inline(caption), "anchor": anchor, "kind": embedded.kind}
        self._add(Block("figure", content))

    def table(self, frame: pl.DataFrame, caption: str, digits: int = 3, note: str = "") -> None:
        """Add a table to the current section; a click on a column's head sorts by it.

        Parameters
        ----------
        frame
            At most `MOST_ROWS` rows are shown; where there are more, the page says how many.
        caption
            What it shows.
        digits
            Significant digits of numbers that are not whole.
        note
            A remark under the table.
        """
        rows: list[list[Cell]] = [[cell(value, digits) for value in row] for row in frame.head(MOST_ROWS).iter_rows()]
        content = {
            "columns": [{"name": column.name, "numeric": is_numeric(column)} for column in frame],
            "rows": rows,
            "caption": inline(caption),
            "note": inline(note),
            "left_out": len(frame) - len(rows),
            "total": len(frame),
        }
        self._add(Block("table", content))

    def finding(self, statement: str, verdict: Verdict, evidence: str) -> None:
        """Add a claim that was tested, to the current section.

        Parameters
        ----------
        statement
            The claim.
        verdict
            ``"holds"``, ``"fails"`` or ``"undecided"``.
        evidence
            The numbers, beside those of the null model.
        """
        if verdict not in get_args(Verdict):
            raise SpecificationError(f"verdict {verdict!r} is none of {', '.join(get_args(Verdict))}")
        content = {"statement": inline(statement), "verdict": verdict, "evidence": paragraphs(evidence)}
        self._add(Block("finding", content))

    def html(self) -> str:
        """The page as text."""
        return _template().render(
            title=self.title,
            lead=paragraphs(self.lead),
            facts=self.facts,
            sections=self._sections,
            style=Markup(_part("page.css")),
            script=Markup(_part("page.js")),
            plotly=Markup(_plotly_js()) if self._plotly else None,
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page, whole or not at all.

        Returns
        -------
        Path
            Where it lies.

        Raises
        ------
        UnwritableFileError
            If it cannot be written; what lay there before stays.
        """
        return write_text(path, self.html())

    def _add(self, block: Block) -> None:
        if not self._sections:
            self._sections.append(Section("", self._anchor("overview")))
        self._sections[-1].blocks.append(block)

    def _anchor(self, text: str) -> str:
        anchor = stem = slug(text)
        count = 1
        while anchor in self._anchors:
            count += 1
            anchor = f"{stem}-{count}"
        self._anchors.add(anchor)
        return anchor


def _part(name: str) -> str:
    return files("synaplex.report").joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_part("page.html.jinja"))


def _plotly_js() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).replace("</script", "<\\/script")
