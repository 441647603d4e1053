"""All figures of the study, by file name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from matplotlib.figure import Figure

from synaplex.report import style
from synaplex.studies.structurereps.figures.decoding import ablation, curves, networks, tables
from synaplex.studies.structurereps.figures.population import population
from synaplex.studies.structurereps.figures.shapes import shapes
from synaplex.studies.structurereps.results import Results


def drawings(results: Results) -> Mapping[str, Figure]:
    """Each figure by name, laid out once and for all: a page and two files are drawn from it."""
    drawn = dict(_drawings(results))
    for figure in drawn.values():
        with style.context():
            figure.draw_without_rendering()
            figure.set_layout_engine("none")
    return drawn


def _drawings(results: Results) -> Iterator[tuple[str, Figure]]:
    yield "curves", curves(results)
    yield "tables", tables(results)
    yield "networks", networks(results)
    yield "population", population(results.prediction)
    if results.space is not None:
        yield "fig2-shapes", shapes(results.space)
    if results.ablation is not None:
        yield "ablation", ablation(results.ablation)
