"""Skewness and kurtosis over the bins of accuracy (figures 5 and 10), and what tells low from high accuracy."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from matplotlib.figure import Figure

from synaplex.report import style
from synaplex.studies.la_malfa_2021.analysis import CellResults
from synaplex.studies.la_malfa_2021.recipe import BINS

_KURTOSIS, _SKEWNESS = style.PALETTE[1], style.PALETTE[0]


def moments(rows: Sequence[CellResults]) -> Figure:
    """Kurtosis (red) and skewness (blue) of strength and fluctuation a layer, with intervals."""
    names = rows[0].moments.layers
    lines = [(one, measure) for one in rows for measure in ("strength", "fluctuation")]
    with style.context(axes__titlesize=9):
        figure, axes = style.subplots(len(lines), len(names), height=1.6, width=style.WIDTH + 0.7, sharex=True)
        for number, (line, (one, measure)) in enumerate(zip(axes, lines, strict=True)):
            for layer, (panel, name) in enumerate(zip(line, names, strict=True)):
                table = one.moments_table.filter((pl.col("measure") == measure) & (pl.col("layer") == layer))
                middle = (table["bin"].to_numpy() + 0.5) / BINS
                panel.axhline(0, color=style.MUTED, lw=0.7)
                for moment, color in (("kurtosis", _KURTOSIS), ("skewness", _SKEWNESS)):
                    panel.fill_between(
                        middle, table[f"{moment}_low"], table[f"{moment}_high"], color=color, alpha=0.15, lw=0
                    )
                    panel.plot(middle, table[moment], color=color, lw=1.4, label=moment)
                if number == 0:
                    panel.set_title(name)
            line[0].set_ylabel(f"{measure}\nscale {one.cell.scale:g}")
        for panel in axes[-1]:
            panel.set_xlabel("accuracy")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
        return figure


def distances(results: Sequence[CellResults]) -> Figure:
    """How far lowest and highest bin lie apart, by link weights and by strengths, beside the null models."""
    shown = [one for one in results if one.enough]
    marks = (
        ("weights distance", "value", "link weights", style.MUTED, "s"),
        ("strength distance", "value", "strength", style.PALETTE[0], "o"),
        ("strength distance", "shuffled_mean", "strength, weights shuffled", style.PALETTE[3], "x"),
        ("strength distance", "flipped_mean", "strength, signs flipped", style.PALETTE[4], "+"),
    )
    with style.context():
        figure, axes = style.subplots(
            1, 3, height=0.34 * max(len(shown), 4) + 1.2, width=style.WIDTH + 0.7, sharey=True
        )
        for column, panel in enumerate(axes[0]):
            layer = column + 1
            for quantity, value, label, color, marker in marks:
                found = [
                    one.numbers.filter((pl.col("quantity") == quantity) & (pl.col("layer") == layer)).row(0, named=True)
                    for one in shown
                ]
                panel.plot([row[value] for row in found], range(len(shown)), marker, color=color, label=label)
                if value == "value":
                    panel.hlines(
                        range(len(shown)), [r["low"] for r in found], [r["high"] for r in found], color=color, lw=1
                    )
            panel.axvline(0.1, color=style.MUTED, lw=0.8, ls=":")
            panel.set_title(f"layer {layer}")
            panel.set_xlabel("distance, deviations")
        axes[0, 0].set_yticks(range(len(shown)), [one.cell.title.removesuffix(" parameters") for one in shown])
        axes[0, 0].invert_yaxis()
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
        return figure
