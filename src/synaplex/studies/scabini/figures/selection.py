"""How measures of the same neurons resemble each other (fig. 5)."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from synaplex.report import style
from synaplex.studies.scabini.analysis import Results
from synaplex.studies.scabini.labels import PAPER_ORDER, symbol

SHOWN = ("strength", "second_order_centrality", "subgraph_centrality", "maximal_cliques", "bipartite_clustering")
"""The measures that the paper's first step leaves, in its order."""

_INSIDE = (0.002, 0.998)


def pairs(results: Results, layer: int) -> Figure:
    """Figure 5 for a hidden layer: pairs of measures over all its neurons, with Pearson's correlations."""
    values = {name: results.neurons[name][:, results.layers == layer].ravel() for name in SHOWN}
    limits = {name: np.nanquantile(column, _INSIDE) for name, column in values.items()}
    table = results.tables["measure_pairs"].filter(pl.col("layer") == layer)
    with style.context(axes__grid=False, axes__spines__right=True, axes__spines__top=True):
        figure, axes = style.subplots(len(SHOWN), len(SHOWN), width=6.6, height=1.25)
        for row, below in enumerate(SHOWN):
            for column, left in enumerate(SHOWN):
                panel = axes[row, column]
                panel.set_xticks([])
                panel.set_yticks([])
                if row == column:
                    _name(panel, values[left], limits[left], symbol(left))
                elif row > column:
                    panel.hexbin(
                        values[left],
                        values[below],
                        gridsize=28,
                        extent=(*limits[left], *limits[below]),
                        bins="log",
                        cmap=style.SEQUENTIAL,
                        mincnt=1,
                        lw=0,
                        rasterized=True,
                    )
                else:
                    _correlation(panel, _of(table, left, below))
        return figure


def correlation_table(results: Results) -> Figure:
    """Pearson's correlation of all pairs of measures in each hidden layer, as a coloured table."""
    layers = results.averages.layers
    with style.context(axes__grid=False):
        figure, axes = style.subplots(1, len(layers), height=4.0)
        for panel, layer in zip(axes[0], layers, strict=True):
            table = results.tables["measure_pairs"].filter(pl.col("layer") == layer)
            matrix = np.array([[_of(table, a, b) for b in PAPER_ORDER] for a in PAPER_ORDER])
            panel.imshow(matrix, cmap=style.DIVERGING, vmin=-1, vmax=1)
            for (i, j), rho in np.ndenumerate(matrix):
                if i != j:
                    color = style.contrast(mpl.colormaps[style.DIVERGING]((rho + 1) / 2))
                    weight = "bold" if abs(rho) > 0.8 else "normal"
                    panel.text(j, i, _text(rho), ha="center", va="center", fontsize=7.5, color=color, weight=weight)
            labels = [symbol(name) for name in PAPER_ORDER]
            panel.set_xticks(range(len(labels)), labels)
            panel.set_yticks(range(len(labels)), labels)
            panel.set_title(f"hidden layer {layer}")
            panel.spines[:].set_visible(False)
        return figure


def _of(table: pl.DataFrame, a: str, b: str) -> float:
    if a == b:
        return 1.0
    names = pl.col("first"), pl.col("second")
    found = table.filter(((names[0] == a) & (names[1] == b)) | ((names[0] == b) & (names[1] == a)))
    return float(found["pearson"][0])


def _name(axes: Axes, values: np.ndarray, limits: np.ndarray, text: str) -> None:
    axes.hist(values, bins=40, range=tuple(limits), color=style.MUTED, alpha=0.35)
    axes.set_xlim(*limits)
    axes.text(0.5, 0.6, text, transform=axes.transAxes, ha="center", va="center", fontsize=15, color=style.INK)


def _correlation(axes: Axes, rho: float) -> None:
    axes.set_facecolor((*mpl.colormaps[style.DIVERGING]((rho + 1) / 2)[:3], 1.0))
    color = style.contrast(mpl.colormaps[style.DIVERGING]((rho + 1) / 2))
    weight = "bold" if abs(rho) > 0.8 else "normal"
    axes.text(
        0.5,
        0.5,
        rf"$\rho$ = {_text(rho)}",
        transform=axes.transAxes,
        ha="center",
        va="center",
        color=color,
        weight=weight,
    )


def _text(rho: float) -> str:
    """Two decimals, without a negative zero."""
    return f"{round(rho, 2) + 0.0:.2f}".replace("-", "−")
