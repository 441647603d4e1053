"""How well predictions follow performance: Pearson, Kendall and R2, with confidence intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped
from scipy.stats import kendalltau

from synaplex.errors import SpecificationError

Values = Float[np.ndarray, " networks"]


@dataclass(frozen=True)
class Score:
    """A figure with its interval.

    Attributes
    ----------
    value
        None where it is undefined.
    low, high
        The percentile interval of the bootstrap; None where it is undefined.
    reason
        Why it is undefined, or empty.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""


def pearson(predicted: Values, actual: Values) -> float:
    """Pearson's correlation; not a number where either is constant."""
    a, b = predicted - predicted.mean(), actual - actual.mean()
    size = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / size) if size > 0 and not is_constant(predicted) and not is_constant(actual) else np.nan


def kendall(predicted: Values, actual: Values) -> float:
    """Kendall's tau-b; not a number where either is constant."""
    return np.nan if is_constant(predicted) or is_constant(actual) else float(kendalltau(predicted, actual).statistic)


def r2(predicted: Values, actual: Values) -> float:
    """1 - (squared error) / (squared deviation from the mean); not a number where performance is constant."""
    spread = ((actual - actual.mean()) ** 2).sum()
    return np.nan if is_constant(actual) else float(1 - ((actual - predicted) ** 2).sum() / spread)


SCORES: dict[str, Callable[[Values, Values], float]] = {"pearson": pearson, "kendall": kendall, "r2": r2}


def decoding_scores(
    predicted: Values,
    actual: Values,
    *,
    groups: Shaped[np.ndarray, " networks"] | None = None,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Score]:
    """``pearson``, ``kendall`` (tau-b) and ``r2`` of predictions, each with a bootstrap interval over networks.

    Parameters
    ----------
    predicted, actual
        Of networks on which nothing was fitted.
    groups
        The trajectory of each network; whole groups are drawn then.
    resamples, confidence, seed
        Of the bootstrap. Samples in which a figure is undefined are left out of its interval.

    Raises
    ------
    SpecificationError
        If lengths differ or a value is not finite.

    Notes
    -----
    Undefined figures are said, not made up: of fewer than three networks, and of constant performance or predictions.
    Cost: O(resamples n log n).
    """
    if predicted.shape != actual.shape or not (np.isfinite(predicted).all() and np.isfinite(actual).all()):
        raise SpecificationError(
            f"{len(predicted)} predictions for {len(actual)} networks, all of them finite, are needed"
        )
    if len(actual) < 3:
        reason = f"{len(actual)} networks are too few for a correlation"
        return {name: Score(None, reason=reason) for name in SCORES}
    codes = np.arange(len(actual)) if groups is None else np.unique(groups, return_inverse=True)[1]
    members = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    generator = np.random.default_rng(seed)
    draws = [
        np.concatenate([members[g] for g in generator.integers(len(members), size=len(members))])
        for _ in range(resamples)
    ]
    tail = (1 - confidence) / 2
    found = {}
    for name, score in SCORES.items():
        value = score(predicted, actual)
        if np.isnan(value):
            what = "performance" if is_constant(actual) else "the prediction"
            found[name] = Score(None, reason=f"{what} is the same for all {len(actual)} networks")
            continue
        sample = np.array([score(predicted[draw], actual[draw]) for draw in draws])
        sample = sample[~np.isnan(sample)]
        if len(members) < 3 or not len(sample):
            found[name] = Score(value, reason="too few groups for an interval")
            continue
        low, high = np.quantile(sample, [tail, 1 - tail])
        found[name] = Score(value, float(low), float(high))
    return found


def is_constant(values: Values) -> bool:
    """Whether values differ by rounding alone."""
    return bool(np.ptp(values) <= 1e-12 * max(float(np.abs(values).max()), 1e-300))
