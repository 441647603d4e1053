"""Performance beside table 1, distances between layers, correlations, and dead units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from synaplex.report import style
from synaplex.studies.la_malfa_2024.comparisons import (
    DEEP,
    MATCHES,
    SHALLOW,
    Observations,
    chance_distances,
    layer_distances,
)
from synaplex.studies.la_malfa_2024.figures.palette import ACTIVATIONS, LABELS
from synaplex.studies.la_malfa_2024.performance import PUBLISHED
from synaplex.studies.la_malfa_2024.population import Observed
from synaplex.studies.la_malfa_2024.recipe import KINDS, NAMES, Kind
from synaplex.studies.la_malfa_2024.versions import NULL_VERSIONS


def performance(field: Observations, datasets: Sequence[str]) -> Figure:
    """A panel a dataset: networks by kind and activation, the published range as a band; errors on a second axis."""
    with style.context():
        figure, axes = style.subplots(1, 2 * len(datasets), height=2.7, width_ratios=[3, 1.3] * len(datasets))
        classifying: list[Kind] = [kind for kind in KINDS if kind != "autoencoder"]
        reconstructing: list[Kind] = ["autoencoder"]
        for number, dataset in enumerate(datasets):
            for panel, kinds in (
                (axes[0, 2 * number], classifying),
                (axes[0, 2 * number + 1], reconstructing),
            ):
                for place, kind in enumerate(kinds):
                    if said := PUBLISHED.get((kind, dataset)):
                        panel.fill_between(
                            [place - 0.42, place + 0.42], said.low, said.high, color=style.GRID, lw=0, zorder=0
                        )
                    for cell, one in field.items():
                        if (cell.kind, cell.dataset) == (kind, dataset):
                            shift = {"linear": -0.24, "relu": 0.0, "sigmoid": 0.24}[cell.activation]
                            at = np.full(one.networks, place + shift + (cell.depth - 6) * 0.02)
                            panel.plot(at, one.performance, ".", ms=3.5, color=ACTIVATIONS[cell.activation])
                panel.set_xticks(range(len(kinds)), [NAMES[kind] for kind in kinds])
                panel.set_xlim(-0.6, len(kinds) - 0.4)
            axes[0, 2 * number].set_title(dataset)
            axes[0, 2 * number].set_ylabel("test accuracy")
            axes[0, 2 * number].set_ylim(0, 1)
            axes[0, 2 * number + 1].set_ylabel("mean squared error")
            axes[0, 2 * number + 1].set_yscale("log")
        for name, color in ACTIVATIONS.items():
            axes[0, 0].plot([], [], ".", color=color, label=LABELS[name])
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=3)
        return figure


def depths(pairs: Sequence[tuple[Observed, Observed]]) -> Figure:
    """A panel a pair of a deep and a shallow cell: mean Wasserstein distance of each layer to each, and by chance.

    Three panels a row; the layers that the paper pairs are framed.
    """
    columns = min(3, len(pairs))
    with style.context(axes__grid=False):
        figure, axes = style.subplots(-(-len(pairs) // columns), columns, height=1.9, sharey=True)
        image = None
        for panel in axes.ravel()[len(pairs) :]:
            panel.set_visible(False)
        for panel, (deep, shallow) in zip(axes.ravel(), pairs, strict=False):
            table = np.array(
                [[layer_distances(deep, own, shallow, other).mean() for own in deep.layers] for other in shallow.layers]
            )
            chance = [chance_distances(deep, own).mean() for own in deep.layers]
            table = np.vstack([table, chance])
            image = panel.imshow(table, cmap="viridis_r", vmin=0, vmax=1, aspect="auto")
            for (row, column), value in np.ndenumerate(table):
                shade = style.contrast(image.cmap(image.norm(value)))
                panel.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=7.5, color=shade)
            panel.set_xticks(range(len(deep.layers)), [str(layer + 1) for layer in deep.layers])
            panel.set_yticks(
                range(len(table)), [*(f"layer {layer + 1} of {SHALLOW}" for layer in shallow.layers), "by chance"]
            )
            for own, other in MATCHES.items():
                frame = Rectangle((own - 1.5, other - 1.5), 1, 1, fill=False, ec=style.PALETTE[1], lw=2)
                panel.add_patch(frame)
            panel.set_title(f"{NAMES[deep.cell.kind]}, {LABELS[deep.cell.activation]}")
        for panel in axes[-1]:
            panel.set_xlabel(f"layer of {DEEP}")
        if image is not None:
            figure.colorbar(image, ax=axes, fraction=0.02, pad=0.01, label="standard deviations")
        return figure


def tests_figure(tests: pl.DataFrame, claims: dict[str, str], label: str, criterion: tuple[float, ...]) -> Figure:
    """A panel a claim, a row a kind of network: every test as a dot, null models as marks."""
    marks = dict(zip(NULL_VERSIONS, ("x", "+", "1"), strict=True))
    with style.context():
        figure, axes = style.subplots(1, len(claims), height=2.6, sharey=True)
        for panel, (claim, title) in zip(axes[0], claims.items(), strict=True):
            own = tests.filter(pl.col("claim") == claim)
            for place, kind in enumerate(KINDS):
                some = own.filter(pl.col("kind") == kind)
                spread = np.linspace(-0.3, 0.3, max(2, len(some)))[: len(some)]
                colors = [ACTIVATIONS[name] for name in some["activation"]]
                panel.scatter(some["value"], place + spread, s=9, color=colors, lw=0, zorder=3)
                for name, mark in marks.items():
                    panel.scatter(
                        some[name], place + spread, s=12, color=style.MUTED, marker=mark, lw=0.6, alpha=0.6, zorder=2,
                        label=name if place == 0 else None,
                    )  # fmt: skip
            for edge in criterion:
                panel.axvline(edge, color=style.MUTED, lw=0.8, ls="--")
            panel.set_yticks(range(len(KINDS)), [NAMES[kind] for kind in KINDS])
            panel.set_xlabel(label)
            panel.set_title(title)
        axes[0, 0].invert_yaxis()
        for name, color in ACTIVATIONS.items():
            axes[0, 0].plot([], [], ".", color=color, label=LABELS[name])
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=6)
        return figure
