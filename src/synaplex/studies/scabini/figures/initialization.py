"""Networks with other initial weights beside the study's own."""

from __future__ import annotations

import polars as pl
from matplotlib.figure import Figure

from synaplex.report import style
from synaplex.studies.scabini.analysis import Results
from synaplex.studies.scabini.initialization import OTHERS, OWN
from synaplex.studies.scabini.labels import titled
from synaplex.studies.scabini.published import KEPT

NAMES = {
    OWN: "own (±0.9)",
    OTHERS: "own, other seeds",
    "shared": "one stream",
    "streams": "own streams",
    "clipped": "clipped loss",
    "exact": "exact loss",
}


def named(name: str) -> str:
    """An initialisation as figures call it."""
    return NAMES.get(name, f"±{name}")


def initializations(results: Results) -> Figure:
    """Accuracy (mean, one deviation, extremes) and the centroids of each."""
    table = results.tables["initializations"]
    types = results.tables["initialization_types"]
    with style.context():
        figure, axes = style.subplots(1, 1 + len(KEPT), height=3.2, width=10.5, width_ratios=(1.3, 1, 1, 1))
        panel = axes[0, 0]
        for place, row in enumerate(table.iter_rows(named=True)):
            color = _color(place, row["initialization"])
            mean, spread = 100 * row["mean"], 100 * row["standard_deviation"]
            panel.plot([100 * row["lowest"], 100 * row["highest"]], [place] * 2, color=color, lw=1)
            panel.plot([mean - spread, mean + spread], [place] * 2, color=color, lw=4, alpha=0.6)
            panel.plot(mean, place, "o", color=color, ms=6)
        names = table["initialization"].to_list()
        panel.set_yticks(range(len(names)), [named(name) for name in names])
        panel.invert_yaxis()
        panel.set_xlabel("test accuracy (%)")
        panel.grid(axis="y", visible=False)
        for panel, measure in zip(axes[0, 1:], KEPT, strict=True):
            for place, name in enumerate(names):
                rows = types.filter(pl.col("initialization") == name)
                wide = name == OWN
                panel.plot(
                    rows["type"],
                    rows[measure],
                    "o-",
                    color=_color(place, name),
                    lw=2 if wide else 1.1,
                    ms=6 if wide else 4,
                )
            panel.set_title(titled(measure))
            panel.set_xticks(rows["type"].to_list(), [rf"$\psi_{t}$" for t in rows["type"]])
        return figure


def _color(place: int, name: str) -> str:
    return style.INK if name == OWN else style.MUTED if name == OTHERS else style.color(place)
