"""How well accuracy is predicted, and by how little (the baseline)."""

from __future__ import annotations

import polars as pl
from matplotlib.figure import Figure

from synaplex.report import style
from synaplex.studies.scabini.analysis import STATNN, Results
from synaplex.studies.scabini.figures.palette import NULL, NULL_NAMES
from synaplex.studies.scabini.labels import PAPER_ORDER, titled


def prediction(results: Results) -> Figure:
    """R2 of each set of features with its interval, beside that of the null models and of plain weight statistics."""
    table = results.tables["prediction"]
    single = {f"layer averages of {measure}": titled(measure) for measure in PAPER_ORDER}
    names = table["features"].to_list()
    nulls = results.tables["nulls"].filter(pl.col("quantity") == "r2")
    counterpart = {"layer averages, all eight measures": "layer averages", "neuron types": "neuron types"}
    with style.context():
        figure, axes = style.subplots(1, 1, height=5.4)
        panel = axes[0, 0]
        base = table.row(by_predicate=pl.col("features") == STATNN, named=True)
        panel.axvspan(base["r2_low"], base["r2_high"], color=style.PALETTE[0], alpha=0.1, lw=0)
        panel.axvline(base["r2"], color=style.PALETTE[0], lw=1, ls="--")
        panel.axvline(0, color=style.MUTED, lw=0.8)
        labelled: set[str] = set()
        for place, row in enumerate(table.iter_rows(named=True)):
            color = style.PALETTE[0] if row["features"] == STATNN else style.INK
            panel.plot([row["r2_low"], row["r2_high"]], [place] * 2, color=color, lw=1.5)
            panel.plot(row["r2"], place, "o", color=color, ms=5.5)
            for shift, marker, null in ((0.22, "D", "shuffled"), (0.4, "s", "flipped")):
                drawn = nulls.filter(
                    (pl.col("subject") == counterpart.get(row["features"], "")) & (pl.col("null") == null)
                )
                for one in drawn.iter_rows(named=True):
                    mean, spread = one["null_mean"], 2 * one["null_deviation"]
                    panel.plot([mean - spread, mean + spread], [place + shift] * 2, color=NULL[null], lw=3, alpha=0.8)
                    label = None if null in labelled else f"{NULL_NAMES[null]}, ± 2 deviations"
                    panel.plot(mean, place + shift, marker, color=NULL[null], ms=4, label=label)
                    labelled.add(null)
        panel.set_yticks(range(len(names)), [single.get(name, name) for name in names])
        panel.invert_yaxis()
        panel.set_xlabel(r"$R^2$ of the accuracy of networks that the regression has not seen")
        panel.grid(axis="y", visible=False)
        figure.legend(loc="outside upper center", ncols=2)
        return figure
