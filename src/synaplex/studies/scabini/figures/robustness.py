"""How the networks bear an attack, and what tells it."""

from __future__ import annotations

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from synaplex.report import style
from synaplex.studies.scabini.analysis import Results
from synaplex.studies.scabini.robustness import KNOWN


def robustness(results: Results) -> Figure:
    """Accuracy over the size of the attack, and how well the share retained is predicted."""
    curve = results.tables["robustness"]
    table = results.tables["robustness_prediction"]
    with style.context():
        figure, axes = style.subplots(1, 2, height=3.5, width_ratios=(1, 1.25))
        left, right = axes[0]
        size = curve["size"].to_numpy()
        mean, spread = 100 * curve["mean"].to_numpy(), 100 * curve["standard_deviation"].to_numpy()
        ends = 100 * curve["lowest"].to_numpy(), 100 * curve["highest"].to_numpy()
        left.fill_between(size, *ends, color=style.PALETTE[0], alpha=0.12, lw=0, label="lowest to highest")
        left.fill_between(
            size, mean - spread, mean + spread, color=style.PALETTE[0], alpha=0.3, lw=0, label="± 1 deviation"
        )
        left.plot(size, mean, "o-", color=style.PALETTE[0], label="mean")
        left.set_xlabel("change of each input")
        left.set_ylabel("test accuracy under attack (%)")
        left.set_ylim(bottom=0)
        left.legend()
        known = table.row(by_predicate=pl.col("features") == KNOWN, named=True)
        right.axvspan(known["r2_low"], known["r2_high"], color=style.PALETTE[0], alpha=0.1, lw=0)
        right.axvline(known["r2"], color=style.PALETTE[0], lw=1, ls="--")
        right.axvline(0, color=style.MUTED, lw=0.8)
        places = np.arange(table.height)
        for place, row in zip(places, table.iter_rows(named=True), strict=True):
            color = style.PALETTE[0] if row["features"] == KNOWN else style.INK
            right.plot([row["r2_low"], row["r2_high"]], [place] * 2, color=color, lw=1.5)
            right.plot(row["r2"], place, "o", color=color, ms=5)
        short = [
            name.replace(", all eight measures", "").replace("weight statistics (StatNN)", "StatNN")
            for name in table["features"]
        ]
        right.set_yticks(places, short)
        right.invert_yaxis()
        right.grid(axis="y", visible=False)
        right.set_xlabel(r"$R^2$ of the share retained under attack")
        return figure
