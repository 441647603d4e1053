"""The relation of each layer average with accuracy: correlations with bootstrap intervals."""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl
from jaxtyping import Float
from scipy import stats

from synaplex.studies.scabini.layer_averages import LayerAverages


def correlations(
    averages: LayerAverages, accuracy: Float[np.ndarray, " networks"], kind: Literal["pearson", "spearman"]
) -> Float[np.ndarray, " features"]:
    """The correlation of each layer average with accuracy, over the networks that have one."""
    values = np.empty(len(averages.features))
    for index, column in enumerate(averages.values.T):
        known = np.isfinite(column)
        values[index] = _pearson(*_as_read(column[known], accuracy[known], kind))
    return values


def relations(
    averages: LayerAverages,
    accuracy: Float[np.ndarray, " networks"],
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> pl.DataFrame:
    """How each layer average is related to accuracy.

    Parameters
    ----------
    averages
        Of all networks.
    accuracy
        Of each network.
    resamples, confidence, seed
        Of the percentile bootstrap over networks.

    Returns
    -------
    polars.DataFrame
        A row a measure and layer: `measure`, `layer`, `networks` (with a value), `pearson` and `spearman`, each with
        `_low` and `_high`, `p` (of Spearman's, two-sided) and `p_adjusted` (Holm, over all rows).

    Notes
    -----
    Spearman's says more here: averages of measures with poles (neighbor strength and current-flow closeness divide
    by sums of signed weights) hang on single neurons. Cost: O(resamples * networks * features * log networks).
    """
    generator = np.random.default_rng(seed)
    draws = generator.integers(len(accuracy), size=(resamples, len(accuracy)))
    tail = (1 - confidence) / 2
    rows = []
    for index, (measure, layer) in enumerate(averages.features):
        known = np.isfinite(averages.values[:, index])
        x, y = averages.values[known, index], accuracy[known]
        again = draws if known.all() else generator.integers(len(x), size=(resamples, len(x)))
        row: dict[str, object] = {"measure": measure, "layer": layer, "networks": len(x)}
        for kind in ("pearson", "spearman"):
            value = float(_pearson(*_as_read(x, y, kind)))
            low, high = np.quantile(_pearson(*_as_read(x[again], y[again], kind)), [tail, 1 - tail])
            row |= {kind: value, f"{kind}_low": float(low), f"{kind}_high": float(high)}
        row["p"] = _p_value(value, len(x))
        rows.append(row)
    frame = pl.DataFrame(rows).with_columns(pl.col("layer", "networks").cast(pl.Int32))
    return frame.with_columns(p_adjusted=pl.Series(holm(frame["p"].to_numpy())))


def holm(p: Float[np.ndarray, " tests"]) -> Float[np.ndarray, " tests"]:
    """P-values adjusted for their number by Holm's step-down rule (1979).

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(raised, 1.0)
    return adjusted


def _as_read(
    x: Float[np.ndarray, "*draws networks"], y: Float[np.ndarray, "*draws networks"], kind: str
) -> tuple[Float[np.ndarray, "*draws networks"], Float[np.ndarray, "*draws networks"]]:
    """Values as they are, or as ranks."""
    return (x, y) if kind == "pearson" else (stats.rankdata(x, axis=-1), stats.rankdata(y, axis=-1))


def _pearson(
    x: Float[np.ndarray, "*draws networks"], y: Float[np.ndarray, "*draws networks"]
) -> Float[np.ndarray, "*draws"]:
    """Pearson's correlation along the last axis; 0 where one side does not vary."""
    x = x - x.mean(axis=-1, keepdims=True)
    y = y - y.mean(axis=-1, keepdims=True)
    size = np.sqrt((x * x).sum(axis=-1) * (y * y).sum(axis=-1))
    return np.asarray((x * y).sum(axis=-1) / np.where(size > 0, size, 1.0))


def _p_value(rho: float, networks: int) -> float:
    """Two-sided, from Student's t with networks - 2 degrees of freedom."""
    if abs(rho) >= 1:
        return 0.0
    return float(2 * stats.t.sf(abs(rho) * np.sqrt((networks - 2) / (1 - rho**2)), networks - 2))
