"""Figures 2, 3, 6 and 7 of the paper for all benchmarks, and table 2 as a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from synaplex.datasets import Dataset
from synaplex.report import style
from synaplex.studies.scabini.benchmarks.benchmark import TITLES, Benchmark
from synaplex.studies.scabini.benchmarks.divergence import HALF, UNTRAINED
from synaplex.studies.scabini.figures.palette import GROUP
from synaplex.studies.scabini.labels import GROUPS, titled
from synaplex.studies.scabini.published import KEPT, TYPES, table_1

_EXAMPLES = 20


def samples(datasets: Mapping[str, Dataset]) -> Figure:
    """Figure 2: two test images of each class of each dataset whose features make a square."""
    with style.context():
        figure, axes = style.subplots(len(datasets), _EXAMPLES, height=0.52, width=9.5)
        for row, (title, dataset) in zip(axes, datasets.items(), strict=True):
            side = round(dataset.features**0.5)
            picked = [
                index
                for label in range(len(dataset.classes))
                for index in (dataset.y_test == label).nonzero()[:2, 0].tolist()
            ]
            for panel in row:
                panel.set_axis_off()
            if side * side == dataset.features:
                for panel, index in zip(row, picked, strict=False):
                    panel.imshow(dataset.x_test[index].view(side, side).numpy(), cmap="gray", vmin=0, vmax=1)
            row[0].text(-0.25, 0.5, title, transform=row[0].transAxes, ha="right", va="center")
        return figure


def accuracies(benchmarks: Sequence[Benchmark]) -> Figure:
    """Figure 3: the distribution of test accuracy on each benchmark."""
    with style.context():
        figure, axes = style.subplots(1, len(benchmarks), height=2.6, width=9.5)
        for panel, one in zip(axes[0], benchmarks, strict=True):
            panel.hist(100 * one.accuracy, bins=20, color=style.PALETTE[0], alpha=0.75)
            panel.set_title(one.title)
            panel.set_xlabel("test accuracy (%)")
            panel.grid(axis="x", visible=False)
        axes[0, 0].set_ylabel("networks")
        return figure


def elbows(benchmarks: Sequence[Benchmark]) -> Figure:
    """Figure 6: inertia a neuron over the number of types, in each layer and in both, with the elbows."""
    with style.context():
        figure, axes = style.subplots(1, len(benchmarks), height=3.0, width=9.5, sharey=True)
        for panel, one in zip(axes[0], benchmarks, strict=True):
            table = one.tables["elbow"].filter(pl.col("rows").str.contains("layer"))
            for index, (rows,) in enumerate(table.select("rows").unique(maintain_order=True).iter_rows()):
                curve = table.filter(pl.col("rows") == rows)
                inertia = curve["inertia"].to_numpy() / curve["inertia"][0]
                at = curve["picked"].arg_true()[0]
                label = f"{rows}: {curve['n_types'][at]}"
                panel.plot(curve["n_types"], inertia, color=style.color(index), label=label)
                panel.plot(curve["n_types"][at], inertia[at], "o", color=style.color(index), ms=6)
            panel.axvline(TYPES, color=style.MUTED, lw=0.8, ls=":")
            panel.set_title(one.title)
            panel.set_xlabel("number of types")
            panel.set_xticks(range(2, 19, 4))
            panel.legend(title="elbow", alignment="left")
        axes[0, 0].set_ylabel("inertia, of two types 1")
        return figure


def occurrences(benchmarks: Sequence[Benchmark]) -> Figure:
    """Figure 7: the share of each type in the worst, median and best networks of each benchmark."""
    with style.context():
        figure, axes = style.subplots(1, len(benchmarks), height=3.0, width=9.5, sharey=True)
        width = 0.27
        for panel, one in zip(axes[0], benchmarks, strict=True):
            for index, group in enumerate(GROUPS):
                rows = one.tables["occurrence"].filter(pl.col("group") == group)
                places = rows["type"].to_numpy() + (index - 1) * width
                mean, low, high = (100 * rows[name].to_numpy() for name in ("mean_share", "low", "high"))
                panel.bar(
                    places, mean, width * 0.92, color=GROUP[group], alpha=0.85, label=f"{group} {rows['networks'][0]}"
                )
                panel.errorbar(places, mean, [mean - low, high - mean], fmt="none", ecolor=style.INK, elinewidth=0.9)
            panel.set_title(one.title)
            panel.set_xticks(range(1, TYPES + 1), [rf"$\psi_{t}$" for t in range(1, TYPES + 1)])
            panel.grid(axis="x", visible=False)
        axes[0, 0].set_ylabel("share of hidden neurons (%)")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3)
        return figure


def centroids(benchmarks: Sequence[Benchmark]) -> Figure:
    """Table 1: our centroids (solid) and the published ones (dotted), a colour a benchmark."""
    theirs = table_1()
    with style.context():
        figure, axes = style.subplots(1, len(KEPT), height=3.2, width=9.5)
        for panel, measure in zip(axes[0], KEPT, strict=True):
            for index, one in enumerate(benchmarks):
                color = style.color(index)
                panel.plot(
                    one.tables["types"]["type"], one.tables["types"][measure], "o-", color=color, label=one.title
                )
                there = theirs.filter(pl.col("benchmark") == one.paper)
                panel.plot(there["type"], there[measure], "s:", color=color, lw=1.2, ms=4, alpha=0.8)
            panel.set_title(titled(measure))
            panel.set_xticks(range(1, TYPES + 1), [rf"$\psi_{t}$" for t in range(1, TYPES + 1)])
        axes[0, 0].set_ylabel("share of the largest value")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="outside upper center", ncols=len(handles), title="here solid, published dotted"
        )
        return figure


def divergence(table: pl.DataFrame, benchmarks: Sequence[Benchmark]) -> Figure:
    """Table 2 beside the paper's, in base 2 on the targets' own scale: the divergence, and its square root."""
    targets = [one.paper for one in benchmarks]
    rows = [*targets, HALF, UNTRAINED]
    chosen = table.filter((pl.col("base") == "2") & (pl.col("scale") == "target"))
    panels = (
        ("here, divergence", "mean", chosen.filter(~pl.col("root"))),
        ("here, square root", "mean", chosen.filter(pl.col("root"))),
        ("published", "published_mean", chosen.filter(~pl.col("root"))),
    )
    with style.context():
        figure, axes = style.subplots(1, 3, height=3.0, width=9.5, sharey=True)
        for panel, (title, column, part) in zip(axes[0], panels, strict=True):
            known = {(row["vocabulary"], row["target"]): row[column] for row in part.iter_rows(named=True)}
            values = np.array([[known.get((row, target)) for target in targets] for row in rows], dtype=np.float64)
            panel.imshow(values, cmap="Blues", vmin=0, vmax=0.6, aspect="auto")
            for (y, x), value in np.ndenumerate(values):
                if np.isfinite(value):
                    panel.text(x, y, f"{value:.2f}", ha="center", va="center", color="w" if value > 0.35 else style.INK)
            panel.set_title(title)
            panel.grid(visible=False)
            panel.set_xticks(range(len(targets)), [TITLES.get(name, name) for name in targets], fontsize=8)
            panel.set_yticks(range(len(rows)), [TITLES.get(name, name) for name in rows])
            panel.set_xlabel("networks")
        axes[0, 0].set_ylabel("vocabulary")
        return figure
