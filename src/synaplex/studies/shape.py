"""The shape of a distribution: moments, density, distance to another, and whether it has two humps."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter1d

EVIDENCE = 10.0
"""How much lower the Bayesian information criterion of two components must be; 10 is usually called very strong."""

DIP = 0.1
"""How deep the valley between two humps must be, as a share of the lower one."""

MOST_VALUES = 1500
"""Values that a mixture is fitted to: of more, so many evenly spaced quantiles."""

_SWEEPS = 60
_CELLS = 2048


def skewness(values: Float[np.ndarray, " n"]) -> float:
    """Third standardised moment; 0 where all values are equal."""
    return _standardised(values, 3)


def kurtosis(values: Float[np.ndarray, " n"]) -> float:
    """Fourth standardised moment less 3, which is 0 for a normal distribution; 0 where all values are equal."""
    centred = values - values.mean()
    return _standardised(values, 4) - 3.0 if np.any(centred) else 0.0


def _standardised(values: Float[np.ndarray, " n"], power: int) -> float:
    centred = np.asarray(values, dtype=np.float64) - values.mean(dtype=np.float64)
    spread = math.sqrt(float((centred**2).mean()))
    return float(((centred / spread) ** power).mean()) if spread > 0 else 0.0


def density(values: Float[np.ndarray, " n"], grid: Float[np.ndarray, " points"]) -> Float[np.ndarray, " points"]:
    """Gaussian kernel density estimate on an even grid.

    The bandwidth is Silverman's, 0.9 min(deviation, IQR / 1.34) n^(-1/5), the deviation alone where the quartiles
    coincide. Values are put into fine cells first. Cost: O(n).
    """
    low, high = float(grid[0]), float(grid[-1])
    first, third = np.quantile(values, [0.25, 0.75])
    spread = min(float(values.std()), float(third - first) / 1.34) or float(values.std()) or (high - low) / 50
    width = 0.9 * spread * len(values) ** -0.2
    cell = (high - low) / _CELLS
    edges = low + cell * np.arange(-_CELLS // 2, 3 * _CELLS // 2 + 1)
    counts = np.histogram(values, bins=edges)[0] / (len(values) * cell)
    smooth = gaussian_filter1d(counts, max(width / cell, 0.5), mode="constant", truncate=5.0)
    return np.asarray(np.interp(grid, edges[:-1] + cell / 2, smooth))


def distance(first: Float[np.ndarray, " n"], second: Float[np.ndarray, " m"]) -> float:
    """Wasserstein distance of order 1 over 200 quantiles, in units of the standard deviation of both together."""
    at = (np.arange(200) + 0.5) / 200
    gap = np.abs(np.quantile(first, at) - np.quantile(second, at)).mean()
    spread = math.sqrt((float(np.var(first)) + float(np.var(second))) / 2)
    return float(gap / spread) if spread > 0 else 0.0


def two_humps(samples: Float[np.ndarray, "samples n"]) -> Bool[np.ndarray, " samples"]:
    """Whether each sample is bimodal.

    A mixture of two normal distributions must have a Bayesian information criterion lower by `EVIDENCE` than one
    normal distribution, and both its density and the kernel estimate must have two modes, each at least `DIP` as high
    as the other, with a valley of depth `DIP` between them: heavy tails and skewness alone, which also favour two
    components, are one hump.
    """
    samples = np.sort(np.asarray(samples, dtype=np.float64), axis=1)
    if samples.shape[1] > MOST_VALUES:
        at = np.linspace(0, samples.shape[1] - 1, MOST_VALUES).round().astype(np.int64)
        samples = samples[:, at]
    spread = samples.std(axis=1, keepdims=True)
    z = (samples - samples.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0)
    n = z.shape[1]
    single = -0.5 * n * (math.log(2 * math.pi) + 1)
    share, mean, deviation, likelihood = _mixture(z)
    # Three parameters more than a single normal distribution.
    better = 2 * (likelihood - single) - 3 * math.log(n) > EVIDENCE
    result = better & (spread[:, 0] > 0)
    for row in np.flatnonzero(result):
        ends = float(z[row, 0]) - 0.5, float(z[row, -1]) + 0.5
        grid = np.linspace(*ends, 400)
        scaled = (grid - mean[row][:, None]) / deviation[row][:, None]
        mixture = (share[row] / deviation[row]) @ np.exp(-0.5 * scaled**2)
        result[row] = _valley(mixture) and _valley(density(z[row], grid))
    return np.asarray(result)


def _mixture(z: Float[np.ndarray, "samples n"]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Shares, means and deviations ``(samples, 2)`` of two normal components by expectation-maximisation, and fit."""
    rows, n = z.shape
    half = n // 2
    mean = np.stack([z[:, :half].mean(axis=1), z[:, half:].mean(axis=1)], axis=1)
    deviation = np.full((rows, 2), 0.6)
    share = np.full((rows, 2), 0.5)
    likelihood = np.zeros(rows)
    for _ in range(_SWEEPS):
        scaled = (z[:, None] - mean[..., None]) / deviation[..., None]
        log = np.log(share / deviation)[..., None] - 0.5 * (scaled**2 + math.log(2 * math.pi))
        total = np.logaddexp(log[:, 0], log[:, 1])
        likelihood = total.sum(axis=1)
        duty = np.exp(log - total[:, None])
        weight = np.maximum(duty.sum(axis=2), 1e-9)
        share = np.clip(weight / n, 1e-6, 1)
        mean = (duty * z[:, None]).sum(axis=2) / weight
        deviation = np.sqrt((duty * (z[:, None] - mean[..., None]) ** 2).sum(axis=2) / weight + 1e-4)
    return share, mean, deviation, likelihood


def _valley(curve: Float[np.ndarray, " points"]) -> bool:
    """Whether a curve has two modes worth the name with a valley between them."""
    inner = curve[1:-1]
    peaks = np.flatnonzero((inner > curve[:-2]) & (inner >= curve[2:]) & (inner >= DIP * curve.max())) + 1
    if len(peaks) < 2:
        return False
    highest = peaks[curve[peaks].argmax()]
    for peak in peaks[peaks != highest]:
        low, high = min(peak, highest), max(peak, highest)
        if curve[low:high].min() < (1 - DIP) * curve[peak]:
            return True
    return False


def trend(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> float:
    """Spearman's rank correlation; 0 where either has no spread."""
    first, second = _ranks(x), _ranks(y)
    if not first.std() or not second.std():
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _ranks(values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((counts.cumsum() - (counts - 1) / 2)[place])
