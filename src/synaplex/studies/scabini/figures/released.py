"""The types on the scale of the released data, beside the released ones."""

from __future__ import annotations

import polars as pl
from matplotlib.figure import Figure

from synaplex.report import style
from synaplex.studies.scabini.analysis import Results
from synaplex.studies.scabini.labels import titled
from synaplex.studies.scabini.published import KEPT

WORDS = {
    "trained": ("here", style.INK),
    "untrained": ("here, untrained", style.MUTED),
    "shared": ("one stream", style.PALETTE[0]),
    "streams": ("own streams", style.PALETTE[0]),
    "clipped": ("clipped loss", style.PALETTE[2]),
    "exact": ("exact loss", style.PALETTE[2]),
}


def released(results: Results) -> Figure:
    """The centroids of all layers: released, ours, untrained ones and those of networks drawn from one stream."""
    table = results.tables["types_beside_released"].filter(pl.col("rows") == "all layers")
    with style.context():
        figure, axes = style.subplots(1, len(KEPT), height=3.3)
        for panel, measure in zip(axes[0], KEPT, strict=True):
            rows = table.filter(pl.col("measure") == measure)
            theirs = rows.filter(pl.col("networks") == "trained")
            panel.plot(
                theirs["type"], theirs["released"], "s-", color=style.PALETTE[1], lw=2.4, ms=7, label="released data"
            )
            for networks, (words, color) in WORDS.items():
                ours = rows.filter(pl.col("networks") == networks)
                if ours.height:
                    panel.plot(ours["type"], ours["here"], "o-", color=color, lw=1.4, ms=4.5, label=words)
            panel.set_title(titled(measure))
            panel.set_xticks(theirs["type"].to_list(), [rf"$\psi_{t}$" for t in theirs["type"]])
        axes[0, 0].set_ylabel("share of the largest value")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(handles))
        return figure
