"""The shape of distributions, against SciPy and against distributions whose shape is known."""

import numpy as np
import pytest
from scipy import stats

from synaplex.studies.shape import density, distance, kurtosis, skewness, trend, two_humps

RNG = np.random.default_rng(0)
SKEWED = RNG.gamma(2.0, size=800)


def test_moments_and_trend_equal_scipy():
    assert skewness(SKEWED) == pytest.approx(stats.skew(SKEWED))
    assert kurtosis(SKEWED) == pytest.approx(stats.kurtosis(SKEWED))
    assert (skewness(np.ones(5)), kurtosis(np.ones(5))) == (0.0, 0.0)
    x, y = RNG.integers(0, 6, 50).astype(float), RNG.integers(0, 6, 50).astype(float)
    assert trend(x, y) == pytest.approx(stats.spearmanr(x, y).statistic)
    assert trend(np.ones(4), np.arange(4.0)) == 0.0


def test_density_is_the_kernel_estimate():
    values = RNG.normal(3, 2, 500)
    grid = np.linspace(-6, 12, 240)
    quartiles = np.quantile(values, [0.25, 0.75])
    width = 0.9 * min(values.std(), (quartiles[1] - quartiles[0]) / 1.34) * 500**-0.2
    exact = stats.norm.pdf(grid[:, None], values, width).mean(axis=1)
    assert density(values, grid) == pytest.approx(exact, abs=2e-3 * exact.max())


def test_distance_is_that_of_wasserstein_in_deviations():
    first, second = RNG.normal(0, 1, 4000), RNG.normal(0.7, 2, 4000)
    spread = np.sqrt((first.var() + second.var()) / 2)
    assert distance(first, second) == pytest.approx(stats.wasserstein_distance(first, second) / spread, rel=0.03)
    assert distance(10 * first, 10 * second) == pytest.approx(distance(first, second))


@pytest.mark.parametrize(
    ("draw", "expected"),
    [
        (lambda n: RNG.normal(size=n), False),
        (lambda n: RNG.standard_t(3, size=n), False),
        (lambda n: RNG.exponential(size=n), False),
        (lambda n: np.concatenate([RNG.normal(0, 1, n // 2), RNG.normal(5, 1, n - n // 2)]), True),
        (lambda n: np.concatenate([RNG.normal(0, 1, n // 4), RNG.normal(4, 0.5, n - n // 4)]), True),
    ],
    ids=["normal", "heavy tails", "skewed", "two humps", "two unequal humps"],
)
def test_heavy_tails_are_one_hump_and_two_apart_are_two(draw, expected):
    found = two_humps(np.stack([draw(400) for _ in range(10)]))
    assert (found.mean() >= 0.9) if expected else (found.mean() <= 0.1)


def test_constant_values_have_one_hump():
    assert not two_humps(np.ones((2, 50))).any()
