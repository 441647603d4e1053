"""Measures and types while the networks learn."""

from __future__ import annotations

import numpy as np
import polars as pl
from jaxtyping import Float
from matplotlib.figure import Figure

from synaplex.report import style
from synaplex.studies.scabini.analysis import Results
from synaplex.studies.scabini.figures.palette import GROUP, TYPE
from synaplex.studies.scabini.labels import GROUPS, PAPER_ORDER, symbol, titled
from synaplex.studies.scabini.published import HIGH_SUBGRAPH_CENTRALITY, KEPT, SEPARABLE


def relations(results: Results) -> Figure:
    """The correlation of each epoch's layer averages with the accuracy at the end."""
    layers = results.averages.layers
    table = results.evolution.relations
    with style.context():
        figure, axes = style.subplots(1, len(layers), height=3.5, sharey=True)
        for panel, layer in zip(axes[0], layers, strict=True):
            panel.axhline(0, color=style.MUTED, lw=0.8)
            for index, measure in enumerate(PAPER_ORDER):
                rows = table.filter((pl.col("layer") == layer) & (pl.col("measure") == measure))
                strong = measure in results.selection.related
                panel.plot(
                    rows["epoch"],
                    rows["at_the_end"],
                    color=style.color(index),
                    lw=2 if strong else 1,
                    alpha=1 if strong else 0.5,
                    label=symbol(measure),
                )
            panel.set_title(f"hidden layer {layer}")
            panel.set_xlabel("epoch of the measurement")
        axes[0, 0].set_ylabel("Spearman correlation\nwith the final accuracy")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(PAPER_ORDER))
        return figure


def averages(results: Results) -> Figure:
    """The layer averages of the paper's three measures in the worst, median and best networks, over the epochs."""
    layers = results.averages.layers
    table = results.evolution.averages
    with style.context():
        figure, axes = style.subplots(len(layers), len(KEPT), height=2.4, sharex=True)
        for row, layer in zip(axes, layers, strict=True):
            for panel, measure in zip(row, KEPT, strict=True):
                for group in GROUPS:
                    rows = table.filter(
                        (pl.col("layer") == layer) & (pl.col("measure") == measure) & (pl.col("group") == group)
                    )
                    mean = rows["mean"].to_numpy()
                    error = rows["standard_deviation"].to_numpy() / len(results.groups[group]) ** 0.5
                    panel.plot(rows["epoch"], mean, color=GROUP[group], label=group)
                    panel.fill_between(rows["epoch"], mean - error, mean + error, color=GROUP[group], alpha=0.18, lw=0)
                if layer == layers[0]:
                    panel.set_title(titled(measure))
                if layer == layers[-1]:
                    panel.set_xlabel("epoch")
            row[0].set_ylabel(f"mean over layer {layer}")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(GROUPS))
        return figure


def types(results: Results) -> Figure:
    """When neuron types settle: shares over the epochs, neurons already of their final type, prediction of accuracy."""
    table = results.evolution.types
    shares = results.evolution.shares.filter(pl.col("group") == "all")
    with style.context():
        figure, axes = style.subplots(1, 3, height=3.1, width=9.0)
        for index in range(results.settings.types):
            rows = shares.filter(pl.col("type") == index + 1)
            axes[0, 0].plot(rows["epoch"], 100 * rows["share"], color=TYPE[index % len(TYPE)])
        last = shares.filter(pl.col("epoch") == shares["epoch"].max()).sort("type")
        top = 1.05 * 100 * float(shares["share"].max())  # type: ignore[arg-type]
        for index, place in enumerate(_apart(100 * last["share"].to_numpy(), 0.065 * top)):
            axes[0, 0].text(
                last["epoch"][0] * 1.02, place, rf"$\psi_{index + 1}$", va="center", color=TYPE[index % len(TYPE)]
            )
        axes[0, 0].set_ylim(0, top)
        axes[0, 0].set_title("share of each type")
        axes[0, 0].set_ylabel("hidden neurons (%)")
        settled, agreement = style.PALETTE[0], style.PALETTE[1]
        axes[0, 1].plot(table["epoch"], table["settled"], color=settled, label="neurons of their final type")
        axes[0, 1].plot(table["epoch"], table["agreement"], color=agreement, lw=1.2, label="agreement of vocabularies")
        axes[0, 1].set_ylim(0, 1.03)
        axes[0, 1].legend(loc="lower right")
        axes[0, 1].set_title("when types settle")
        axes[0, 2].axhline(0, color=style.MUTED, lw=0.8)
        axes[0, 2].plot(table["epoch"], table["r2_averages"], color=style.PALETTE[2], label="layer averages")
        axes[0, 2].plot(table["epoch"], table["r2_types"], color=style.PALETTE[3], label="neuron types")
        axes[0, 2].legend()
        axes[0, 2].set_title(r"$R^2$ for the final accuracy")
        for panel in axes[0]:
            panel.set_xlabel("epoch")
        return figure


def groups(results: Results) -> Figure:
    """How well the later groups separate after each epoch, and their neurons of high subgraph centrality."""
    told = results.evolution.separability
    table = results.evolution.types
    with style.context():
        figure, axes = style.subplots(1, 2, height=3.3, width_ratios=(1.3, 1))
        left, right = axes[0]
        left.axhline(50, color=style.MUTED, lw=0.8, ls=":")
        for index, measure in enumerate(PAPER_ORDER):
            rows = told.filter(pl.col("measure") == measure)
            strong = measure in SEPARABLE
            left.plot(
                rows["epoch"],
                100 * rows["rightly"],
                color=style.color(index),
                lw=2 if strong else 1,
                alpha=1 if strong else 0.5,
                label=symbol(measure),
            )
        left.set_ylabel("best and worst networks\ntold rightly (%)")
        handles, labels = left.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(PAPER_ORDER))
        for group in ("worst", "best"):
            right.plot(table["epoch"], 100 * table[f"high_{group}"], color=GROUP[group], label=group)
        right.set_ylabel(f"neurons with $sg$ > {HIGH_SUBGRAPH_CENTRALITY} (%)")
        right.legend()
        for panel in axes[0]:
            panel.set_xlabel("epoch of the measurement")
        return figure


def _apart(values: Float[np.ndarray, " n"], least: float) -> Float[np.ndarray, " n"]:
    """Places for labels near the values, at least so far from each other."""
    order = np.argsort(values, kind="stable")
    places = values[order]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + least)
    result = np.empty_like(places)
    result[order] = places
    return result
