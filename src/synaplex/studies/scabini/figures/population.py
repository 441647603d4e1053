"""The population: how its networks did (fig. 3)."""

from __future__ import annotations

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from synaplex.report import style
from synaplex.studies.scabini.analysis import Results
from synaplex.studies.scabini.figures.palette import GROUP
from synaplex.studies.scabini.labels import GROUPS


def accuracy(results: Results) -> Figure:
    """The distribution of accuracy at the end, with the groups, and its quantiles over the epochs."""
    with style.context():
        figure, axes = style.subplots(1, 2, height=3.3, width_ratios=(1.15, 1))
        _distribution(axes[0, 0], results)
        _course(axes[0, 1], results)
        return figure


def _distribution(axes: Axes, results: Results) -> None:
    values = 100 * results.accuracy
    axes.hist(values, bins=25, color=style.MUTED, alpha=0.35)
    top = axes.get_ylim()[1]
    for name in GROUPS:
        members = values[results.groups[name]]
        axes.axvspan(members.min(), members.max(), color=GROUP[name], alpha=0.13, lw=0)
        axes.plot(members, np.full(len(members), -0.035 * top), "|", color=GROUP[name], ms=7, clip_on=False)
        axes.text(members.mean(), 1.01 * top, name, color=GROUP[name], ha="center", va="bottom", weight="bold")
    axes.set_ylim(-0.07 * top, 1.12 * top)
    axes.set_xlabel("test accuracy at the end (%)")
    axes.set_ylabel("networks")
    axes.grid(axis="x", visible=False)


def _course(axes: Axes, results: Results) -> None:
    table = results.tables["accuracy"].filter(pl.col("set") == "test")
    epoch = table["epoch"].to_numpy()
    bands = {name: 100 * table[name].to_numpy() for name in table.columns if name not in ("epoch", "set")}
    axes.fill_between(epoch, bands["lowest"], bands["highest"], color=style.PALETTE[0], alpha=0.12, lw=0)
    axes.fill_between(epoch, bands["quarter"], bands["three_quarters"], color=style.PALETTE[0], alpha=0.3, lw=0)
    axes.plot(epoch, bands["median"], color=style.PALETTE[0])
    for name, label in (("highest", "best"), ("median", "median"), ("lowest", "worst")):
        axes.annotate(
            label, (epoch[-1], bands[name][-1]), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8.5
        )
    axes.set_xlim(right=epoch[-1] * 1.13)
    axes.set_xlabel("epoch")
    axes.set_ylabel("test accuracy (%)")
