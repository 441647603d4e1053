"""A picture of a network: neurons by layer, edges by sign."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from synaplex.errors import SpecificationError
from synaplex.graph.dense import DenseLink
from synaplex.graph.link import Link
from synaplex.graph.network import NeuralGraph

Array = NDArray[np.float64]
Index = NDArray[np.int64]

POSITIVE, NEGATIVE = "#0072b2", "#d55e00"
"""Blue and vermilion, which colour-blind readers tell apart."""
_INK, _PAPER, _GREY = "#2b2b33", "#ffffff", "#6b6b76"
_CURVE_POINTS = 24


@dataclass(frozen=True)
class _Drawn:
    """Edges of one link that are drawn: places among the shown neurons of either layer, and weights."""

    source: int
    target: int
    row: Index
    column: Index
    weight: Array


def draw(graph: NeuralGraph, *, max_neurons: int = 40, max_edges: int = 1500, edges: str = "signed") -> Figure:
    """Draw neurons by layer and edges by sign, as figure 1b of Scabini & Bruno (2021).

    Blue edges have positive, vermilion ones negative weights; the larger |w|, the wider and the less
    transparent. A large network is thinned: of each layer evenly spaced neurons are shown, and between these
    the edges with the largest |w| of each link. The caption says how many of how many.

    Parameters
    ----------
    graph
        A single network.
    max_neurons
        Most neurons to show of a layer.
    max_edges
        Most edges to show in all.
    edges
        The edge rule, see `EdgeRule`.

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot: save it with ``figure.savefig(path)``; a notebook shows it by itself.

    Raises
    ------
    SpecificationError
        If the graph is a batch of networks, or a limit is below 1.
    """
    if graph.networks is not None:
        raise SpecificationError(f"choose one of the {graph.networks} networks to draw: graph.network(k).draw()")
    if max_neurons < 1 or max_edges < 1:
        raise SpecificationError("max_neurons and max_edges must be at least 1")
    view = graph.undirected(edges)
    shown = [_spread(size, max_neurons) for size in graph.sizes]
    drawn = _strongest([_between(link, shown) for link in view.links], max_edges)
    places = _places([len(index) for index in shown])

    columns = len(shown)
    figure = Figure(figsize=(min(max(2.6 * columns, 6.0), 24.0), 6.4), layout="constrained", facecolor=_PAPER)
    axes = figure.add_subplot()
    axes.set_axis_off()
    _draw_edges(axes, drawn, places)
    for place in places:
        size = min(70.0, 2600.0 / max(len(place), 1))
        axes.scatter(place[:, 0], place[:, 1], s=size, color=_PAPER, edgecolors=_INK, linewidths=0.8, zorder=3)
    _label(axes, graph, shown, places)
    _legend(axes, drawn)
    total = sum(_edge_count(link) for link in view.links)
    figure.supxlabel(_caption(graph, shown, drawn, total), fontsize=9, color=_GREY)
    return figure


def _spread(size: int, most: int) -> Index:
    """At most so many indices below `size`, evenly spaced."""
    return np.unique(np.linspace(0, size - 1, min(size, most)).round().astype(np.int64)) if size else np.empty(0, int)


def _edge_count(link: Link) -> int:
    """Number of edges of an undirected link; within a layer each stands twice in the matrix."""
    if link.source != link.target:
        return link.edge_count
    edges = link.to_sparse()
    return int(((edges.weight != 0) & (edges.column <= edges.row)).sum())


def _between(link: Link, shown: Sequence[Index]) -> _Drawn:
    """The edges of a link between shown neurons."""
    rows, columns = shown[link.target], shown[link.source]
    if isinstance(link, DenseLink):
        block = link.weight.detach().cpu().numpy()[np.ix_(rows, columns)]
        row, column = block.nonzero()
        weight = block[row, column]
    else:
        sparse = link.to_sparse()
        row, column, weight = (part.detach().cpu().numpy() for part in (sparse.row, sparse.column, sparse.weight))
        keep = np.isin(row, rows) & np.isin(column, columns)
        row, column, weight = (
            np.searchsorted(rows, row[keep]),
            np.searchsorted(columns, column[keep]),
            weight[keep],
        )
    if link.source == link.target:
        once = column <= row
        row, column, weight = row[once], column[once], weight[once]
    return _Drawn(link.source, link.target, row, column, weight)


def _strongest(candidates: Sequence[_Drawn], most: int) -> list[_Drawn]:
    """The edges with the largest |w|, as many of each link as leave the others an equal share."""
    shares = dict.fromkeys(range(len(candidates)), 0)
    left, waiting = most, sorted(shares, key=lambda i: len(candidates[i].weight))
    while waiting:
        i = waiting.pop(0)
        shares[i] = min(len(candidates[i].weight), math.ceil(left / (len(waiting) + 1)))
        left -= shares[i]
    kept = []
    for i, link in enumerate(candidates):
        order = np.argsort(-np.abs(link.weight), kind="stable")[: shares[i]]
        kept.append(_Drawn(link.source, link.target, link.row[order], link.column[order], link.weight[order]))
    return kept


def _places(counts: Sequence[int]) -> list[Array]:
    """Where the shown neurons of each layer stand: a column a layer, or a circle for one layer."""
    if len(counts) == 1:
        angle = np.pi / 2 - 2 * np.pi * np.arange(counts[0]) / max(counts[0], 1)
        return [np.column_stack([0.9 * np.cos(angle), np.sin(angle)])]
    places = []
    for x, count in enumerate(counts):
        half = 0.0 if count < 2 else 0.3 + 0.7 * count / max(counts)
        places.append(np.column_stack([np.full(count, float(x)), np.linspace(half, -half, count)]))
    return places


def _draw_edges(axes: Axes, drawn: Sequence[_Drawn], places: Sequence[Array]) -> None:
    paths, weights = [], []
    for link in drawn:
        start, end = places[link.source][link.column], places[link.target][link.row]
        paths += list(_curves(start, end, link, len(places)))
        weights.append(link.weight)
    if not paths:
        return
    weight = np.concatenate(weights)
    few = len(weight) < 300
    # Scaled by a quantile, so that a handful of outliers or of residual edges leaves the others visible.
    share = np.minimum(np.abs(weight) / np.quantile(np.abs(weight), 0.95), 1.0)
    colors = np.empty((len(weight), 4))
    colors[:, :3] = np.where(weight[:, None] > 0, to_rgb(POSITIVE), to_rgb(NEGATIVE))
    # Many edges cover each other: the more there are, the more transparent the weak ones.
    colors[:, 3] = np.clip(share ** (1.0 if few else 4.0), 0.12 if few else 0.06, 0.9 if few else 0.75)
    order = np.argsort(share)
    axes.add_collection(
        LineCollection(
            [paths[i] for i in order],
            colors=colors[order],
            linewidths=0.3 + 1.7 * share[order] if few else 0.3 + 0.8 * share[order] ** 2,
            capstyle="round",
            zorder=2,
        )
    )


def _curves(start: Array, end: Array, link: _Drawn, layers: int) -> Iterator[Array]:
    """Straight lines to the next layer; bows within a layer, and over the layers that a link skips."""
    middle = (start + end) / 2
    if layers == 1 or abs(link.target - link.source) == 1:
        loops = (start == end).all(1)
        if not loops.any():
            yield from np.stack([start, end], axis=1)
            return
        middle = np.where(loops[:, None], 1.25 * middle, middle)
    elif link.source == link.target:
        middle = middle + np.array([0.3, 0.0])
    else:
        middle = middle + np.array([0.0, 0.9])
    t = np.linspace(0, 1, _CURVE_POINTS)[:, None]
    for a, b, c in zip(start, middle, end, strict=True):
        yield (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c


def _label(axes: Axes, graph: NeuralGraph, shown: Sequence[Index], places: Sequence[Array]) -> None:
    size = 10.0 if len(shown) <= 10 else 8.0
    every = math.ceil(len(shown) / 16)
    for i, (layer, index, place) in enumerate(zip(graph.layers, shown, places, strict=True)):
        if i % every:
            continue
        name = layer.name if len(layer.name) <= 18 else f"…{layer.name[-17:]}"
        x = float(place[0, 0]) if len(shown) > 1 and len(place) else 0.0
        count = f"{layer.size:,} neurons" if layer.size != 1 else "1 neuron"
        part = "" if len(index) == layer.size else f"\n{len(index)} shown"
        axes.text(x, -1.12, name, ha="center", va="top", fontsize=size, color=_INK, weight="bold")
        axes.text(x, -1.2, count + part, ha="center", va="top", fontsize=size - 1, color=_GREY)
    axes.set_ylim(-1.38, 1.1)
    margin = 0.35 if len(shown) > 1 else 1.2
    axes.set_xlim(-margin, max(len(shown) - 1, 0) + margin)
    if len(shown) == 1:
        axes.set_aspect("equal")


def _legend(axes: Axes, drawn: Sequence[_Drawn]) -> None:
    signs = (("positive weight", POSITIVE, 1), ("negative weight", NEGATIVE, -1))
    handles = [
        Line2D([], [], color=color, linewidth=2, label=label)
        for label, color, sign in signs
        if any((sign * link.weight > 0).any() for link in drawn)
    ]
    if handles:
        axes.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, fontsize=9)


def _caption(graph: NeuralGraph, shown: Sequence[Index], drawn: Sequence[_Drawn], total: int) -> str:
    neurons, lines = sum(map(len, shown)), sum(len(link.weight) for link in drawn)
    if neurons == graph.neurons and lines == total:
        return f"All {neurons:,} neurons and {total:,} edges"
    first = f"{neurons:,} of {graph.neurons:,} neurons, evenly spaced in each layer"
    if neurons == graph.neurons:
        first = f"All {neurons:,} neurons"
    return f"{first}; {lines:,} of {total:,} edges, the strongest of each link between these neurons"
