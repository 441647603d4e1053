"""Neurons Strength and Activation with Nodes Strength against both (figures 5, 6 and 7)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from synaplex.report import style
from synaplex.studies.la_malfa_2024.figures.palette import LAYERS, curve, ends_of, plain, units
from synaplex.studies.la_malfa_2024.observation import correlation
from synaplex.studies.la_malfa_2024.population import Observed
from synaplex.studies.la_malfa_2024.recipe import NAMES

_POINTS_DRAWN = 400


def patterns(rows: Sequence[Observed], layers: Sequence[int]) -> Figure:
    """A row a cell: both densities, then a point a neuron, its Nodes Strength against the mean of either.

    Parameters
    ----------
    rows
        Cells.
    layers
        As the paper counts them, from 1 at the input.
    """
    with style.context():
        figure, axes = style.subplots(len(rows), 4, height=2.2, width=style.WIDTH + 0.8)
        for line, one in zip(axes, rows, strict=True):
            known = [(layer, color) for layer, color in zip(layers, LAYERS, strict=False) if layer - 1 in one.layers]
            bent = [(layer, color) for layer, color in known if one.function(layer - 1) != "linear"]
            _curves(line[0], one, known, "Neurons Strength / deviation")
            _curves(line[1], one, bent, "Neurons Activation")
            line[0].set_ylabel(f"{NAMES[one.cell.kind]}, {one.cell.depth} layers\ndensity")
            for panel, shown, title, what in (
                (line[2], known, "mean Neurons Strength", "strength"),
                (line[3], bent, "mean Neurons Activation", "activation"),
            ):
                for layer, color in shown:
                    _scatter(panel, one, layer, what, color)
                panel.set_xlabel("Nodes Strength / deviation")
                panel.set_ylabel(f"{title}\n/ deviation")
                panel.locator_params(nbins=4)
                if shown:
                    panel.legend(loc="best", handletextpad=0.1, borderpad=0.1, labelspacing=0.2)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=len(labels))
        return figure


def _curves(panel: Axes, one: Observed, known: Sequence[tuple[int, str]], title: str) -> None:
    """Densities of some layers: activations as they are but for ReLU, which has no bounds."""
    raw = title == "Neurons Activation" and one.cell.activation == "sigmoid"
    read = Observed.bent if title == "Neurons Activation" else Observed.values
    values = [read(one, layer - 1).ravel() for layer, _ in known]
    shown = values if raw else [units(own) for own in values]
    if shown:
        ends = ends_of(shown)
        for (layer, color), own in zip(known, shown, strict=True):
            curve(panel, own, ends, color=color, lw=1.6, label=f"layer {layer}")
        panel.set_xlim(*ends)
    panel.set_xlabel(title if raw or "/" in title else f"{title} / deviation")
    plain(panel)


def _scatter(panel: Axes, one: Observed, layer: int, what: str, color: str) -> None:
    node, mean = one.neurons("node", layer - 1), one.neurons(what, layer - 1)
    found = [correlation(*pair) for pair in zip(node, mean, strict=True)]
    known = [r for r in found if np.isfinite(r)]
    text = f"r = {np.mean(known):.2f}".replace("-", "−") if known else "too few"
    step = max(1, node.size // _POINTS_DRAWN)
    panel.scatter(
        units(node).ravel()[::step],
        units(mean).ravel()[::step],
        s=5,
        color=color,
        alpha=0.5,
        lw=0,
        label=text,
        rasterized=True,
    )
