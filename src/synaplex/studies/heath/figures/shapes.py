"""Distributions of centrality, null models, and the grid (figure 8 and our own)."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import polars as pl
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter
from scipy.stats import gaussian_kde

from synaplex.report import style
from synaplex.studies.heath.figures.courses import color, methods
from synaplex.studies.heath.recipe import RELEASED
from synaplex.studies.heath.results import Results

SHOWN = ("exact", "variant")
"""Versions in the figure of densities."""


def densities(results: Results) -> Figure | None:
    """A row a version, a panel a method: the distribution of centralities at snapshots; None without snapshots."""
    kept: dict[str, dict[str, dict[int, np.ndarray]]] = {}
    for piece in results.pieces.values():
        if piece.group.stage != "final" or piece.group.recipe is not RELEASED or piece.group.seed != results.seed:
            continue
        for key, values in piece.neurons.items():
            method, version, at_epoch = key.rsplit("/", 2)
            kept.setdefault(method, {}).setdefault(version, {})[int(at_epoch)] = values
    if not kept:
        return None
    names = sorted(kept)
    with style.context():
        figure, axes = style.subplots(len(SHOWN), len(names), height=2.1)
        for row, version in enumerate(SHOWN):
            for panel, method in zip(axes[row], names, strict=True):
                epochs = sorted(kept[method][version])
                low, high = np.quantile(kept[method][version][epochs[-1]], (0.01, 0.99))
                at, top = np.linspace(low, high, 200), 0.0
                for shade, epoch in zip(np.linspace(0.9, 0.1, len(epochs)), epochs, strict=True):
                    values = kept[method][version][epoch].astype(np.float64)
                    if values.std() > 0:
                        density = gaussian_kde(values, bw_method=0.15)(at)
                        panel.plot(at, density, color=mpl.colormaps[style.SEQUENTIAL](shade), lw=1)
                        top = max(top, float(density.max()))
                panel.set_yscale("log")
                panel.set_ylim(top * 1e-4, top * 2)
                panel.set_title(f"{method}, {version}")
        for panel in axes[-1]:
            panel.set_xlabel("Laplacian centrality")
        return figure


def beside_nulls(results: Results) -> Figure | None:
    """A panel a version: z-scores at the end of training by statistic and null model, a dot a seed."""
    own = results.hubs.filter((pl.col("recipe") == RELEASED.name) & pl.col("finished") & pl.col("z").is_not_null())
    own = own.filter(pl.col("epoch") == pl.col("epoch").max().over("method", "seed"))
    if not len(own):
        return None
    rows = own.select("statistic", "null").unique(maintain_order=True).sort("statistic", maintain_order=True).rows()
    with style.context():
        figure, axes = style.subplots(1, len(SHOWN), height=3.4, sharey=True)
        for panel, version in zip(axes[0], SHOWN, strict=True):
            for place, (statistic, null) in enumerate(rows):
                for shift, method in enumerate(methods(own)):
                    some = own.filter(
                        (pl.col("statistic") == statistic) & (pl.col("null") == null)
                        & (pl.col("centrality") == version) & (pl.col("method") == method)
                    )  # fmt: skip
                    label = method if place == 0 else None
                    at = np.full(len(some), place + 0.15 * (shift - 1.5))
                    panel.plot(some["z"], at, ".", color=color(method), label=label)
            panel.axvspan(-2, 2, color=style.GRID, lw=0, zorder=0)
            panel.set_xscale("symlog", linthresh=5)
            panel.xaxis.set_major_locator(FixedLocator([-100, -20, -5, -2, 0, 2, 5, 20, 100]))
            panel.xaxis.set_minor_locator(NullLocator())
            panel.xaxis.set_major_formatter(ScalarFormatter())
            panel.set_yticks(range(len(rows)), [f"{statistic}, {null}" for statistic, null in rows])
            panel.set_xlabel("z")
            panel.set_title(version)
        axes[0, 0].invert_yaxis()
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=4)
        return figure


def grid(table: pl.DataFrame) -> Figure | None:
    """Every cell's difference from SET with its interval, best first; None without cells."""
    own = table.filter(pl.col("low").is_not_null()).sort("points", descending=True)
    if not len(own):
        return None
    with style.context():
        figure, axes = style.subplots(1, 1, height=0.6 + 0.19 * len(own))
        panel = axes[0, 0]
        place = np.arange(len(own))
        reach = [own["points"] - own["low"], own["high"] - own["points"]]
        panel.errorbar(own["points"], place, xerr=np.stack(reach), fmt="o", ms=3.5, lw=1)
        panel.axvline(0, color=style.MUTED, lw=0.8)
        panel.set_yticks(place, own["cell"].to_list())
        panel.invert_yaxis()
        panel.set_xlabel("points of accuracy beside SET")
        return figure
