"""Neuron types: the elbow (fig. 6), the centroids (table 1), their occurrence (fig. 7)."""

from __future__ import annotations

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synaplex.report import style
from synaplex.studies.scabini.analysis import Results
from synaplex.studies.scabini.figures.palette import GROUP, NULL, NULL_NAMES
from synaplex.studies.scabini.labels import GROUPS, titled
from synaplex.studies.scabini.published import KEPT

_CONTROLS = {"untrained": (style.MUTED, ":"), "shuffled": (NULL["shuffled"], "--"), "flipped": (NULL["flipped"], "-.")}


def elbow(results: Results) -> Figure:
    """Figure 6: the inertia over the number of types, scaled to its range, and how far it lies below its chord."""
    table = results.tables["elbow"]
    with style.context():
        figure, axes = style.subplots(1, 2, height=3.4)
        for index, (name,) in enumerate(table.select("rows").unique(maintain_order=True).iter_rows()):
            curve = table.filter(pl.col("rows") == name)
            color, line = _CONTROLS.get(name, (style.color(index), "-"))
            inertia = curve["inertia"].to_numpy()
            scaled = (inertia - inertia[-1]) / (inertia[0] - inertia[-1])
            picked = curve.filter(pl.col("picked")).row(0, named=True)
            at = picked["n_types"] - curve["n_types"][0]
            controls = {**NULL_NAMES, "untrained": "untrained"}
            label = f"{controls.get(name, name)}: {picked['n_types']}"
            for panel, values in zip(axes[0], (scaled, curve["gap"].to_numpy()), strict=True):
                width = 1.2 if name in _CONTROLS else 1.8
                panel.plot(curve["n_types"], values, line, color=color, lw=width, label=label)
                panel.plot(picked["n_types"], values[at], "o", color=color, ms=6)
        for panel in axes[0]:
            panel.axvline(results.settings.types, color=style.MUTED, lw=0.8, ls=":")
            panel.set_xlabel("number of types")
            panel.set_xticks(range(2, 19, 2))
        axes[0, 0].set_ylabel("inertia, scaled to its range")
        axes[0, 1].set_ylabel("below the chord")
        axes[0, 0].legend(title="neurons: types at the elbow", alignment="left")
        return figure


def centroids(results: Results) -> Figure:
    """Table 1 as a figure: the centroids found here and those of the four published benchmarks."""
    beside = results.tables["types_beside_published"]
    benchmarks = [name for name in beside.columns if name not in ("measure", "type", "here")]
    with style.context():
        figure, axes = style.subplots(1, len(KEPT), height=3.3)
        for panel, measure in zip(axes[0], KEPT, strict=True):
            rows = beside.filter(pl.col("measure") == measure)
            for index, benchmark in enumerate(benchmarks):
                panel.plot(
                    rows["type"], rows[benchmark], "-", color=style.color(index + 3), lw=1, alpha=0.9, marker=".", ms=5
                )
            panel.plot(rows["type"], rows["here"], "o-", color=style.INK, lw=2, ms=6)
            panel.set_title(titled(measure))
            panel.set_xticks(rows["type"].to_list(), [rf"$\psi_{t}$" for t in rows["type"]])
            panel.set_xlabel("neuron type")
        axes[0, 0].set_ylabel("share of the largest value")
        handles = [Line2D([], [], color=style.INK, marker="o", lw=2, label=f"{results.spec.dataset}, here")]
        handles += [
            Line2D([], [], color=style.color(index + 3), marker=".", lw=1, label=f"{name}, published")
            for index, name in enumerate(benchmarks)
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
        return figure


def occurrence(results: Results) -> Figure:
    """Figure 7: how often each type occurs in each group of networks, and the difference beside its null models."""
    with style.context():
        figure, axes = style.subplots(1, 2, height=3.5, width_ratios=(1.25, 1))
        _shares(axes[0, 0], results)
        _differences(axes[0, 1], results)
        return figure


def _shares(axes: Axes, results: Results) -> None:
    table = results.tables["occurrence"]
    width = 0.27
    for index, group in enumerate(GROUPS):
        rows = table.filter(pl.col("group") == group)
        places = rows["type"].to_numpy() + (index - 1) * width
        mean = 100 * rows["mean_share"].to_numpy()
        label = f"{group} {rows['networks'][0]}"
        axes.bar(places, mean, width * 0.92, color=GROUP[group], alpha=0.85, label=label)
        low, high = 100 * rows["low"].to_numpy(), 100 * rows["high"].to_numpy()
        axes.errorbar(places, mean, [mean - low, high - mean], fmt="none", ecolor=style.INK, elinewidth=1)
    _type_axis(axes, results)
    axes.set_ylabel("share of hidden neurons (%)")
    axes.legend(title="networks", alignment="left")
    axes.grid(axis="x", visible=False)


def _differences(axes: Axes, results: Results) -> None:
    table = results.tables["occurrence_difference"]
    nulls = results.tables["nulls"].filter(pl.col("quantity") == "share difference")
    axes.axhline(0, color=style.MUTED, lw=0.8)
    places = table["type"].to_numpy()
    value, low, high = (100 * table[name].to_numpy() for name in ("difference", "low", "high"))
    label = "trained, 95% interval"
    axes.errorbar(
        places - 0.2, value, [value - low, high - value], fmt="o", color=style.INK, ms=5, elinewidth=1.5, label=label
    )
    for shift, marker, null in ((0.03, "D", "shuffled"), (0.24, "s", "flipped")):
        rows = nulls.filter(pl.col("null") == null)
        axes.errorbar(
            places + shift,
            100 * rows["null_mean"].to_numpy(),
            200 * rows["null_deviation"].to_numpy(),
            fmt=marker,
            color=NULL[null],
            ms=4,
            elinewidth=3,
            alpha=0.85,
            label=NULL_NAMES[null],
        )
    _type_axis(axes, results)
    axes.set_ylabel("best minus worst networks\n(percentage points)")
    axes.grid(axis="x", visible=False)
    low_limit, high_limit = axes.get_ylim()
    axes.set_ylim(low_limit, high_limit + 0.42 * (high_limit - low_limit))
    axes.legend(loc="upper left")


def _type_axis(axes: Axes, results: Results) -> None:
    types = range(1, results.settings.types + 1)
    axes.set_xticks(list(types), [rf"$\psi_{t}$" for t in types])
    axes.set_xlabel("neuron type, from inhibitory to excitatory")
