"""How well accuracy is predicted from structure, beside plain weight statistics: one regressor, one split for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Float
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold

from synaplex.studies.scaling import robustly_scaled

PENALTIES = tuple(10.0**power for power in range(-2, 5))
"""Of ridge regression; the training networks choose among them by leave-one-out error."""


def predicted(
    features: Float[np.ndarray, "networks features"],
    accuracy: Float[np.ndarray, " networks"],
    *,
    folds: int,
    repeats: int,
    seed: int,
) -> Float[np.ndarray, "repeats networks"]:
    """The accuracy of each network, predicted by a ridge regression that was fitted to other networks.

    Parameters
    ----------
    features
        One row a network.
    accuracy
        Of each network.
    folds, repeats, seed
        Of the cross-validation; the same splits for the same numbers, whatever the features.
    """
    model = RidgeCV(PENALTIES)
    result = np.empty((repeats, len(accuracy)))
    for repeat in range(repeats):
        for train, test in KFold(folds, shuffle=True, random_state=seed + repeat).split(features):
            known, unseen = robustly_scaled(features[train], features[test])
            result[repeat, test] = model.fit(known, accuracy[train]).predict(unseen)
    return result


@dataclass(frozen=True, eq=False)
class Scores:
    """R2 and Kendall's tau of predictions.

    Attributes
    ----------
    r2
        1 - (squared error) / (variance of accuracy).
    tau
        Kendall's tau-b.
    """

    r2: Float[np.ndarray, "*draws"]
    tau: Float[np.ndarray, "*draws"]


def scores(
    predictions: Float[np.ndarray, "repeats networks"],
    accuracy: Float[np.ndarray, " networks"],
    counts: Float[np.ndarray, "draws networks"],
) -> Scores:
    """Scores over all networks, mean over the repeats, with each network counted as often as `counts` says.

    A row of ones counts every network once; a row of a multinomial draw is a bootstrap sample.
    Cost: O(repeats * draws * networks^2).
    """
    mean = counts @ accuracy / counts.sum(axis=1)
    variance = counts @ accuracy**2 - counts.sum(axis=1) * mean**2
    r2, tau = np.zeros(len(counts)), np.zeros(len(counts))
    of_accuracy = np.sign(accuracy[:, None] - accuracy)
    pairs = _pairs(counts, of_accuracy**2)
    for row in predictions:
        r2 += 1 - counts @ (accuracy - row) ** 2 / np.where(variance > 0, variance, np.inf)
        of_prediction = np.sign(row[:, None] - row)
        size = np.sqrt(pairs * _pairs(counts, of_prediction**2))
        tau += _pairs(counts, of_accuracy * of_prediction) / np.where(size > 0, size, 1.0)
    return Scores(r2 / len(predictions), tau / len(predictions))


def _pairs(
    counts: Float[np.ndarray, "draws networks"], matrix: Float[np.ndarray, "networks networks"]
) -> Float[np.ndarray, " draws"]:
    """The sum of the matrix over all pairs, each counted as often as both its networks are."""
    return np.asarray(((counts @ matrix) * counts).sum(axis=1))


def compare_features(
    sets: Mapping[str, Float[np.ndarray, "networks _"]],
    accuracy: Float[np.ndarray, " networks"],
    baseline: str,
    *,
    folds: int = 5,
    repeats: int = 10,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> pl.DataFrame:
    """How well each set of features predicts accuracy, beside a baseline.

    Parameters
    ----------
    sets
        Features by name, one row a network.
    accuracy
        Of each network.
    baseline
        The set that the others are compared with.
    folds, repeats, seed
        Of the cross-validation.
    resamples, confidence
        Of the bootstrap over networks, given the predictions. All sets are scored on the same samples.

    Returns
    -------
    polars.DataFrame
        A row a set: `features`, `columns` (how many), `r2` and `tau`, each with `_low` and `_high`, and
        `r2_above_baseline` (the difference of the two R2) with its interval.
    """
    generator = np.random.default_rng(seed)
    networks = len(accuracy)
    counts = generator.multinomial(networks, np.full(networks, 1 / networks), size=resamples).astype(np.float64)
    once = np.ones((1, networks))
    results = {}
    for name, features in sets.items():
        guesses = predicted(features, accuracy, folds=folds, repeats=repeats, seed=seed)
        results[name] = scores(guesses, accuracy, once), scores(guesses, accuracy, counts)
    tail = [(1 - confidence) / 2, (1 + confidence) / 2]
    rows = []
    for name, (whole, drawn) in results.items():
        base, base_drawn = results[baseline]
        row: dict[str, object] = {"features": name, "columns": sets[name].shape[1]}
        for key, value, sample in (
            ("r2", whole.r2[0], drawn.r2),
            ("tau", whole.tau[0], drawn.tau),
            ("r2_above_baseline", whole.r2[0] - base.r2[0], drawn.r2 - base_drawn.r2),
        ):
            low, high = np.quantile(sample, tail)
            row |= {key: float(value), f"{key}_low": float(low), f"{key}_high": float(high)}
        rows.append(row)
    return pl.DataFrame(rows).with_columns(pl.col("columns").cast(pl.Int32))


def score(
    features: Float[np.ndarray, "networks features"],
    accuracy: Float[np.ndarray, " networks"],
    *,
    folds: int,
    repeats: int,
    seed: int,
) -> tuple[float, float]:
    """R2 and tau of one set of features, without intervals."""
    guesses = predicted(features, accuracy, folds=folds, repeats=repeats, seed=seed)
    result = scores(guesses, accuracy, np.ones((1, len(accuracy))))
    return float(result.r2[0]), float(result.tau[0])


def sampling_noise(accuracy: Float[np.ndarray, " networks"], test_size: int) -> tuple[float, float]:
    """The part of the spread of accuracies that is chance of a finite test set.

    Returns
    -------
    tuple of float
        The standard deviation that a test set of that size alone causes, sqrt(mean(a (1 - a)) / test_size), and the R2
        that it leaves for a perfect prediction, 1 - (its square) / (variance of the accuracies).
    """
    noise = float((accuracy * (1 - accuracy)).mean() / test_size)
    spread = float(accuracy.var())
    return float(np.sqrt(noise)), max(0.0, 1 - noise / spread) if spread > 0 else 0.0
