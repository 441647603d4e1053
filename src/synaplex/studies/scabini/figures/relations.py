"""Structure beside accuracy: the planes of layer averages (fig. 4), the correlations, each with its null models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synaplex.report import style
from synaplex.studies.scabini.analysis import STATNN, Results
from synaplex.studies.scabini.figures.palette import GROUP, NULL, NULL_NAMES
from synaplex.studies.scabini.labels import MEASURES, PAPER_ORDER, symbol, titled

if TYPE_CHECKING:
    import plotly.graph_objects as go

_INSIDE = (0.04, 0.96)
"""Quantiles of the layer averages of the groups shown beyond which a panel does not reach much."""


def layer_averages(results: Results) -> Figure:
    """Figure 4: each network as a point in the plane of a measure's averages over two hidden layers."""
    with style.context(axes__titlesize=9, axes__labelsize=8.5):
        figure, axes = style.subplots(2, 4, height=2.35, width=9.0)
        table = results.tables["separability"]
        for panel, measure in zip(axes.flat, PAPER_ORDER, strict=True):
            found = table.row(by_predicate=pl.col("features") == measure, named=True)
            _plane(panel, results, measure)
            panel.set_title(f"{symbol(measure)}  {MEASURES[measure].short}")
            low, high = 100 * found["low"], 100 * found["high"]
            panel.text(
                0.02,
                0.98,
                f"{100 * found['accuracy']:.0f}% [{low:.0f}, {high:.0f}]",
                transform=panel.transAxes,
                va="top",
                fontsize=8,
                color=style.INK,
                bbox={"facecolor": style.PAPER, "alpha": 0.75, "lw": 0, "pad": 1.5},
            )
        for panel in axes[-1]:
            panel.set_xlabel(f"mean over layer {results.averages.layers[0]}")
        for panel in axes[:, 0]:
            panel.set_ylabel(f"mean over layer {results.averages.layers[-1]}")
        handles = [
            Line2D(
                [], [], color=GROUP[name], marker="o", ls="", label=f"the {len(results.groups[name])} {name} networks"
            )
            for name in ("worst", "best")
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=2)
        return figure


def _plane(axes: Axes, results: Results, measure: str) -> None:
    x, y = _coordinates(results, measure)
    shown = np.concatenate([results.groups["worst"], results.groups["best"]])
    (left, right), (bottom, top) = (_frame(values[shown]) for values in (x, y))
    for group in ("worst", "best"):
        members = results.groups[group]
        axes.scatter(x[members], y[members], s=16, color=GROUP[group], alpha=0.75, lw=0)
    axes.set(xlim=(left, right), ylim=(bottom, top))
    axes.locator_params(nbins=4)
    axes.ticklabel_format(scilimits=(-3, 4), useMathText=True)
    outside = (x[shown] < left) | (x[shown] > right) | (y[shown] < bottom) | (y[shown] > top)
    if outside.any():
        axes.text(
            0.98,
            0.02,
            f"{int(outside.sum())} outside",
            transform=axes.transAxes,
            ha="right",
            fontsize=7.5,
            color=style.MUTED,
        )


def _coordinates(
    results: Results, measure: str
) -> tuple[Float[np.ndarray, " networks"], Float[np.ndarray, " networks"]]:
    columns = results.averages.of([measure]).complete.T
    return columns[0], columns[-1]


def _frame(values: Float[np.ndarray, " networks"]) -> tuple[float, float]:
    """Limits that leave single far outliers outside."""
    low, high = np.quantile(values, _INSIDE)
    margin = 0.25 * (high - low) or 1.0
    return float(max(low - margin, values.min() - margin / 4)), float(min(high + margin, values.max() + margin / 4))


def layer_averages_interactive(results: Results) -> go.Figure:
    """The same planes for all networks, one measure at a time, with each network's numbers under the pointer."""
    import plotly.graph_objects as go

    figure = go.Figure()
    group = np.full(len(results.seeds), "between", dtype=object)
    for name, members in results.groups.items():
        group[members] = name
    texts = [
        f"seed {seed} ({name})<br>accuracy {accuracy:.1%}"
        for seed, name, accuracy in zip(results.seeds, group, results.accuracy, strict=True)
    ]
    buttons: list[dict[str, Any]] = []
    first, last = results.averages.layers[0], results.averages.layers[-1]
    hover = f"%{{text}}<br>layer {first}: %{{x:.4g}}<br>layer {last}: %{{y:.4g}}<extra></extra>"
    for index, measure in enumerate(PAPER_ORDER):
        x, y = _coordinates(results, measure)
        figure.add_trace(
            go.Scattergl(
                x=np.round(x, 6),
                y=np.round(y, 6),
                mode="markers",
                visible=index == 0,
                name=measure,
                text=texts,
                hovertemplate=hover,
                marker={
                    "size": 8,
                    "color": np.round(100 * results.accuracy, 2),
                    "colorscale": "Viridis",
                    "colorbar": {"title": {"text": "accuracy (%)"}},
                    "line": {"width": 0},
                },
            )
        )
        (left, right), (bottom, top) = (_frame(values) for values in (x, y))
        buttons.append(
            {
                "label": f"{MEASURES[measure].plain}: {MEASURES[measure].title}",
                "method": "update",
                "args": [
                    {"visible": [other == index for other in range(len(PAPER_ORDER))]},
                    {"xaxis.range": [left, right], "yaxis.range": [bottom, top]},
                ],
            }
        )
    figure.update_layout(
        updatemenus=[{"buttons": buttons, "x": 0, "xanchor": "left", "y": 1.16, "yanchor": "top"}],
        xaxis={"title": {"text": f"mean over layer {first}"}, "range": buttons[0]["args"][1]["xaxis.range"]},
        yaxis={"title": {"text": f"mean over layer {last}"}, "range": buttons[0]["args"][1]["yaxis.range"]},
        height=520,
        showlegend=False,
    )
    return figure


