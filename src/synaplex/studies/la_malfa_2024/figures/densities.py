"""Densities of Nodes Strength, Neurons Strength and Neurons Activation (figures 2, 4 and 8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from synaplex.report import style
from synaplex.studies.la_malfa_2024.figures.palette import ACTIVATIONS, LABELS, LAYERS, curve, ends_of, plain, units
from synaplex.studies.la_malfa_2024.population import Observed
from synaplex.studies.la_malfa_2024.recipe import NAMES

Read = Callable[[Observed, int, str], np.ndarray]

MEASURES: dict[str, Read] = {
    "Nodes Strength": lambda one, layer, name: one.neurons("node", layer, name),
    "Neurons Strength": lambda one, layer, name: one.values(layer, name),
    "Neurons Activation": lambda one, layer, name: one.bent(layer, name),
}
"""By name: reads some values of a layer, a row a network."""


def by_layer(columns: Sequence[Observed], layers: Sequence[int]) -> Figure:
    """A column a cell, a row a measure, a curve a layer; dotted, the untrained networks.

    Strengths are in standard deviations of each curve. Activations of layers that have none are their strengths, and
    not drawn again.

    Parameters
    ----------
    columns
        Cells.
    layers
        Numbers of layers as the paper counts them, from 1 at the input; those that a cell has are drawn.
    """
    with style.context():
        figure, axes = style.subplots(len(MEASURES), len(columns), height=1.75, width=style.WIDTH + 0.4)
        for line, measure in zip(axes, MEASURES, strict=True):
            for panel, one in zip(line, columns, strict=True):
                _layers(panel, one, measure, layers)
            line[0].set_ylabel("density")
        for panel, one in zip(axes[0], columns, strict=True):
            panel.set_title(NAMES[one.cell.kind])
        _legend(figure, axes)
        return figure


def _layers(panel: Axes, one: Observed, measure: str, layers: Sequence[int]) -> None:
    """One panel of `by_layer`."""
    bent = measure == "Neurons Activation"
    known = [layer for layer in layers if layer - 1 in one.layers]
    drawn = [layer for layer in known if not bent or one.function(layer - 1) != "linear"]
    values: dict[tuple[int, str], np.ndarray] = {}
    for layer in drawn:
        for name in ("trained", "untrained"):
            own = MEASURES[measure](one, layer - 1, name).ravel()
            values[layer, name] = own if bent else units(own)
    ends = ends_of([own for (_, name), own in values.items() if name == "trained"]) if values else (0.0, 1.0)
    for layer, color in zip(layers, LAYERS, strict=False):
        if layer in drawn:
            curve(panel, values[layer, "untrained"], ends, color=color, lw=1, ls=":")
            curve(panel, values[layer, "trained"], ends, color=color, lw=1.6, label=f"layer {layer}")
            panel.plot([], [], color=color, lw=1, ls=":", label=f"layer {layer}, untrained")
    panel.set_xlim(*ends)
    plain(panel)
    panel.set_xlabel(measure if bent else f"{measure} / deviation")


def by_activation(columns: Sequence[Sequence[Observed]]) -> Figure:
    """A column a kind of network, a row a measure, a curve an activation function; the hidden layer.

    Values are divided by their standard deviation, since those of linear and sigmoid networks lie orders apart; the
    activations of sigmoids have a row of their own, as they are.
    """
    rows = (
        ("Nodes Strength", tuple(ACTIVATIONS)),
        ("Neurons Strength", tuple(ACTIVATIONS)),
        ("Neurons Activation", ("linear", "relu")),
        ("Neurons Activation", ("sigmoid",)),
    )
    with style.context():
        figure, axes = style.subplots(len(rows), len(columns), height=1.7, width=style.WIDTH + 0.4)
        for line, (measure, shown) in zip(axes, rows, strict=True):
            for panel, cells in zip(line, columns, strict=True):
                values = {one.cell.activation: MEASURES[measure](one, 1, "trained").ravel() for one in cells}
                known = {name: values[name] for name in shown if name in values}
                if len(shown) > 1:
                    known = {name: units(own) for name, own in known.items()}
                ends = ends_of(list(known.values())) if known and len(shown) > 1 else (-0.05, 1.05)
                for name, own in known.items():
                    curve(panel, own, ends, color=ACTIVATIONS[name], label=LABELS[name], lw=1.5)
                panel.axvline(0, color=style.MUTED, lw=0.7)
                panel.set_xlim(*ends)
                plain(panel)
                panel.set_xlabel(f"{measure} / deviation" if len(shown) > 1 else f"{measure}, sigmoid")
            line[0].set_ylabel("density")
        for panel, cells in zip(axes[0], columns, strict=True):
            panel.set_title(NAMES[cells[0].cell.kind])
        _legend(figure, axes)
        return figure


def _legend(figure: Figure, axes: np.ndarray) -> None:
    """All curves once, whichever panel has them."""
    found: dict[str, Artist] = {}
    for panel in axes.ravel():
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    figure.legend(list(found.values()), list(found), loc="outside upper right", ncols=len(found))
