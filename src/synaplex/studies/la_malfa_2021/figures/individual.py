"""The single network while its accuracy rises (figure 6)."""

from __future__ import annotations

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from synaplex.report import style
from synaplex.studies.la_malfa_2021.figures.densities import draw, strength_panels, weight_panels
from synaplex.studies.la_malfa_2021.figures.palette import scale, shade
from synaplex.studies.la_malfa_2021.population import Moments
from synaplex.studies.la_malfa_2021.recipe import BINS


def individual(moments: Moments, table: pl.DataFrame) -> Figure:
    """Link weights, strengths and, with error bars over the neurons, fluctuation, a column a layer."""
    rows = np.flatnonzero(moments.arrays["network"] == 0)
    bins = [(int(moments.arrays["bin"][row]), [np.array([row])]) for row in rows]
    first = table.filter(pl.col("network") == 0)
    layers = range(1, len(moments.layers))
    with style.context(axes__titlesize=9):
        figure, axes = style.subplots(3, len(layers), height=1.9, width=style.WIDTH + 1.4)
        for layer in layers:
            column = axes[:, layer - 1]
            title, values = weight_panels(moments)[layer - 1]
            draw(column[0], values, bins)
            column[0].tick_params(axis="x", labelsize=6)
            column[0].set_title(title)
            draw(column[1], strength_panels(moments)[layer][1], bins)
            own = first.filter(pl.col("layer") == layer)
            colors = [shade(number / (BINS - 1)) for number, _ in bins]
            for mean, spread, accuracy, color in zip(
                own["mean"], own["fluctuation"], own["accuracy"], colors, strict=True
            ):
                column[2].errorbar([accuracy], [mean], yerr=[spread], fmt="o", color=color, capsize=2, ms=3)
            column[2].set_xlabel("accuracy")
        for panel, label in zip(axes[:, 0], ("link weights", "strength", "strength,\n± fluctuation"), strict=True):
            panel.set_ylabel(label)
        figure.colorbar(scale(), ax=axes, label="test accuracy", fraction=0.02, pad=0.01)
        return figure
