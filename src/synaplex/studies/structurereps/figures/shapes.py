"""Figure 2: shapes and accuracy in the plane of the first two components, and distance beside difference."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from sklearn.decomposition import PCA

from synaplex.report import style
from synaplex.studies.structurereps.figures.palette import color
from synaplex.studies.structurereps.methods import OWN, STATISTICS, UNTRAINED
from synaplex.studies.structurereps.shapes import ShapeSpace, pairs

_BINS = 10


def shapes(space: ShapeSpace) -> Figure:
    """a, embeddings by shape; b, by accuracy; c, mean difference of accuracy by distance, two networks of one shape."""
    plane = PCA(2, random_state=0).fit_transform(space.embedded[OWN])
    with style.context():
        figure, axes = style.subplots(1, 3, height=2.9, width_ratios=[1, 1.2, 1])
        for number, name in enumerate(space.names):
            own = space.shape == number
            axes[0, 0].plot(*plane[own].T, ".", color=style.color(number), ms=4, label=name)
        axes[0, 0].legend(
            loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize=7.5, columnspacing=0.8, handletextpad=0.2
        )
        marks = axes[0, 1].scatter(*plane.T, c=space.performance, s=9, cmap=style.SEQUENTIAL)
        figure.colorbar(marks, ax=axes[0, 1], label="test accuracy")
        for panel in axes[0, :2]:
            panel.set_xlabel("first component")
            panel.set_ylabel("second component")
        for name in (OWN, UNTRAINED, STATISTICS):
            own_pairs = pairs(space, name)
            alike = space.shape[own_pairs.first] == space.shape[own_pairs.second]
            other = space.network[own_pairs.first] != space.network[own_pairs.second]
            rank = own_pairs.distance[alike & other].argsort().argsort()
            bins = rank * _BINS // len(rank)
            means = [own_pairs.difference[alike & other][bins == i].mean() for i in range(_BINS)]
            axes[0, 2].plot((np.arange(_BINS) + 0.5) / _BINS, means, ".-", color=color(name), lw=1.2, label=name)
        axes[0, 2].set_xlabel("distance (rank)")
        axes[0, 2].set_ylabel("difference of accuracy")
        axes[0, 2].legend(fontsize=7, loc="upper left")
        low, high = axes[0, 2].get_ylim()
        axes[0, 2].set_ylim(low, high + 0.4 * (high - low))
        for panel, mark in zip(axes[0], "abc", strict=True):
            style.letter(panel, mark)
        return figure
