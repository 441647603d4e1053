"""Where recurrent networks draw their strength from, trained and untrained (figure 3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from synaplex.report import style
from synaplex.studies.la_malfa_2024.comparisons import as_image
from synaplex.studies.la_malfa_2024.figures.palette import curve, ends_of, plain
from synaplex.studies.la_malfa_2024.population import Observed

_COLORS = {"trained": style.PALETTE[0], "untrained": style.PALETTE[7]}


def heat(rows: Sequence[Observed]) -> Figure:
    """A row a dataset: the density of Neurons Strength, its size by step, and heat maps over the image.

    A heat map is the mean over networks of the size of what each pixel brings at the step that reads it, as a share
    of the whole map; step t reads row t. The last one is that of the input itself.
    """
    with style.context(axes__titlesize=9.5):
        figure, axes = style.subplots(
            len(rows), 5, height=2.1, width=style.WIDTH + 0.8, width_ratios=(1.25, 1.0, 1, 1, 1)
        )
        for line, one in zip(axes, rows, strict=True):
            values = {name: one.values(1, name).ravel() for name in _COLORS}
            ends = ends_of(list(values.values()))
            for name, color in _COLORS.items():
                curve(line[0], values[name], ends, color=color, label=name)
                steps = one.arrays[f"{name}/steps"]
                line[1].plot(np.arange(1, steps.shape[1] + 1), steps.mean(0), color=color)
            plain(line[0])
            line[0].set_xlim(*ends)
            line[0].set_xlabel("Neurons Strength")
            line[0].set_ylabel(f"{one.cell.dataset}\ndensity")
            line[1].set_xlabel("step (row)")
            line[1].set_title("mean |strength|")
            line[1].set_ylim(bottom=0)
            maps = {name: shares(one.arrays[f"{name}/heat"]) for name in _COLORS}
            maps["input"] = shares(one.arrays["trained/image"])
            top = max(float(image.max()) for image in maps.values())
            for panel, (name, image) in zip(line[2:], maps.items(), strict=True):
                panel.imshow(image, cmap=style.SEQUENTIAL, vmin=0, vmax=top, interpolation="nearest")
                panel.set_title(name)
                panel.set_xticks([])
                panel.set_yticks([])
                panel.grid(False)
        line = axes[-1]
        line[2].set_ylabel("step")
        line[2].set_xlabel("pixel of the row")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=2)
        return figure


def shares(heat_of: np.ndarray) -> np.ndarray:
    """Mean over networks of |heat| as a share of each network's, channels added."""
    image = as_image(np.abs(heat_of), heat_of.shape[1])
    return np.asarray((image / image.sum((-1, -2), keepdims=True)).mean(0))
