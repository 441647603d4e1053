"""A page on the comparison of two models."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from synaplex import __version__
from synaplex.report import style
from synaplex.report.cells import number
from synaplex.report.comparison import Comparison
from synaplex.report.model_figures import MOST_PANELS, hide_rest, shorten, strip
from synaplex.report.page import MOST_ROWS, Page

_MOST_POINTS = 2_000


def comparison_page(comparison: Comparison, title: str, facts: Mapping[str, str]) -> Page:
    """The page that `Comparison.report` writes."""
    known = {
        "links compared": f"{len(comparison.links):,}",
        "neurons compared": f"{len(comparison.neurons):,}",
        "version": f"Synaplex {__version__}",
    }
    page = Page(title, _lead(comparison), {**facts, **known})
    _links(page, comparison)
    _neurons(page, comparison)
    _measures(page, comparison)
    if comparison.unmatched:
        page.section(
            "Not compared",
            "Links that have no counterpart.\n\n" + "\n".join(f"- {each}" for each in comparison.unmatched),
        )
    return page


def _lead(comparison: Comparison) -> str:
    moved = comparison.links.filter(pl.col("relative_distance").is_not_null()).sort(
        "relative_distance", descending=True
    )
    if not len(moved) or moved["relative_distance"][0] == 0:
        return "Model b beside model a: **no weight differs.**"
    most, least = moved.row(0, named=True), moved.row(-1, named=True)
    farthest = _share(most["relative_distance"])
    text = f"Model b beside model a: the link **{most['link']}** moved most, by {farthest} of its norm"
    if len(moved) > 1:
        text += f", **{least['link']}** least, by {_share(least['relative_distance'])}"
    return f"{text}."


def _links(page: Page, comparison: Comparison) -> None:
    page.section(
        "Layers that moved",
        "How far the weights of each link lie apart: the Frobenius norm of the difference relative to that of a, "
        "and the cosine between the two (1: the same direction, 0: unrelated).",
    )
    links = len(comparison.links)
    few = f" The first {MOST_PANELS} of {links} links." if links > MOST_PANELS else ""
    page.figure(
        _links_figure(comparison.links),
        f"**Each link.** Left: relative distance; right: one minus the cosine, whatever the scale.{few}",
        "links",
    )
    far = ["link", "norm_a", "norm_b", "distance", "relative_distance", "cosine"]
    page.table(comparison.links.select(far), "**How far the weights of each link moved.**")
    edges = ["link", "edges_a", "edges_b", "gained", "lost", "changed", "sign_flips"]
    note = "Gained and lost are edges of b or of a alone; changed is the share of all edges whose weight differs, "
    note += "sign flips the share of common edges."
    page.table(comparison.links.select(edges), "**Edges of each link.**", note=note)


def _neurons(page: Page, comparison: Comparison) -> None:
    page.section(
        "Neurons that moved",
        "The same for the incoming weights of each neuron. Neurons are matched by their place in the layer, so "
        "models trained from different seeds look unrelated even where they compute the same.",
    )
    page.figure(
        _neurons_figure(comparison.neurons),
        "**Relative distance of the incoming weights, and of the outgoing ones, of each neuron.** Points are "
        "neurons, at most 150 evenly spaced ones of a layer; the bar spans the middle half, with the median in it.",
        "neurons",
    )
    page.table(comparison.moved(50), "**The neurons that moved most**, by their incoming weights.")
    columns = [name for name in comparison.neurons.columns if not name.endswith(("_a", "_b"))]
    kept = comparison.neurons.select(columns)
    more = "" if len(kept) <= MOST_ROWS else " The whole table: `synaplex compare A B --out neurons.parquet`."
    page.table(kept, f"**All neurons.**{more}")


def _measures(page: Page, comparison: Comparison) -> None:
    page.section(
        "Measures that moved",
        "Whether the neurons of a layer keep their order: the rank correlation between their values in a and in b "
        "(1: the same order, 0: unrelated).",
    )
    if "measure" in comparison.layers.columns:
        page.table(comparison.layers, "**Measures by layer.**")
        name = comparison.layers["measure"][0]
        page.figure(
            _measure_figure(comparison.neurons, name),
            f"**{name} in a and in b**, one point a neuron. On the line nothing changed. Of layers with more than "
            f"{_MOST_POINTS:,} neurons, evenly spaced ones.",
            "measure",
        )
    if comparison.notes:
        rows = [{"measure": name, "why": why} for name, why in comparison.notes.items()]
        page.table(pl.DataFrame(rows), "**Measures without a value**, for the whole network or for some neurons.")


def _links_figure(links: pl.DataFrame) -> Figure:
    shown = links.head(MOST_PANELS)
    place = np.arange(len(shown))[::-1]
    with style.context(axes__grid=False):
        figure, axes = style.subplots(1, 2, height=0.9 + 0.32 * len(shown), sharey=True)
        turned = 1 - shown["cosine"].to_numpy()
        bars = (("relative distance", shown["relative_distance"].to_numpy()), ("1 − cosine", turned))
        for index, (ax, (label, values)) in enumerate(zip(axes.flat, bars, strict=True)):
            ax.barh(place, np.nan_to_num(values), color=style.color(index), height=0.62)
            for y, value in zip(place, values, strict=True):
                text = "undefined" if np.isnan(value) else number(float(value))
                ax.annotate(
                    text, (np.nan_to_num(value), y), (4, 0), textcoords="offset points", va="center", fontsize=8.5
                )
            ax.set(xlabel=label)
            ax.margins(x=0.18)
            ax.set_xlim(left=0, right=None if np.nan_to_num(values).max(initial=0) > 0 else 1)
        axes[0, 0].set_yticks(place, [shorten(name, 28) for name in shown["link"]])
    return figure


def _neurons_figure(neurons: pl.DataFrame) -> Figure:
    layers = neurons.partition_by("layer", maintain_order=True)[:MOST_PANELS]
    random = np.random.default_rng(0)
    with style.context():
        figure, axes = style.subplots(1, 2, height=2.8)
        for ax, name in zip(axes.flat, ("incoming", "outgoing"), strict=True):
            for place, layer in enumerate(layers):
                values = layer[f"{name}_relative"].drop_nulls().to_numpy()
                if len(values):
                    strip(ax, values, place, style.color(place), random)
            ax.set(title=f"{name} weights", xlabel="layer", xlim=(-0.6, len(layers) - 0.4))
            ax.set_xticks(range(len(layers)), [str(layer["layer"][0]) for layer in layers])
            ax.set_ylim(bottom=0)
            ax.grid(visible=False, axis="x")
        axes[0, 0].set_ylabel("relative distance")
    return figure


def _measure_figure(neurons: pl.DataFrame, name: str) -> Figure:
    layers = neurons.partition_by("layer", maintain_order=True)[:MOST_PANELS]
    columns = min(4, max(len(layers), 1))
    with style.context():
        figure, axes = style.subplots(-(-len(layers) // columns), columns, height=2.4)
        for number_, (layer, ax) in enumerate(zip(layers, axes.flat, strict=False)):
            step = max(1, -(-len(layer) // _MOST_POINTS))
            shown = layer.select(f"{name}_a", f"{name}_b").drop_nulls().gather_every(step)
            first, second = shown.to_numpy().T
            ax.plot(first, second, ".", color=style.color(number_), markersize=3.5, alpha=0.6)
            if len(first):
                ends = [min(first.min(), second.min()), max(first.max(), second.max())]
                ax.plot(ends, ends, color=style.MUTED, linewidth=0.8, zorder=1)
            ax.set(title=f"{layer['layer'][0]} {shorten(layer['layer_name'][0], 18)}", xlabel=f"{name} in a")
        for ax in axes[:, 0]:
            ax.set_ylabel(f"{name} in b")
        hide_rest(axes, len(layers))
    return figure


def _share(value: float) -> str:
    return f"{100 * value:.3g} %"
