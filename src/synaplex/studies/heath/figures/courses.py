"""Courses over epochs: accuracy, spread of centrality, and both together (figures 4, 5, 6, 7 and 9)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from synaplex.report import style
from synaplex.studies.heath.centralities import VERSIONS
from synaplex.studies.heath.published import EPOCHS, TABLE_4, family, sigma_at
from synaplex.studies.heath.recipe import RELEASED
from synaplex.studies.heath.results import Results
from synaplex.studies.heath.searches import searched

COLORS = {"MLP": 0, "SET": 1, "CenSET": 2, "static": 7}
"""Place in the palette of each method."""


def color(method: str) -> str:
    """The colour of a method."""
    return style.color(COLORS.get(family(method), 3))


def methods(rows: pl.DataFrame) -> list[str]:
    """Methods in the order of their appearance."""
    return rows["method"].unique(maintain_order=True).to_list()


def mean_course(rows: pl.DataFrame, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Epochs, and the mean of a column over the networks that have come so far."""
    known = rows.filter(pl.col(column).is_not_null())
    table = known.group_by("epoch").agg(pl.col(column).mean()).sort("epoch")
    return table["epoch"].to_numpy(), table[column].to_numpy()


def final(results: Results, recipes: Sequence[str]) -> Figure:
    """A panel a recipe: test accuracy over epochs."""
    with style.context():
        figure, axes = style.subplots(1, len(recipes), height=3.2, sharey=True)
        for panel, recipe in zip(axes[0], recipes, strict=True):
            own = results.final(recipe)
            for method in methods(own):
                some = own.filter(pl.col("method") == method)
                for (_seed,), rows in some.group_by("seed"):
                    course = rows.sort("epoch")
                    panel.plot(course["epoch"], 100 * course["test_accuracy"], color=color(method), lw=0.6, alpha=0.35)
                at, accuracy = mean_course(some, "test_accuracy")
                panel.plot(at, 100 * accuracy, color=color(method), label=method)
                if recipe == RELEASED.name and (said := TABLE_4.get(results.dataset, {}).get(family(method))):
                    last = results.settings.epochs["final"]
                    panel.plot([last * 1.02], [said[0]], "x", color=color(method), ms=6)
            panel.set_title(recipe)
            panel.set_xlabel("epoch")
        axes[0, 0].set_ylabel("test accuracy, %")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=4)
        return figure


def sigma(results: Results) -> Figure:
    """A panel a version: standard deviation of centrality over epochs, with the printed values in the third."""
    own = results.final(RELEASED.name)
    with style.context():
        figure, axes = style.subplots(1, len(VERSIONS), height=2.9)
        for panel, name in zip(axes[0], VERSIONS, strict=True):
            for method in methods(own):
                panel.plot(
                    *mean_course(own.filter(pl.col("method") == method), f"{name}_sigma"),
                    color=color(method), label=method,
                )  # fmt: skip
                if name == "released":
                    _printed(panel, results, method)
            panel.set_title(name)
            panel.set_xlabel("epoch")
        axes[0, 0].set_ylabel("sigma of Laplacian centrality")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=4)
        return figure


def _printed(panel: Axes, results: Results, method: str) -> None:
    last = results.settings.epochs["final"]
    said = [(epoch + 1, sigma_at(results.dataset, method, epoch)) for epoch in EPOCHS.get(results.dataset, ())]
    known = [(epoch, value) for epoch, value in said if value is not None and epoch <= last]
    if known and method != "static":
        panel.plot(*zip(*known, strict=True), "x", color=color(method), ms=4)


def with_accuracy(results: Results) -> Figure:
    """A panel a method: accuracy and mean centrality over epochs, each on its own axis."""
    own = results.final(RELEASED.name)
    names = methods(own)
    with style.context():
        figure, axes = style.subplots(1, len(names), height=2.5)
        for panel, method in zip(axes[0], names, strict=True):
            some = own.filter(pl.col("method") == method)
            at, accuracy = mean_course(some, "test_accuracy")
            panel.plot(at, 100 * accuracy, color=color(method))
            panel.set_title(method)
            panel.set_xlabel("epoch")
            other = panel.twinx()
            other.plot(*mean_course(some, "variant_mean"), color=color(method), ls="--", lw=1.2)
            other.grid(False)
        axes[0, 0].set_ylabel("test accuracy, %")
        return figure


def thresholds(results: Results, table: pl.DataFrame) -> Figure:
    """A row a search: courses by threshold, and the end beside the printed values."""
    searches = table["search"].unique(maintain_order=True).to_list()
    with style.context():
        figure, axes = style.subplots(len(searches), 2, height=2.9, width_ratios=[3, 2])
        for (left, right), search in zip(axes, searches, strict=True):
            own = searched(results, search)
            rows = table.filter(pl.col("search") == search)
            shades = np.linspace(0.05, 0.95, max(2, len(rows)))
            import matplotlib as mpl

            for shade, k in zip(shades, rows["k"], strict=False):
                some = own.filter(pl.col("method") == f"CenSET {k:g}")
                at, accuracy = mean_course(some, "test_accuracy")
                left.plot(at, 100 * accuracy, color=mpl.colormaps[style.SEQUENTIAL](shade), lw=1.1, label=f"{k:g}")
            static = results.final(RELEASED.name).filter(
                (pl.col("method") == "static") & (pl.col("epoch") <= results.settings.epochs[search])
            )
            at, accuracy = mean_course(static, "test_accuracy")
            left.plot(100 * accuracy if not len(at) else at, 100 * accuracy, color=style.MUTED, lw=1, label="static")
            left.set_title(f"{search} search")
            left.set_xlabel("epoch")
            left.set_ylabel("test accuracy, %")
            left.legend(ncols=3, fontsize=7, loc="lower right")
            right.errorbar(rows["k"], rows["accuracy"], yerr=rows["deviation"].fill_null(0.0), fmt="o-", ms=3.5, lw=1)
            if rows["published"].null_count() < len(rows):
                right.plot(rows["k"], rows["published"], "x", color=style.color(1), label="printed")
                right.legend()
            right.set_xlabel("k")
        return figure
