"""Figures of one model."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from synaplex.graph import NeuralGraph
from synaplex.graph.link import Link
from synaplex.report import style
from synaplex.report.bottlenecks import singular_values
from synaplex.report.embed import Interactive
from synaplex.report.summary import measure_columns

Array = NDArray[np.float64]

MOST_PANELS = 12
"""Links or layers that a figure shows one by one."""

MOST_WEIGHTS = 1_000_000
"""Weights of a link that a histogram reads; of more, evenly spaced ones."""

FEW = 20
"""Neurons below which a layer is shown by its points alone."""

MOST_POINTS = 4_000
"""Neurons that the interactive figure shows; of more, evenly spaced ones of each layer."""


def weights_figure(graph: NeuralGraph) -> Figure:
    """A histogram of the weights of each link, the first `MOST_PANELS` of them."""
    links = graph.links[:MOST_PANELS]
    columns = min(3, max(len(links), 1))
    rows = -(-len(links) // columns)
    with style.context():
        figure, axes = style.subplots(rows, columns, height=2.5 if columns > 1 else 2.8)
        for link, ax in zip(links, axes.flat, strict=False):
            values = sampled_weights(link)
            bins = int(np.clip(np.sqrt(len(values)) * 1.2, 10, 90))
            counts, borders = np.histogram(values, bins)
            ax.fill_between(borders, np.append(counts, 0) / max(len(values), 1), step="post", color=style.color(0))
            ax.axvline(0.0, color=style.MUTED, linewidth=0.9)
            ax.set_ylim(bottom=0)
            ax.set(title=shorten(link.name or f"{link.source} → {link.target}", 30), xlabel="weight")
            ax.yaxis.set_major_formatter(lambda value, _: f"{value:.3g}")
        for ax in axes[:, 0]:
            ax.set_ylabel("share of edges")
        hide_rest(axes, len(links))
    return figure


def sampled_weights(link: Link) -> Array:
    """Weights other than zero of a link, each as often as edges carry it; evenly spaced ones where there are many."""
    weights = link.weights.detach().flatten()
    step = max(1, -(-len(weights) // MOST_WEIGHTS))
    values: Array = weights[::step].double().cpu().numpy()
    repeat = link.multiplicity[::step].cpu().numpy()
    values = np.repeat(values, np.minimum(repeat, max(1, MOST_WEIGHTS // max(len(values), 1))))
    kept: Array = values[values != 0]
    return kept


def strength_figure(connections: pl.DataFrame) -> Figure:
    """The summed |w| of the neurons of each layer in falling order: hubs at the left, weak neurons at the right."""
    with style.context():
        figure, axes = style.subplots(1, 1, height=3.2)
        ax: Axes = axes[0, 0]
        total = connections.with_columns(weight=pl.col("in_weight") + pl.col("out_weight"))
        layers = total.partition_by("layer", maintain_order=True)
        for number, layer in enumerate(layers[:MOST_PANELS]):
            values = layer["weight"].sort(descending=True).to_numpy()
            place = (np.arange(len(values)) + 0.5) / len(values)
            label = f"{layer['layer'][0]} {shorten(layer['layer_name'][0], 24)} ({len(values):,})"
            mark = "o" if len(values) < 30 else ""
            ax.plot(place, values, label=label, marker=mark, markersize=3, **_line(number))
        weights = total["weight"].to_numpy()
        if weights.any():
            none = bool((weights == 0).any())
            ax.set_yscale("symlog", linthresh=weights[weights > 0].min()) if none else ax.set_yscale("log")
        if ax.get_yscale() == "log":
            ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            ax.yaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:.0e}"[0] in "25" else "")
        ax.set(xlabel="neurons of the layer, the strongest first", ylabel="sum of |w|", xlim=(0, 1))
        ax.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
        ax.legend(title="layer (neurons)", loc="center left", bbox_to_anchor=(1.0, 0.5), alignment="left")
    return figure


def measures_figure(frame: pl.DataFrame) -> Figure:
    """The distribution of each measure within each layer."""
    names = [name for name in measure_columns(frame) if frame[name].drop_nulls().len()]
    layers = frame.partition_by("layer", maintain_order=True)[:MOST_PANELS]
    columns = 3 if len(layers) <= 6 else 2
    rows = max(-(-len(names) // columns), 1)
    random = np.random.default_rng(0)
    with style.context():
        figure, axes = style.subplots(rows, columns, height=2.3)
        for name, ax in zip(names, axes.flat, strict=False):
            for place, layer in enumerate(layers):
                values = layer[name].drop_nulls().cast(pl.Float64).to_numpy()
                strip(ax, values, place, style.color(place), random)
            _scale(ax, frame[name].drop_nulls().cast(pl.Float64).to_numpy())
            ax.set_title(name)
            ax.set_xlim(-0.6, len(layers) - 0.4)
            ax.set_xticks(range(len(layers)), [str(layer["layer"][0]) for layer in layers])
            ax.grid(visible=False, axis="x")
        for ax in axes[-1]:
            ax.set_xlabel("layer")
        hide_rest(axes, len(names))
    return figure


def spectrum_figure(graph: NeuralGraph) -> Figure | None:
    """Singular values of each link, as shares of its largest; None where all links are too large."""
    spectra = [(link, singular_values(link)) for link in graph.links[:MOST_PANELS]]
    known = [(link, values) for link, values in spectra if values is not None and len(values) and float(values[0]) > 0]
    if not known:
        return None
    with style.context():
        figure, axes = style.subplots(1, 1, height=3.0)
        ax: Axes = axes[0, 0]
        for number, (link, values) in enumerate(known):
            place = (np.arange(len(values)) + 0.5) / len(values)
            label = f"{shorten(link.name, 26)} ({len(values):,})"
            mark = "o" if len(values) < 30 else ""
            share = (values / values[0]).cpu().numpy()
            ax.plot(place, share, label=label, marker=mark, markersize=3, **_line(number))
        ax.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="share of the largest", xlabel="singular values, the largest first")
        ax.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
        ax.legend(title="link (singular values)", loc="center left", bbox_to_anchor=(1.0, 0.5), alignment="left")
    return figure


def neurons_figure(frame: pl.DataFrame) -> Interactive | None:
    """Each neuron by two measures that the reader chooses; None where fewer than two measures have values."""
    import plotly.graph_objects as go

    names = [name for name in measure_columns(frame) if frame[name].drop_nulls().len()]
    if len(names) < 2:
        return None
    layers = frame.partition_by("layer", maintain_order=True)
    step = max(1, -(-len(frame) // MOST_POINTS))
    shown = [layer.gather_every(step) for layer in layers]
    figure = go.Figure(
        [
            go.Scattergl(
                x=_floats(layer, names[0]),
                y=_floats(layer, names[-1]),
                mode="markers",
                name=f"{layer['layer'][0]} {shorten(layer['layer_name'][0], 24)}",
                customdata=_labels(layer).to_list(),
                hovertemplate="layer %{fullData.name}, neuron %{customdata}<br>%{x:.4g}, %{y:.4g}<extra></extra>",
                marker={"size": 6, "opacity": 0.75, "color": style.color(number)},
            )
            for number, layer in enumerate(shown)
        ]
    )
    menus = []
    for axis, start, left in (("x", 0, 0.0), ("y", len(names) - 1, 0.36)):
        buttons = [
            {
                "label": f"{axis}: {name}",
                "method": "update",
                "args": [{axis: [_floats(layer, name) for layer in shown]}, {f"{axis}axis.title.text": name}],
            }
            for name in names
        ]
        menus.append({"buttons": buttons, "active": start, "x": left, "y": 1.16, "xanchor": "left", "showactive": True})
    figure.update_layout(
        updatemenus=menus,
        xaxis_title=names[0],
        yaxis_title=names[-1],
        height=520,
        margin={"l": 70, "r": 20, "t": 80, "b": 60},
        legend={"title": {"text": "layer"}},
    )
    drawn: Interactive = figure
    return drawn


def shorten(text: str, most: int) -> str:
    """A long name with its middle left out."""
    return text if len(text) <= most else f"{text[: most // 2 - 1]}…{text[len(text) - most // 2 :]}"


def strip(ax: Axes, values: Array, place: int, color: str, random: np.random.Generator) -> None:
    """Neurons as points (150 of many) and, unless they are few, a bar of the middle half with the median."""
    if not len(values):
        ax.annotate(
            "undefined", (place, 0.5), xycoords=("data", "axes fraction"), ha="center", rotation=90, color=style.MUTED
        )
        return
    few = len(values) < FEW
    shown = values if len(values) <= 150 else np.sort(values)[np.linspace(0, len(values) - 1, 150).round().astype(int)]
    beside = random.uniform(-0.27, 0.27, len(shown)) * (0.5 if few else 1.0)
    look: dict[str, Any] = {"markersize": 5.0, "alpha": 0.75} if few else {"markersize": 3.0, "alpha": 0.55}
    ax.plot(place + beside, shown, ".", color=color, zorder=2, **look)
    if few:
        return
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    ax.plot([place, place], [low, high], color=style.INK, linewidth=4.0, solid_capstyle="round", alpha=0.8, zorder=3)
    ax.plot([place], [middle], "o", color=style.PAPER, markersize=3.6, zorder=4)


def _scale(ax: Axes, values: Array) -> None:
    """A scale that shows the bulk where a few values are very far from it."""
    low, high = np.quantile(values, [0.25, 0.75])
    reach = np.abs(values).max()
    bulk = max(abs(low), abs(high), high - low)
    if bulk > 0 and reach > 40 * bulk:
        if values.min() > 0:
            ax.set_yscale("log")
        else:
            ax.set_yscale("symlog", linthresh=10.0 ** np.ceil(np.log10(bulk)), linscale=0.7)
    elif values.min() > 0 and values.max() > 1000 * values.min():
        ax.set_yscale("log")


def _labels(layer: pl.DataFrame) -> pl.Series:
    """What each neuron is called: its name, or its number where it has none."""
    numbers = layer["neuron"]
    return layer["name"].fill_null(numbers.cast(pl.String)) if "name" in layer.columns else numbers


def _floats(layer: pl.DataFrame, name: str) -> list[float | None]:
    """Values with seven digits: what a screen can show, in a third of the page's bytes."""
    return layer[name].cast(pl.Float64).round_sig_figs(7).to_list()


def _line(number: int) -> dict[str, Any]:
    """A colour, and once they are used up another kind of line."""
    return {"color": style.color(number), "linestyle": ("-", "--", ":")[number // len(style.PALETTE) % 3]}


def hide_rest(axes: np.ndarray[Any, np.dtype[Any]], used: int) -> None:
    """Take away the panels of a grid beyond those in use."""
    for ax in axes.flat[used:]:
        ax.set_axis_off()
