"""The paper's two selection steps: measures unrelated to accuracy go, then the dearer one of two that say the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl
from jaxtyping import Float, Int

from synaplex.studies.scabini.labels import MEASURES

SIGNIFICANCE = 0.05
LEAST_RHO = 0.1
"""A measure is related to accuracy if, in a hidden layer, Spearman's correlation of its average is significant after
Holm's correction over all measures and layers, and at least `LEAST_RHO` in absolute value. (The paper judges by eye.)
"""

RULE = (
    "Step 1 keeps a measure if its average over at least one hidden layer has a Spearman correlation with accuracy of "
    f"at least {LEAST_RHO} in absolute value, with p below {SIGNIFICANCE} after Holm's correction over all measures "
    "and layers. Step 2 goes through the measures left, the cheapest first, and removes one if, over the neurons of a "
    "hidden layer, its Pearson correlation with a measure already kept exceeds {redundancy} in absolute value."
)


@dataclass(frozen=True, eq=False)
class Selection:
    """What the two steps leave.

    Attributes
    ----------
    related
        Measures left after the first step.
    kept
        Measures left after the second, the cheapest first.
    table
        A row a measure: `measure`, `largest_rho` (Spearman's with accuracy over the layers, by absolute value),
        `p_adjusted`, `related`, `redundant_with` (null if none), `correlation` with that one, `kept`.
    """

    related: tuple[str, ...]
    kept: tuple[str, ...]
    table: pl.DataFrame


def pair_correlations(
    layers: Int[np.ndarray, " neurons"], values: Mapping[str, Float[np.ndarray, "networks neurons"]]
) -> pl.DataFrame:
    """Pearson's correlation of each pair of measures over all neurons of a hidden layer (fig. 5).

    Returns
    -------
    polars.DataFrame
        `layer`, `first`, `second` (the cheaper measure first), `pearson`, `neurons` (with both values).
    """
    rows = []
    for layer in np.unique(layers).tolist():
        columns = {name: values[name][:, layers == layer].ravel() for name in MEASURES if name in values}
        for first, second in combinations(columns, 2):
            known = np.isfinite(columns[first]) & np.isfinite(columns[second])
            rho = _pearson(columns[first][known], columns[second][known])
            rows.append((layer, first, second, rho, int(known.sum())))
    schema = {"layer": pl.Int32, "first": pl.String, "second": pl.String, "pearson": pl.Float64, "neurons": pl.Int32}
    return pl.DataFrame(rows, schema=schema, orient="row")


def select(relations: pl.DataFrame, pairs: pl.DataFrame, redundancy: float) -> Selection:
    """Both steps; see `RULE`.

    Parameters
    ----------
    relations
        Columns `measure`, `spearman`, `p_adjusted`; see `synaplex.studies.scabini.relations`.
    pairs
        From `pair_correlations`.
    redundancy
        The paper: 0.8.
    """
    strongest = {name: _strongest(relations, name) for name in MEASURES}
    related = [name for name, (rho, p) in strongest.items() if abs(rho) >= LEAST_RHO and p < SIGNIFICANCE]
    kept: list[str] = []
    rows = []
    for name, (rho, p) in strongest.items():
        twin, correlation = _nearest(name, kept, pairs) if name in related else (None, None)
        redundant = correlation is not None and abs(correlation) > redundancy
        if name in related and not redundant:
            kept.append(name)
        rows.append(
            {
                "measure": name,
                "largest_rho": rho,
                "p_adjusted": p,
                "related": name in related,
                "redundant_with": twin if redundant else None,
                "correlation": correlation if redundant else None,
                "kept": name in kept,
            }
        )
    schema = {"redundant_with": pl.String, "correlation": pl.Float64}
    return Selection(tuple(related), tuple(kept), pl.DataFrame(rows, schema_overrides=schema))


def _strongest(relations: pl.DataFrame, measure: str) -> tuple[float, float]:
    """The layer's correlation that speaks most for the measure: the smallest p-value, then the largest |rho|."""
    rows = relations.filter(pl.col("measure") == measure).select("p_adjusted", "spearman").rows()
    p, rho = min(rows, key=lambda row: (row[0], -abs(row[1])))
    return float(rho), float(p)


def _nearest(measure: str, kept: Sequence[str], pairs: pl.DataFrame) -> tuple[str | None, float | None]:
    """The kept measure, and their correlation, that resembles this one most in any layer."""
    names = pl.col("first"), pl.col("second")
    with_kept = (names[0].is_in(kept) & (names[1] == measure)) | (names[1].is_in(kept) & (names[0] == measure))
    rows = pairs.filter(with_kept).select("first", "second", "pearson").rows()
    if not rows:
        return None, None
    first, second, rho = max(rows, key=lambda row: abs(row[2]))
    return (second if first == measure else first), float(rho)


def _pearson(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> float:
    """Pearson's correlation; 0 where a measure does not vary."""
    x, y = x - x.mean(), y - y.mean()
    size = np.sqrt((x * x).sum() * (y * y).sum())
    return float((x * y).sum() / size) if size > 0 else 0.0
