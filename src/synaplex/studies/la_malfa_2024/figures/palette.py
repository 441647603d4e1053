"""Colours of layers, activations and null models, and densities drawn in one way."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from synaplex.report import style
from synaplex.studies.shape import density

ACTIVATIONS = {"linear": style.PALETTE[7], "relu": style.PALETTE[1], "sigmoid": style.PALETTE[0]}
LABELS = {"linear": "linear", "relu": "ReLU", "sigmoid": "sigmoid"}
LAYERS = (style.PALETTE[0], style.PALETTE[1], style.PALETTE[2], style.PALETTE[3])

_POINTS = 240
_TAIL = 0.004


def curve(panel: Axes, values: Float[np.ndarray, " n"], ends: tuple[float, float], **look: object) -> None:
    """The density of some values between two ends, as a line."""
    if not len(values) or float(values.std()) < 1e-12:
        return
    grid = np.linspace(*ends, _POINTS)
    panel.plot(grid, density(np.clip(values, *ends), grid), **look)  # type: ignore[arg-type]


def ends_of(parts: list[np.ndarray]) -> tuple[float, float]:
    """Ends that hold nearly all values of each part."""
    bounds = np.array([np.quantile(part, [_TAIL, 1 - _TAIL]) for part in parts if part.size])
    low, high = float(bounds[:, 0].min()), float(bounds[:, 1].max())
    margin = 0.08 * (high - low) or 0.5
    return low - margin, high + margin


def units(values: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Values divided by their standard deviation: layers of one network differ by orders of magnitude."""
    spread = float(values.std())
    return values / spread if spread > 0 else values


def plain(panel: Axes) -> None:
    """Without a scale of densities."""
    panel.set_yticks([])
    panel.set_ylim(bottom=0)
    panel.grid(False)
    panel.locator_params(axis="x", nbins=4)
