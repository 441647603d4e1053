"""One look for all figures: colours that colour-blind readers tell apart, fonts, sizes.

Figures are made inside `context`, a matplotlib rc context, so that nothing global changes:

>>> with context():
...     figure, axes = subplots(1, 2)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

INK = "#1b1f23"
"""Text and axes. On a page it turns light when the page turns dark."""

MUTED = "#6a737c"
"""Text of second rank, reference lines. Follows the page as well."""

GRID = "#e1e4e7"
"""Grid lines. Follow the page as well."""

PAPER = "#fefefe"
"""The background, for outlines that cut a mark out of others. Follows the page as well."""

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a63d2", "#7f7f7f")
"""Colours of categories, in the order of use (after Okabe & Ito 2008), legible on light and on dark ground."""

POSITIVE, NEGATIVE = PALETTE[0], PALETTE[1]
"""Colours of a sign."""

GOOD, POOR = PALETTE[2], PALETTE[1]
"""Colours of an evaluation."""

SEQUENTIAL, DIVERGING = "viridis", "RdBu_r"
"""Colour maps: from low to high, and away from a middle."""

WIDTH = 8.6
"""Inches across the column of a page."""

_RC: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 9.5,
    "axes.linewidth": 0.8,
    "axes.prop_cycle": cycler(color=PALETTE),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "figure.constrained_layout.use": True,
    "figure.dpi": 100,
    "figure.facecolor": PAPER,
    "figure.titlesize": 11.5,
    "figure.titleweight": "bold",
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "image.cmap": SEQUENTIAL,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
    "patch.edgecolor": "none",
    "savefig.bbox": None,
    "savefig.dpi": 200,
    "savefig.facecolor": "auto",
    "svg.fonttype": "path",
    "svg.hashsalt": "synaplex",
    "text.color": INK,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 8.5,
}


@contextmanager
def context(**changes: Any) -> Iterator[None]:
    """The look of all figures, for as long as the context lasts.

    Parameters
    ----------
    **changes
        Settings of this figure alone, dots written as two underscores: ``axes__grid=False``.
    """
    settings: Any = {**_RC, **{key.replace("__", "."): value for key, value in changes.items()}}
    with mpl.rc_context(settings):
        yield


def subplots(
    rows: int = 1,
    columns: int = 1,
    *,
    width: float = WIDTH,
    height: float = 3.0,
    **options: Any,
) -> tuple[Figure, np.ndarray[Any, np.dtype[Any]]]:
    """A figure that no global state knows of, and its axes in an array ``(rows, columns)``; inside `context`.

    Parameters
    ----------
    rows, columns
        How many axes.
    width, height
        Inches: `width` of the whole figure, `height` of each row.
    **options
        For `matplotlib.figure.Figure.subplots`: ``sharex``, ``width_ratios``, ...
    """
    figure = Figure(figsize=(width, height * rows))
    axes: np.ndarray[Any, np.dtype[Any]] = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, axes


def color(index: int) -> str:
    """The colour of category number `index`; they come round again after eight."""
    return PALETTE[index % len(PALETTE)]


def contrast(background: Any) -> str:
    """Black or white, whichever reads better on a background that does not follow the page (a heat map's cell)."""
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in to_rgb(background)
    )
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#000000" if luminance > 0.179 else "#ffffff"


def adopt(figure: Figure) -> Figure:
    """Let a black-and-white figure's ground, outlines and text follow the page, as those made in `context` do."""
    figure.set_facecolor(PAPER)
    for text in figure.findobj(Text):
        text.set_color(INK if max(to_rgb(text.get_color())) < 0.3 else MUTED)
    for marks in figure.findobj(PathCollection):
        marks.set_facecolor(_following(marks.get_facecolor()))
        marks.set_edgecolor(_following(marks.get_edgecolor()))
    return figure


def _following(shades: Any) -> Any:
    """Greys as the page's ink or paper, colours as they are."""
    shades = np.asarray(shades)[:, :3]
    if not len(shades) or np.ptp(shades, axis=1).max() > 0.1:
        return shades
    return PAPER if shades.min() > 0.9 else INK


def letter(axes: Axes, text: str) -> None:
    """A panel's letter at the upper left of its axes."""
    axes.text(-0.02, 1.04, text, transform=axes.transAxes, weight="bold", ha="right", va="bottom")
