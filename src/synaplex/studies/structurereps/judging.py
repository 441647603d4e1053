"""Scores of predictions for the same held-out networks, with intervals, and beside other methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from jaxtyping import Float, Int, Shaped

from synaplex.encoders.scores import SCORES

CONFIDENCE = 0.95

Values = Float[np.ndarray, " networks"]
Draws = Float[np.ndarray, " draws"]


def judged(
    predictions: Mapping[str, Values],
    actual: Values,
    *,
    beside: Sequence[str],
    groups: Int[np.ndarray, " networks"] | None = None,
    folds: Int[np.ndarray, " networks"] | None = None,
    resamples: int,
    seed: int,
) -> pl.DataFrame:
    """Pearson, Kendall's tau-b and R2 of each method, and how far its tau is above that of others.

    Parameters
    ----------
    predictions
        By method, for the same networks in the same order.
    actual
        Their performance.
    beside
        The methods that each is compared with.
    groups
        The trajectory of each row: whole trajectories are drawn.
    folds
        Rows of one fold were predicted by one regression. Scores are means over folds, each over its own rows:
        predictions of different regressions do not rank networks of different folds.
    resamples, seed
        Of the bootstrap, within folds; all methods are scored on the same samples, so that differences have intervals
        of their own.

    Returns
    -------
    polars.DataFrame
        A row a method: ``method``; ``pearson``, ``kendall``, ``r2``, and ``above NAME`` for each of `beside` (a
        difference of tau), each with ``_low`` and ``_high``; null where predictions or performance are constant.
    """
    fold = np.zeros(len(actual), dtype=np.int64) if folds is None else folds
    codes = np.arange(len(actual)) if groups is None else np.unique(groups, return_inverse=True)[1]
    generator = np.random.default_rng((seed, 11))
    counts = {value: _counts(codes[fold == value], resamples, generator) for value in np.unique(fold).tolist()}
    found = {
        name: _mean([_scores(row[fold == value], actual[fold == value], one) for value, one in counts.items()])
        for name, row in predictions.items()
    }
    rows = []
    for name, one in found.items():
        shown = dict(one)
        for other in beside:
            shown[f"above {other}"] = one["kendall"] - found[other]["kendall"]
        row: dict[str, object] = {"method": name}
        for key, sample in shown.items():
            row |= _interval(key, sample)
        rows.append(row)
    keys = (*SCORES, *(f"above {name}" for name in beside))
    figures = [f"{key}{end}" for key in keys for end in ("", "_low", "_high")]
    return pl.DataFrame(rows, schema={"method": pl.String, **dict.fromkeys(figures, pl.Float64)})


def score_of(key: str, predicted: Values, actual: Values, folds: Shaped[np.ndarray, " networks"]) -> float | None:
    """One of `SCORES`, the mean over folds; None where it is undefined."""
    own = [SCORES[key](predicted[folds == value], actual[folds == value]) for value in np.unique(folds)]
    return float(np.mean(own)) if np.isfinite(own).all() else None


def _counts(
    groups: Int[np.ndarray, " networks"], resamples: int, generator: np.random.Generator
) -> Float[np.ndarray, "draws networks"]:
    """How often each row is drawn: once in the first row, then as often as its group is."""
    codes = np.unique(groups, return_inverse=True)[1]
    count = int(codes.max()) + 1
    drawn = generator.multinomial(count, np.full(count, 1 / count), size=resamples)
    return np.concatenate([np.ones((1, len(groups))), drawn[:, codes].astype(np.float64)])


def _scores(
    predicted: Values, actual: Values, counts: Float[np.ndarray, "draws networks"]
) -> dict[str, Float[np.ndarray, " draws"]]:
    """Each of `SCORES` with each row counted so often; not a number where it is undefined. Cost: O(draws rows^2)."""
    p, a = _centred(predicted), _centred(actual)
    total = counts.sum(1)

    def covariance(one: Values, other: Values) -> Draws:
        return np.asarray(counts @ (one * other) / total - (counts @ one) * (counts @ other) / total**2)

    def pairs(matrix: Float[np.ndarray, "rows rows"]) -> Draws:
        return np.asarray(((counts @ matrix) * counts).sum(1))

    of_p, of_a = np.sign(p[:, None] - p), np.sign(a[:, None] - a)
    error = counts @ (actual - predicted) ** 2 / total
    return {
        "pearson": _ratio(covariance(p, a), np.sqrt(np.maximum(covariance(p, p) * covariance(a, a), 0))),
        "kendall": _ratio(pairs(of_p * of_a), np.sqrt(pairs(of_p**2) * pairs(of_a**2))),
        "r2": 1 - _ratio(error, covariance(a, a)),
    }


def _centred(values: Values) -> Values:
    """Values less their mean; all 0 where they differ by rounding alone."""
    if np.ptp(values) <= 1e-12 * max(float(np.abs(values).max()), 1e-300):
        return np.zeros(len(values))
    return np.asarray(values - values.mean())


def _ratio(above: Draws, below: Draws) -> Draws:
    sound = below > 0
    return np.where(sound, above / np.where(sound, below, 1.0), np.nan)


def _mean(parts: Sequence[Mapping[str, Draws]]) -> dict[str, Draws]:
    return {key: np.mean([part[key] for part in parts], axis=0) for key in SCORES}


def _interval(key: str, sample: Draws) -> dict[str, float | None]:
    """The value over all networks, and the percentile interval of the draws in which it is defined."""
    value, drawn = sample[0], sample[1:][np.isfinite(sample[1:])]
    if not np.isfinite(value) or not len(drawn):
        return {key: None, f"{key}_low": None, f"{key}_high": None}
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return {key: float(value), f"{key}_low": float(low), f"{key}_high": float(high)}
