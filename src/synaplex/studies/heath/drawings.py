"""All figures of the study, by file name: the paper's number first, where it has one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from matplotlib.figure import Figure

from synaplex.report import style
from synaplex.studies.heath.figures import courses, shapes
from synaplex.studies.heath.recipe import RELEASED, STATED
from synaplex.studies.heath.results import Analysis, Results


def drawings(results: Results, analysis: Analysis) -> Mapping[str, Figure]:
    """Each figure by name, laid out once and for all: a page and two files are drawn from it."""
    drawn = dict(_drawings(results, analysis))
    for figure in drawn.values():
        with style.context():
            figure.draw_without_rendering()
            figure.set_layout_engine("none")
    return drawn


def _drawings(results: Results, analysis: Analysis) -> Iterator[tuple[str, Figure]]:
    recipes = [one.name for one in (RELEASED, STATED) if len(results.final(one.name))]
    if recipes:
        yield "fig9-final", courses.final(results, recipes)
    if len(analysis.thresholds):
        yield "fig6-thresholds", courses.thresholds(results, analysis.thresholds)
    if RELEASED.name in recipes:
        yield "fig4-sigma", courses.sigma(results)
        if (drawn := shapes.densities(results)) is not None:
            yield "fig8-densities", drawn
        if (drawn := shapes.beside_nulls(results)) is not None:
            yield "hubs", drawn
        yield "fig5-accuracy-centrality", courses.with_accuracy(results)
    if (drawn := shapes.grid(analysis.grid)) is not None:
        yield "grid", drawn
