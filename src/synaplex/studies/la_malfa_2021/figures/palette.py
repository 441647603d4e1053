"""Colours of accuracy: from grey (low) to blue (high), as in the paper."""

from __future__ import annotations

from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap

from synaplex.studies.la_malfa_2021.recipe import BINS

ACCURACY = LinearSegmentedColormap.from_list("accuracy", ["#b9bdc1", "#8fa6bd", "#3b7fc4", "#0047b3"])
"""Colour map from low to high accuracy."""


def shade(accuracy: float) -> tuple[float, float, float, float]:
    """Colour of an accuracy between 0 and 1."""
    return ACCURACY(accuracy)


def scale() -> ScalarMappable:
    """For the colour bar of the bins."""
    return ScalarMappable(BoundaryNorm([b / BINS for b in range(BINS + 1)], ACCURACY.N), ACCURACY)