def correlations(results: Results) -> Figure:
    """Spearman's correlation of each layer average with accuracy, with its interval, beside the null models."""
    layers = results.averages.layers
    with style.context():
        figure, axes = style.subplots(1, len(layers), height=4.3, sharey=True)
        for panel, layer in zip(axes[0], layers, strict=True):
            _correlations_of(panel, results, layer)
            panel.set_title(f"hidden layer {layer}")
            panel.set_xlabel("Spearman correlation of the layer average\nwith test accuracy")
        axes[0, 0].set_yticks(range(len(PAPER_ORDER)), [titled(measure) for measure in PAPER_ORDER])
        axes[0, 0].invert_yaxis()
        _legend(figure)
        return figure


def _correlations_of(axes: Axes, results: Results, layer: int) -> None:
    table = results.tables["relations"].filter(pl.col("layer") == layer)
    nulls = results.tables["nulls"].filter((pl.col("quantity") == "spearman") & (pl.col("layer") == layer))
    axes.axvline(0, color=style.MUTED, lw=0.8)
    for place, measure in enumerate(PAPER_ORDER):
        row = table.row(by_predicate=pl.col("measure") == measure, named=True)
        axes.plot([row["spearman_low"], row["spearman_high"]], [place - 0.22] * 2, color=style.INK, lw=1.5)
        axes.plot(row["spearman"], place - 0.22, "o", color=style.INK, ms=5)
        for shift, marker, null in ((0.05, "D", "shuffled"), (0.3, "s", "flipped")):
            drawn = nulls.row(by_predicate=(pl.col("subject") == measure) & (pl.col("null") == null), named=True)
            mean, spread = drawn["null_mean"], 2 * drawn["null_deviation"]
            axes.plot([mean - spread, mean + spread], [place + shift] * 2, color=NULL[null], lw=3, alpha=0.8)
            axes.plot(mean, place + shift, marker, color=NULL[null], ms=4)
    axes.grid(axis="y", visible=False)


def separability(results: Results) -> Figure:
    """How well each measure tells the best from the worst networks, beside weight statistics and null models."""
    names = [*PAPER_ORDER, STATNN]
    table = results.tables["separability"]
    nulls = results.tables["nulls"].filter(pl.col("quantity") == "separability")
    with style.context():
        figure, axes = style.subplots(1, 1, height=3.3)
        panel = axes[0, 0]
        panel.axhline(50, color=style.MUTED, lw=0.8, ls=":")
        panel.text(len(names) - 0.55, 51, "chance", fontsize=8, color=style.MUTED, ha="right")
        for place, name in enumerate(names):
            row = table.row(by_predicate=pl.col("features") == name, named=True)
            color = style.INK if name != STATNN else style.PALETTE[0]
            panel.plot([place] * 2, [100 * row["low"], 100 * row["high"]], color=color, lw=1.5)
            panel.plot(place, 100 * row["accuracy"], "o", color=color, ms=6)
            for shift, marker, null in ((0.18, "D", "shuffled"), (0.34, "s", "flipped")):
                drawn = nulls.filter((pl.col("subject") == name) & (pl.col("null") == null)).rows(named=True)
                for one in drawn:
                    mean, spread = 100 * one["null_mean"], 200 * one["null_deviation"]
                    panel.plot([place + shift] * 2, [mean - spread, mean + spread], color=NULL[null], lw=3, alpha=0.8)
                    panel.plot(place + shift, mean, marker, color=NULL[null], ms=4)
        panel.set_xticks(range(len(names)), [*(symbol(name) for name in PAPER_ORDER), "weight\nstatistics"])
        panel.set_ylabel("best and worst networks\ntold apart (%)")
        _legend(figure)
        panel.grid(axis="x", visible=False)
        return figure


def _legend(figure: Figure) -> None:
    handles = [Line2D([], [], color=style.INK, marker="o", label="trained networks, 95% interval")]
    handles += [
        Line2D([], [], color=NULL[null], marker=marker, lw=3, alpha=0.8, label=f"{NULL_NAMES[null]}, ± 2 deviations")
        for null, marker in (("shuffled", "D"), ("flipped", "s"))
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, fontsize=8)
