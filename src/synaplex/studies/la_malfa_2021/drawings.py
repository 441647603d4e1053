"""All figures of the study, by file name: the paper's number first, then what it has in common with it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from matplotlib.figure import Figure

from synaplex.report import style
from synaplex.studies.la_malfa_2021.analysis import CellResults
from synaplex.studies.la_malfa_2021.figures.densities import densities
from synaplex.studies.la_malfa_2021.figures.individual import individual
from synaplex.studies.la_malfa_2021.figures.moments import distances, moments
from synaplex.studies.la_malfa_2021.page import Results
from synaplex.studies.la_malfa_2021.recipe import SCALES

FIGURES = {
    ("cnn", "weights"): 2,
    ("cnn", "strength"): 3,
    ("cnn", "fluctuation"): 4,
    ("cnn", "moments"): 5,
    ("dense", "weights"): 7,
    ("dense", "strength"): 8,
    ("dense", "fluctuation"): 9,
    ("dense", "moments"): 10,
}
"""Numbers of the paper's figures."""


def drawings(results: Results) -> Mapping[str, Figure]:
    """Each figure by name, laid out once and for all: a page and two files are drawn from it."""
    drawn = dict(_drawings(results))
    for figure in drawn.values():
        with style.context():
            figure.draw_without_rendering()
            figure.set_layout_engine("none")
    return drawn


def _drawings(results: Results) -> Iterator[tuple[str, Figure]]:
    yield "distances", distances(results.cells)
    yield "fig6-individual", individual(results.individual, results.individual_table)
    for (kind, measure), number in FIGURES.items():
        for initializer, order in results.settings.populations:
            rows = rows_of(results, kind, initializer, order)
            name = figure_name(number, kind, measure, initializer, order)
            if rows:
                yield name, moments(rows) if measure == "moments" else densities(rows, measure)


def rows_of(results: Results, kind: str, initializer: str, order: int) -> list[CellResults]:
    """The two populations of a figure, scale 0.5 on top as in the paper."""
    cells = {(one.cell.kind, one.cell.initializer, one.cell.scale, one.cell.order): one for one in results.cells}
    return [cells[key] for scale in SCALES[::-1] if (key := (kind, initializer, scale, order)) in cells]


def figure_name(number: int, kind: str, measure: str, initializer: str, order: int) -> str:
    """Name of a figure's file."""
    return f"fig{number}-{kind}-{measure}-{initializer}-1e{round(math.log10(order))}"
