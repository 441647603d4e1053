"""Predictions and their scores, the separation of groups, and the scale of features."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import r2_score

from synaplex.studies.prediction import compare_features, predicted, sampling_noise, score, scores
from synaplex.studies.scabini.separability import separability, separated
from synaplex.studies.scaling import REACH, robustly_scaled

GENERATOR = np.random.default_rng(0)
ACCURACY = GENERATOR.uniform(0.5, 0.9, size=60)
TELLING = np.column_stack([ACCURACY + 0.02 * GENERATOR.normal(size=60), GENERATOR.normal(size=60)])
NOISE = GENERATOR.normal(size=(60, 3))


def test_scores_are_r2_and_kendalls_tau() -> None:
    guesses = np.round(ACCURACY + 0.1 * GENERATOR.normal(size=(2, 60)), 2)
    found = scores(guesses, ACCURACY, np.ones((1, 60)))
    assert found.r2[0] == pytest.approx(np.mean([r2_score(ACCURACY, row) for row in guesses]))
    assert found.tau[0] == pytest.approx(np.mean([stats.kendalltau(ACCURACY, row)[0] for row in guesses]))


def test_counting_a_network_twice_is_having_it_twice() -> None:
    guesses = ACCURACY[None] + 0.1 * GENERATOR.normal(size=(1, 60))
    drawn = GENERATOR.integers(60, size=60)
    counted = scores(guesses, ACCURACY, np.bincount(drawn, minlength=60)[None].astype(float))
    had = scores(guesses[:, drawn], ACCURACY[drawn], np.ones((1, 60)))
    assert counted.r2[0] == pytest.approx(had.r2[0])
    assert counted.tau[0] == pytest.approx(had.tau[0])


def test_what_tells_is_told_and_noise_is_not() -> None:
    settings = {"folds": 5, "repeats": 2, "seed": 0}
    assert score(TELLING, ACCURACY, **settings)[0] > 0.85
    assert score(NOISE, ACCURACY, **settings)[0] < 0.1
    np.testing.assert_array_equal(predicted(TELLING, ACCURACY, **settings), predicted(TELLING, ACCURACY, **settings))


def test_sets_are_compared_on_the_same_samples() -> None:
    table = compare_features({"base": NOISE, "more": TELLING, "again": NOISE}, ACCURACY, "base", resamples=50)
    base, more, again = table.rows(named=True)
    assert base["r2_above_baseline"] == base["r2_above_baseline_low"] == base["r2_above_baseline_high"] == 0
    assert more["r2_above_baseline_low"] > 0.5
    assert again["r2_above_baseline_high"] == 0
    assert more["columns"] == 2


def test_noise_of_a_finite_test_set() -> None:
    deviation, ceiling = sampling_noise(np.array([0.4, 0.6]), 24)
    assert deviation == pytest.approx(0.1)
    assert ceiling == pytest.approx(0.0)
    assert sampling_noise(np.full(3, 0.5), 100)[1] == 0.0


def test_groups_that_lie_apart_are_separated_and_others_are_not() -> None:
    order = np.argsort(ACCURACY)
    worst, best = order[:15], order[-15:]
    assert separated(TELLING, worst, best, repeats=2).mean() == 1.0
    table = separability({"telling": TELLING, "noise": NOISE}, worst, best, repeats=3, resamples=100)
    assert table["accuracy"][0] == 1.0
    assert table["low"][1] < 0.6 < table["low"][0]
    assert table["networks"].to_list() == [30, 30]


def test_single_outliers_do_not_set_the_scale() -> None:
    train = np.concatenate([NOISE, [[1e9, 0.0, 0.0]]])
    scaled, unseen = robustly_scaled(train, np.array([[-1e12, 0.0, 0.0]]))
    assert np.abs(scaled).max() <= REACH
    assert unseen[0, 0] == -REACH
    assert 0.5 < scaled[:-1, 0].std() < 2


def test_a_feature_that_does_not_vary_is_harmless() -> None:
    scaled, unseen = robustly_scaled(np.ones((10, 1)), np.ones((2, 1)))
    assert not scaled.any()
    assert not unseen.any()
