"""How well a straight line in the plane of layer averages parts the best from the worst networks (fig. 4)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from jaxtyping import Float, Int
from sklearn.model_selection import StratifiedKFold

from synaplex.studies.scaling import robustly_scaled


def separated(
    features: Float[np.ndarray, "networks axes"],
    worst: Int[np.ndarray, " n"],
    best: Int[np.ndarray, " n"],
    *,
    folds: int = 10,
    repeats: int = 1,
    seed: int = 0,
) -> Float[np.ndarray, " both"]:
    """How often each of the worst, then of the best networks falls on its side of a line fitted to the others.

    Parameters
    ----------
    features
        The axes: one row for each network of the population.
    worst, best
        Positions of the two groups, of equal size.
    folds, repeats, seed
        Of the stratified cross-validation; as many folds as a group has networks at most.

    Returns
    -------
    Float[np.ndarray, "both"]
        The share of repeats in which each network was told rightly; the mean is the accuracy, by chance 1/2.
    """
    x = features[np.concatenate([worst, best])]
    y = np.repeat([-1.0, 1.0], [len(worst), len(best)])
    right = np.zeros(len(y))
    for repeat in range(repeats):
        split = StratifiedKFold(min(folds, len(worst)), shuffle=True, random_state=seed + repeat)
        for train, test in split.split(x, y):
            right[test] += _side(x[train], y[train], x[test]) == y[test]
    return right / repeats


def _side(
    x: Float[np.ndarray, "known axes"], y: Float[np.ndarray, " known"], unseen: Float[np.ndarray, "unseen axes"]
) -> Float[np.ndarray, " unseen"]:
    """On which side of the line that parts x by y, -1 or 1, other points fall: ridge regression of y, penalty 1."""
    x, unseen = robustly_scaled(x, unseen)
    center = x.mean(axis=0)
    x = x - center
    slope = np.linalg.solve(x.T @ x + np.eye(x.shape[1]), x.T @ (y - y.mean()))
    return np.where((unseen - center) @ slope + y.mean() > 0, 1.0, -1.0)


def separability(
    features: Mapping[str, Float[np.ndarray, "networks _"]],
    worst: Int[np.ndarray, " n"],
    best: Int[np.ndarray, " n"],
    *,
    repeats: int = 10,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> pl.DataFrame:
    """The cross-validated accuracy of telling best from worst networks, for each set of features.

    Returns
    -------
    polars.DataFrame
        A row a set: `features` (its name), `networks` (of both groups), `accuracy`, `low`, `high` (bootstrap over the
        networks of each group, given the fits).
    """
    generator = np.random.default_rng(seed)
    tail = (1 - confidence) / 2
    rows = []
    for name, axes in features.items():
        right = separated(axes, worst, best, repeats=repeats, seed=seed)
        groups = np.split(right, [len(worst)])
        means = np.mean([_resampled_means(group, resamples, generator) for group in groups], axis=0)
        low, high = np.quantile(means, [tail, 1 - tail])
        rows.append((name, len(right), float(right.mean()), float(low), float(high)))
    schema = {"features": pl.String, "networks": pl.Int32} | dict.fromkeys(("accuracy", "low", "high"), pl.Float64)
    return pl.DataFrame(rows, schema=schema, orient="row")


def _resampled_means(
    values: Float[np.ndarray, " n"], resamples: int, generator: np.random.Generator
) -> Float[np.ndarray, " resamples"]:
    drawn = values[generator.integers(len(values), size=(resamples, len(values)))]
    return np.asarray(drawn.mean(axis=1))
