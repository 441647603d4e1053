"""The threshold searches: tables 5 to 8 beside ours."""

from __future__ import annotations

import polars as pl

from synaplex.studies.heath.plan import FASHION_THRESHOLD, THRESHOLD
from synaplex.studies.heath.published import NARROW, TABLE_5
from synaplex.studies.heath.recipe import RELEASED
from synaplex.studies.heath.results import Results


def searched(results: Results, search: str) -> pl.DataFrame:
    """The rows of a search.

    The threshold of table 4 is trained in the final comparison, which the narrow search has the epochs of.
    """
    own = results.epochs.filter((pl.col("stage") == search) & (pl.col("recipe") == RELEASED.name))
    if search != "narrow" or not len(own) or results.settings.epochs["narrow"] != results.settings.epochs["final"]:
        return own
    k = THRESHOLD.get(results.dataset, FASHION_THRESHOLD)
    return pl.concat([own, results.final(RELEASED.name).filter(pl.col("method") == f"CenSET {k:g}")])


def thresholds_table(results: Results) -> pl.DataFrame:
    """A row a search and threshold: accuracy over the last epochs, what was dropped, and the published accuracy."""
    rows = []
    for search, said in (("wide", TABLE_5), ("narrow", NARROW)):
        own = searched(results, search)
        thresholds = {float(name.split()[1]): name for name in own["method"].unique()}
        for k, method in sorted(thresholds.items()):
            some = own.filter(pl.col("method") == method)
            accuracy = results.last(some)
            rounds = some.filter(pl.col("epoch") < pl.col("planned"))
            rows.append(
                {
                    "search": search,
                    "k": k,
                    "networks": len(accuracy),
                    "epochs": int(accuracy["reached"].max()),  # type: ignore[arg-type]
                    "planned": int(accuracy["planned"].max()),  # type: ignore[arg-type]
                    "accuracy": _number(accuracy["value"].mean(), 100),
                    "deviation": _number(accuracy["value"].std(), 100),
                    "published": said.get(results.dataset, {}).get(k),
                    "neurons a round": _number(rounds["neurons_chosen"].mean()),
                    "connections a round %": _number((rounds["dropped"] / rounds["connections"]).mean(), 100),
                    "rounds that drop nothing %": _number((rounds["dropped"] == 0).mean(), 100),
                    "explored %": _number(some["explored"].max(), 100),
                }
            )
    return pl.DataFrame(
        rows,
        schema={
            "search": pl.String,
            "k": pl.Float64,
            "networks": pl.Int64,
            "epochs": pl.Int64,
            "planned": pl.Int64,
            "accuracy": pl.Float64,
            "deviation": pl.Float64,
            "published": pl.Float64,
            "neurons a round": pl.Float64,
            "connections a round %": pl.Float64,
            "rounds that drop nothing %": pl.Float64,
            "explored %": pl.Float64,
        },
    )


def _number(value: object, factor: int | float = 1) -> float | None:
    return factor * value if isinstance(value, int | float) else None
