"""The words and numbers that evidence is made of."""

from __future__ import annotations

from typing import Any

import polars as pl

from synaplex.studies.finding import minus, signed
from synaplex.studies.scabini.analysis import Results
from synaplex.studies.scabini.labels import MEASURES


def row_of(results: Results, table: str, **where: Any) -> dict[str, Any]:
    """The row of a table with these values."""
    return results.tables[table].row(
        by_predicate=pl.all_horizontal(pl.col(k) == v for k, v in where.items()), named=True
    )


def null_of(results: Results, quantity: str, subject: str, null: str, layer: int | None = None) -> dict[str, Any]:
    """What a null model gives for a quantity."""
    where = {"quantity": quantity, "subject": subject, "null": null}
    return row_of(results, "nulls", **where, **({} if layer is None else {"layer": layer}))


def null_text(row: dict[str, Any]) -> str:
    """Mean, deviation and z of a null model in words."""
    if row["z"] is None:
        return f"{signed(row['null_mean'])} ({row['remark']})"
    z = minus(f"{row['z']:.1f}")
    return f"{signed(row['null_mean'])} ± {row['null_deviation']:.2f} (z = {z})"


def strongest(results: Results, measure: str) -> dict[str, Any]:
    """The row of the layer whose average is related to accuracy most clearly."""
    rows = results.tables["relations"].filter(pl.col("measure") == measure)
    return rows.sort("p_adjusted", pl.col("spearman").abs(), descending=[False, True]).row(0, named=True)


def plain(measure: str) -> str:
    """The paper's symbol of a measure."""
    return MEASURES[measure].plain


def listed(measures: tuple[str, ...]) -> str:
    """Measures in words, one after the other."""
    return ", ".join(MEASURES[name].title for name in measures) or "none"


def points(share: float) -> str:
    """A share as signed percentage points."""
    return minus(f"{100 * share:+.1f}")


def interval(row: dict[str, Any], name: str, decimals: int = 2) -> str:
    """A number of a row with its interval in brackets, from the columns `name`, `name`_low and `name`_high."""
    value, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
    return minus(f"{value:.{decimals}f} [{low:.{decimals}f}, {high:.{decimals}f}]")
