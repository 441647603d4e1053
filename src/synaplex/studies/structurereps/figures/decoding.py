"""What is decoded from trajectories, from networks that were held out, and without each part of the encoder."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from synaplex.report import style
from synaplex.studies.structurereps.figures.palette import SHOWN, color, short
from synaplex.studies.structurereps.published import PUBLISHED
from synaplex.studies.structurereps.recipe import TARGETS
from synaplex.studies.structurereps.results import Results
from synaplex.studies.structurereps.splits import EPOCHS, HALF, UNSEEN

_MARKS = ("o", "s", "^")


def curves(results: Results) -> Figure:
    """A panel a task: performance on the training set and on the test set over the epochs, a line a network."""
    with style.context():
        figure, axes = style.subplots(1, len(results.tasks), height=2.2)
        for panel, task in zip(axes[0], results.tasks, strict=True):
            for number, target in enumerate(TARGETS):
                for row in results.curves[task.name, target]:
                    panel.plot(np.arange(len(row)), row, color=style.color(number), lw=0.8, alpha=0.8)
                panel.plot([], [], color=style.color(number), label=target)
            panel.set_title(task.title, fontsize=8.5)
            panel.set_xlabel("epoch")
            low = min(float(np.quantile(results.curves[task.name, target], 0.02)) for target in TARGETS)
            panel.set_ylim(max(low - 0.05, -0.6), 1.03)
        axes[0, 0].set_ylabel("accuracy, or R2")
        axes[0, 0].legend(loc="lower right")
        return figure


def tables(results: Results) -> Figure:
    """Tables 1 and 2: a column a task, a dot a seed, a bar where the paper's mean lies; below, the second half."""
    with style.context():
        rows = [(split, target) for target in TARGETS for split in (EPOCHS, HALF)]
        figure, axes = style.subplots(len(rows), len(results.tasks), height=1.75, sharex=True, sharey=True)
        own = results.fits.filter(pl.col("decoder") == "linear")
        for line, (split, target) in zip(axes, rows, strict=True):
            for panel, task in zip(line, results.tasks, strict=True):
                some = own.filter(
                    (pl.col("split") == split) & (pl.col("target") == target) & (pl.col("task") == task.name)
                )
                for place, name in enumerate(SHOWN):
                    values = some.filter(pl.col("method") == name)["pearson"].drop_nulls().to_numpy()
                    panel.plot(np.full(len(values), place), values, ".", color=color(name), ms=5)
                    said = PUBLISHED[target].get((name, task.name)) if split == EPOCHS else None
                    if said is not None:
                        panel.plot([place - 0.4, place + 0.4], [said[0]] * 2, color=style.MUTED, lw=2.2)
                panel.axhline(0, color=style.MUTED, lw=0.6)
                panel.set_ylim(-0.75, 1.05)
                panel.set_xticks(range(len(SHOWN)), [short(name) for name in SHOWN], rotation=90, fontsize=7)
            where = "all epochs" if split == EPOCHS else "second half"
            line[0].set_ylabel(f"{target}, {where}\nPearson", fontsize=8)
        for panel, task in zip(axes[0], results.tasks, strict=True):
            panel.set_title(task.title, fontsize=9)
        return figure


def networks(results: Results) -> Figure:
    """Kendall's tau on networks that were held out, with 95% intervals: a panel a task, a mark by what was unseen."""
    with style.context():
        figure, axes = style.subplots(len(TARGETS), len(results.tasks), height=2.2, sharex=True, sharey=True)
        for line, target in zip(axes, TARGETS, strict=True):
            for panel, task in zip(line, results.tasks, strict=True):
                for number, unseen in enumerate(UNSEEN):
                    for place, name in enumerate(SHOWN):
                        own = results.networks.filter(
                            (pl.col("task") == task.name)
                            & (pl.col("unseen") == unseen)
                            & (pl.col("method") == name)
                            & (pl.col("target") == target)
                        )
                        for row in own.drop_nulls("kendall").iter_rows(named=True):
                            _interval(panel, place + (number - 1) * 0.25, row, "kendall", _MARKS[number], color(name))
                panel.axhline(0, color=style.MUTED, lw=0.6)
                panel.set_xticks(range(len(SHOWN)), [short(name) for name in SHOWN], rotation=90, fontsize=7)
            line[0].set_ylabel(f"{target} performance\nKendall's tau", fontsize=8)
        for panel, task in zip(axes[0], results.tasks, strict=True):
            panel.set_title(task.title, fontsize=9)
        for mark, unseen in zip(_MARKS, UNSEEN, strict=True):
            axes[0, 0].plot([], [], mark, color=style.MUTED, ms=4, label=f"unseen {unseen}")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=3)
        return figure


def ablation(table: pl.DataFrame) -> Figure:
    """Kendall's tau without each part of the encoder, with 95% intervals: a panel a task and target."""
    tasks = table["task"].unique(maintain_order=True).to_list()
    names = table["method"].unique(maintain_order=True).to_list()
    with style.context():
        figure, axes = style.subplots(1, len(tasks) * len(TARGETS), height=0.24 * len(names) + 0.8, sharey=True)
        panels = [(task, target) for task in tasks for target in TARGETS]
        for panel, (task, target) in zip(axes[0], panels, strict=True):
            own = table.filter((pl.col("task") == task) & (pl.col("target") == target))
            rows = {row["method"]: row for row in own.iter_rows(named=True)}
            whole = rows["everything"]["kendall"]
            if whole is not None:
                panel.axvline(whole, color=style.color(0), lw=1)
            for place, name in enumerate(names):
                row = rows[name]
                if row["kendall"] is not None:
                    shade = style.color(0) if name == "everything" else style.INK
                    panel.plot([row["kendall_low"], row["kendall_high"]], [place] * 2, color=shade, lw=1)
                    panel.plot([row["kendall"]], [place], "o", color=shade, ms=4)
            panel.set_yticks(range(len(names)), names, fontsize=8)
            panel.set_title(f"{task}, {target}", fontsize=9)
            panel.set_xlabel("Kendall's tau")
        axes[0, 0].invert_yaxis()
        return figure


def _interval(panel: Axes, at: float, row: dict[str, Any], key: str, mark: str, shade: str) -> None:
    panel.plot([at, at], [row[f"{key}_low"], row[f"{key}_high"]], color=shade, lw=1)
    panel.plot([at], [row[key]], mark, color=shade, ms=3.2)
