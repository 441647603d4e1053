"""The grid of drop and grow rules at equal budget, which tells whether centrality helps."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
from scipy.stats import t as student

from synaplex.studies.heath.results import Results, complete, interval

REFERENCE = "SET / random"
"""What every other cell is compared with: SET itself."""

_SCHEMA = {
    "networks": pl.Int64,
    "points": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "p": pl.Float64,
    "p, corrected": pl.Float64,
}


def accuracies(results: Results) -> pl.DataFrame:
    """Accuracy in per cent of each cell and seed trained to the end: `method`, `drop`, `grow`, `seed`, `value`."""
    own = complete(results.epochs.filter(pl.col("stage") == "grid"))
    values = results.last(own).with_columns(pl.col("value") * 100)
    parts = pl.col("method").str.split_exact(" / ", 1).struct.rename_fields(["drop", "grow"])
    return values.with_columns(parts.alias("rules")).unnest("rules")


def grid_table(results: Results) -> pl.DataFrame:
    """A row a cell: accuracy, and its difference from SET seed by seed, with intervals and corrected p-values.

    The correction is Holm's, over all cells.
    """
    values = accuracies(results)
    own = complete(results.epochs.filter(pl.col("stage") == "grid"))
    rows = []
    for method in values["method"].unique(maintain_order=True):
        mine = values.filter(pl.col("method") == method)
        some = own.filter(pl.col("method") == method)
        rounds = some.filter(pl.col("epoch") < pl.col("planned"))
        row = {
            "cell": method,
            "accuracy": mine["value"].mean(),
            "dropped a round %": 100 * float((rounds["dropped"] / rounds["connections"]).mean() or 0),  # type: ignore[arg-type]
            "explored %": 100 * float(some["explored"].max() or 0),  # type: ignore[arg-type]
            "neurons without inputs": float(
                some.filter(pl.col("epoch") == pl.col("planned"))["neurons_without_inputs"].mean() or 0  # type: ignore[arg-type]
            ),
        }
        rows.append({**row, **paired_test(differences(values, [method], [REFERENCE]), same=method == REFERENCE)})
    head = {"cell": pl.String, "accuracy": pl.Float64, "dropped a round %": pl.Float64, "explored %": pl.Float64}
    frame = pl.DataFrame(rows, schema={**head, "neurons without inputs": pl.Float64, **_SCHEMA})
    return corrected(frame)


def effects_table(results: Results) -> pl.DataFrame:
    """The effect of one rule in the place of another, averaged over the rules at the other side, seed by seed."""
    values = accuracies(results)
    rows = []
    for side, other in (("drop", "grow"), ("grow", "drop")):
        names = [name for name in values[side].unique(maintain_order=True) if name not in (None, "static")]
        mates = [name for name in values[other].unique(maintain_order=True) if name is not None]
        for one, base in itertools.permutations(names, 2):
            if (side, one, base) not in _ASKED:
                continue
            pair = [[f"{n} / {m}" if side == "drop" else f"{m} / {n}" for m in mates] for n in (one, base)]
            found = paired_test(differences(values, *pair))
            rows.append({"rule": side, "difference": f"{one} − {base}", **found})
    evolving = [name for name in values["method"].unique(maintain_order=True) if name != "static"]
    if len(values):
        found = paired_test(differences(values, evolving, ["static"] * len(evolving)))
        rows.append({"rule": "all", "difference": "all that evolve − static", **found})
        rows.append(
            {"rule": "all", "difference": "SET − static", **paired_test(differences(values, [REFERENCE], ["static"]))}
        )
    return corrected(pl.DataFrame(rows, schema={"rule": pl.String, "difference": pl.String, **_SCHEMA}))


def by_growth_table(values: pl.DataFrame) -> pl.DataFrame:
    """Dropping where neurons are least central in the place of other drop rules, under each grow rule by itself.

    Parameters
    ----------
    values
        From `accuracies`.
    """
    known = set(values["method"].to_list())
    rows = []
    for grow in values["grow"].drop_nulls().unique(maintain_order=True):
        for base in ("random", "SET", "least strength"):
            one, other = f"least Laplacian / {grow}", f"{base} / {grow}"
            if {one, other} <= known:
                found = paired_test(differences(values, [one], [other]))
                rows.append({"grow": grow, "difference": f"least Laplacian − {base}", **found})
    frame = pl.DataFrame(rows, schema={"grow": pl.String, "difference": pl.String, **_SCHEMA}, strict=False)
    return frame.drop("p", "p, corrected")


_ASKED = {
    *(("drop", f"least {name}", base) for name in ("Laplacian", "strength", "Katz") for base in ("random", "SET")),
    ("drop", "SET", "random"),
    ("drop", "least Laplacian", "least strength"),
    *(("grow", name, "random") for name in ("central", "away", "gradient", "CH2-L3n")),
    ("grow", "central", "away"),
}
"""Comparisons that were fixed before anything was seen."""


def differences(values: pl.DataFrame, methods: list[str], bases: list[str]) -> list[float]:
    """For each seed that has them all, the mean difference between methods and what each is compared with."""
    table = {
        (str(method), int(seed)): float(value)
        for method, seed, value in values.select("method", "seed", "value").rows()
    }
    there = set(values["method"].to_list())
    asked = [pair for pair in zip(methods, bases, strict=True) if there.issuperset(pair)]  # not all rules combine
    found = []
    for seed in sorted(set(values["seed"].to_list())):
        pairs = [(table.get((one, seed)), table.get((base, seed))) for one, base in asked]
        known = [one - base for one, base in pairs if one is not None and base is not None]
        if known and len(known) == len(pairs):
            found.append(float(np.mean(known)))
    return found


def paired_test(values: list[float], *, same: bool = False) -> dict[str, float | int | None]:
    """Mean of differences with its interval and the p-value of a paired t-test."""
    mean, low, high = interval(values) if values else (0.0, 0.0, 0.0)
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    if same or not spread:
        return {"networks": len(values), "points": mean, "low": None, "high": None, "p": None}
    p = 2 * float(student.sf(abs(mean) / (spread / np.sqrt(len(values))), len(values) - 1))
    return {"networks": len(values), "points": mean, "low": low, "high": high, "p": p}


def corrected(frame: pl.DataFrame) -> pl.DataFrame:
    """With p-values corrected for their number by Holm's method."""
    known = [(p, i) for i, p in enumerate(frame["p"].to_list()) if p is not None]
    result: list[float | None] = [None] * len(frame)
    running = 0.0
    for rank, (p, i) in enumerate(sorted(known)):
        running = max(running, min(1.0, p * (len(known) - rank)))
        result[i] = running
    return frame.with_columns(pl.Series("p, corrected", result, dtype=pl.Float64))
