"""Prediction across a population: tau of every method, and predicted beside actual accuracy."""

from __future__ import annotations

import polars as pl
from matplotlib.figure import Figure

from synaplex.report import style
from synaplex.studies.structurereps.figures.palette import color, short
from synaplex.studies.structurereps.methods import COMPLEX, OWN, STATISTICS
from synaplex.studies.structurereps.population import METHODS, SHUFFLED, Prediction


def population(prediction: Prediction) -> Figure:
    """Left, Kendall's tau with 95% intervals; then a point a held-out network for two methods."""
    regressors = prediction.scores["decoder"].unique(maintain_order=True).to_list()
    with style.context():
        figure, axes = style.subplots(1, 3, height=3.6, width_ratios=[1.25, 1, 1])
        panel = axes[0, 0]
        marks = dict(zip(regressors, "os", strict=False))
        for row in prediction.scores.drop_nulls("kendall").iter_rows(named=True):
            at = METHODS.index(row["method"]) + 0.28 * (regressors.index(row["decoder"]) - (len(regressors) - 1) / 2)
            shade = color(row["method"].removesuffix(SHUFFLED))
            panel.plot([row["kendall_low"], row["kendall_high"]], [at] * 2, color=shade, lw=1.2)
            panel.plot([row["kendall"]], [at], marks[row["decoder"]], color=shade, ms=4)
        for name, mark in marks.items():
            panel.plot([], [], mark, color=style.MUTED, ms=4, label=name)
        named = [
            name.replace(SHUFFLED, ",\nweights shuffled")
            .replace(COMPLEX, short(COMPLEX))
            .replace(", eight", ",\neight")
            for name in METHODS
        ]
        panel.set_yticks(range(len(METHODS)), named, fontsize=8)
        panel.invert_yaxis()
        panel.set_xlabel("Kendall's tau")
        panel.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
        for place, name in enumerate((OWN, STATISTICS), 1):
            panel = axes[0, place]
            best = (
                prediction.scores.filter(pl.col("method") == name).sort("kendall", descending=True)["decoder"].to_list()
            )
            panel.plot(prediction.predicted[name, best[0]], prediction.actual, ".", color=color(name), ms=3.5)
            ends = [float(prediction.actual.min()), float(prediction.actual.max())]
            panel.plot(ends, ends, color=style.MUTED, lw=0.8)
            panel.set_title(f"{name}, {best[0]}", fontsize=9)
            panel.set_xlabel("predicted accuracy")
            panel.set_xlim(ends[0] - 0.1, ends[1] + 0.1)
        axes[0, 1].set_ylabel("test accuracy")
        return figure
