"""The final comparison: table 4 beside ours, and paired differences between methods."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import polars as pl

from synaplex.studies.heath.centralities import VERSIONS
from synaplex.studies.heath.published import TABLE_4, family
from synaplex.studies.heath.recipe import RELEASED, STATED
from synaplex.studies.heath.results import Results, interval, paired

PAIRS = (("SET", "static"), ("CenSET", "static"), ("CenSET", "SET"), ("CenSET", "MLP"), ("SET", "MLP"))
"""Methods that are compared, seed by seed."""


def final_table(results: Results) -> pl.DataFrame:
    """A row a recipe and method: accuracy and centralities over the last epochs, connections, beside table 4."""
    rows = []
    for recipe in (RELEASED, STATED):
        own = farthest(results.final(recipe.name))
        for method in own["method"].unique(maintain_order=True):
            some = own.filter(pl.col("method") == method)
            accuracy = results.last(some)
            said = TABLE_4.get(results.dataset, {}).get(family(method)) if recipe is RELEASED else None
            row = {
                "recipe": recipe.name,
                "method": method,
                "networks": len(accuracy),
                "epochs": _reached(accuracy),
                "accuracy %": _with_spread(accuracy["value"] * 100),
                "table 4: accuracy %": said and said[0],
                "connections": round(float(some["connections"].mean())),  # type: ignore[arg-type]
                "table 4: connections": said and said[1],
            }
            for name in VERSIONS:
                found = (
                    results.last(some, f"{name}_{part}")["value"].drop_nulls().to_numpy() for part in ("mean", "sigma")
                )
                mean, sigma = (float(one.mean()) if len(one) else None for one in found)
                row[f"LC, {name}"] = None if mean is None else f"{mean:.3f} ± {sigma:.3f}"
            row["table 4: LC"] = said and f"{said[2][0]:.3f} ± {said[2][1]:.3f}"
            ends = some.filter(pl.col("epoch") == pl.col("epoch").max().over("seed"))
            row["explored %"] = _percent(ends["explored"])
            row["neurons without inputs"] = ends["neurons_without_inputs"].mean()
            row["MFLOP a sample"] = float(ends["flops"].mean()) / 1e6  # type: ignore[arg-type]
            rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None)


def farthest(rows: pl.DataFrame) -> pl.DataFrame:
    """The networks of each method that have gone as far as any: a mean over others is of no moment of training."""
    reached = pl.col("epoch").max()
    return rows.filter(reached.over("method", "seed") == reached.over("method"))


def until_both(rows: pl.DataFrame, one: str, other: str) -> pl.DataFrame:
    """The rows of two methods, up to the last epoch that both have reached."""
    own = rows.filter(pl.col("method").is_in([one, other]))
    return own.filter(pl.col("epoch") <= pl.col("epoch").max().over("method").min())


def _reached(values: pl.DataFrame) -> str:
    reached, planned = values["reached"].to_list(), max(values["planned"].to_list())
    low, high = min(reached), max(reached)
    if low == planned:
        return str(planned)
    return f"{low} of {planned}" if low == high else f"{low} to {high} of {planned}"


def _with_spread(values: pl.Series) -> str:
    known = values.to_numpy()
    return f"{known.mean():.2f}" + (f" ± {known.std(ddof=1):.2f}" if len(known) > 1 else "")


def _percent(values: pl.Series) -> float | None:
    mean = values.mean()
    return 100 * mean if isinstance(mean, float) else None


def differences_table(results: Results) -> pl.DataFrame:
    """Differences of accuracy between methods of the same seed, in points, with 95% intervals, beside table 4."""
    rows = []
    for recipe in (RELEASED, STATED):
        own = farthest(results.final(recipe.name))
        names = own["method"].unique(maintain_order=True).to_list()
        for one, other in PAIRS:
            first, second = full_name(one, names), full_name(other, names)
            both = paired(results.last(until_both(own, first, second)), first, second)
            if not len(both):
                continue
            differences = (100 * both["difference"]).to_list()
            mean, low, high = interval(differences)
            said = TABLE_4.get(results.dataset, {})
            known = one in said and other in said and recipe is RELEASED
            rows.append(
                {
                    "recipe": recipe.name,
                    "difference": f"{one} − {other}",
                    "seeds": len(differences),
                    "epochs": min(both["reached"].to_list()),
                    "planned": max(both["planned"].to_list()),
                    "points": round(mean, 6),
                    "low": low if isfinite(low) else None,
                    "high": high if isfinite(high) else None,
                    "table 4": said[one][0] - said[other][0] if known else None,
                }
            )
    return pl.DataFrame(
        rows,
        schema={
            "recipe": pl.String,
            "difference": pl.String,
            "seeds": pl.Int64,
            "epochs": pl.Int64,
            "planned": pl.Int64,
            "points": pl.Float64,
            "low": pl.Float64,
            "high": pl.Float64,
            "table 4": pl.Float64,
        },
    )


def full_name(name: str, methods: Sequence[str]) -> str:
    """The method of a family: CenSET with its threshold."""
    return next((method for method in methods if family(method) == name), name)
