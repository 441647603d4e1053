"""Densities of link weights, strengths and fluctuations, a curve a bin of accuracy (figures 2 to 4 and 7 to 9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from synaplex.report import style
from synaplex.studies.la_malfa_2021.analysis import CellResults
from synaplex.studies.la_malfa_2021.figures.palette import scale, shade
from synaplex.studies.la_malfa_2021.population import Moments
from synaplex.studies.la_malfa_2021.recipe import BINS
from synaplex.studies.shape import density

Panels = Callable[[Moments], Sequence[tuple[str, np.ndarray]]]
"""Title and values (a row a network and moment) of each panel."""

_POINTS = 240
_TAIL = 0.004
_PEAKS = 5.0
"""Height of a panel in median peaks, at most: what is narrower than most is cut off so that the others can be seen."""


def weight_panels(moments: Moments) -> list[tuple[str, np.ndarray]]:
    """Link weights, a panel a link."""
    names = moments.layers
    return [(f"to {names[i + 1]}", moments.weights(i)) for i in range(len(names) - 1)]


def strength_panels(moments: Moments) -> list[tuple[str, np.ndarray]]:
    """Nodes Strength, a panel a layer."""
    return [(name, moments.strength(i)) for i, name in enumerate(moments.layers)]


def fluctuation_panels(moments: Moments) -> list[tuple[str, np.ndarray]]:
    """Layers Fluctuation, a panel a layer."""
    return [(name, moments.fluctuation(i)[:, None]) for i, name in enumerate(moments.layers)]


PANELS: dict[str, tuple[str, Panels]] = {
    "weights": ("link weight", weight_panels),
    "strength": ("strength", strength_panels),
    "fluctuation": ("fluctuation", fluctuation_panels),
}
"""By measure: its name on the axis, and its panels."""


def densities(rows: Sequence[CellResults], measure: str) -> Figure:
    """A row of panels a population.

    A curve is the mean over all compositions of a bin; of fluctuations, one number a network, that of all networks that
    have been in the bin.
    """
    label, panels = PANELS[measure]
    columns = max(len(panels(one.moments)) for one in rows)
    with style.context(axes__titlesize=9):
        figure, axes = style.subplots(len(rows), columns, height=1.9, width=style.WIDTH + 0.7)
        for line, one in zip(axes, rows, strict=True):
            for panel, (title, values) in zip(line, panels(one.moments), strict=True):
                if measure == "fluctuation":
                    draw(panel, values, [(b, [np.flatnonzero(one.moments.arrays["bin"] == b)]) for b in one.bins])
                else:
                    draw(panel, values, [(b, [d[b] for d in one.drawn]) for b in one.bins])
                panel.set_title(title)
                panel.set_xlabel(label)
            line[0].set_ylabel(f"scale {one.cell.scale:g}\ndensity")
        figure.colorbar(scale(), ax=axes, label="test accuracy", fraction=0.02, pad=0.01)
        return figure


def draw(panel: Axes, values: np.ndarray, bins: Sequence[tuple[int, Sequence[np.ndarray]]]) -> None:
    """The density of each bin's values, low accuracy behind high accuracy."""
    panel.set_yticks([])
    panel.grid(False)
    panel.locator_params(axis="x", nbins=4)
    if not bins:
        return
    grid = _grid([values[rows] for _, drawn in bins for rows in drawn[:1]])
    peaks = []
    for (number, drawn), order in zip(bins, range(len(bins)), strict=True):
        curve = np.mean([density(values[rows].ravel(), grid) for rows in drawn], axis=0)
        panel.plot(grid, curve, color=shade(number / (BINS - 1)), lw=1.4, zorder=2 + order)
        peaks.append(float(curve.max()))
    panel.set_xlim(float(grid[0]), float(grid[-1]))
    panel.set_ylim(0, 1.05 * min(max(peaks), _PEAKS * float(np.median(peaks))))


def _grid(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Points over all values but far outliers of single bins."""
    ends = np.array([np.quantile(part, [_TAIL, 1 - _TAIL]) for part in _whole(parts)])
    low, high = float(ends[:, 0].min()), float(ends[:, 1].max())
    margin = 0.12 * (high - low) or 0.5
    return np.linspace(low - margin, high + margin, _POINTS)


def _whole(parts: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    return (part.ravel() for part in parts if part.size)
