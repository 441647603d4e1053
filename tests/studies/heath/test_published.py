"""The paper's numbers, and statistics of ours on made-up courses."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import ttest_rel

from synaplex.studies.heath.comparison import farthest, until_both
from synaplex.studies.heath.grids import by_growth_table, corrected, paired_test
from synaplex.studies.heath.growth import beyond_trend, of_changes, slope_ratio
from synaplex.studies.heath.published import CENTRALITIES, EPOCHS, contradictions, growth, mean_at, sigma_at


def test_means_stand_where_they_belong():
    # What the published data hold for the MLP at epochs 25, 50 and 75: 1.72, 2.41 and 2.73.
    assert [mean_at("fashion-mnist", "MLP", epoch) for epoch in (25, 50, 75)] == pytest.approx(
        [1.72, 2.41, 2.73], abs=0.011
    )
    assert mean_at("fashion-mnist", "CenSET 2.6", 25) == 0.34
    assert sigma_at("fashion-mnist", "MLP", 25) == 3.38
    assert mean_at("fashion-mnist", "SET", 100) is None
    assert mean_at("digits", "SET", 0) is None
    for dataset, table in CENTRALITIES.items():
        assert {len(rows) for rows in table.values()} == {len(EPOCHS[dataset])}
    printed = [mean for mean, _ in CENTRALITIES["cifar10"]["MLP"]]
    assert printed[0::2] == printed[1::2]


def test_what_the_text_calls_growth_per_epoch_is_per_row():
    assert growth("MLP", "fashion-mnist")[0] == pytest.approx(0.269, abs=0.001)
    assert growth("MLP", "cifar10")[0] == pytest.approx(0.165, abs=0.001)
    assert growth("SET", "fashion-mnist")[1] == pytest.approx(8.84 / 0.42)
    said = " ".join(one.tables for one in contradictions())
    for number in ("1.13", "2.43", "2.74", "factors of 21 and 86", "3.2 sigma"):
        assert number in said


def test_courses():
    time = np.arange(60.0)
    random = np.random.default_rng(0)
    assert slope_ratio(3 * time + 1) == pytest.approx(1)
    assert slope_ratio(np.sqrt(time)) < 0.6
    assert slope_ratio(time**2) == pytest.approx(3, rel=0.1)
    # Two quantities that rise and have nothing else in common.
    unrelated = [time + random.normal(size=60) for _ in range(2)]
    assert np.corrcoef(*unrelated)[0, 1] > 0.9
    assert abs(beyond_trend(*unrelated)) < 0.3
    assert abs(of_changes(*unrelated)) < 0.3
    common = 3 * random.normal(size=60)
    related = [time + common + random.normal(size=60) for _ in range(2)]
    assert beyond_trend(*related) > 0.6
    assert of_changes(*related) > 0.6


def test_paired_tests_and_their_correction():
    random = np.random.default_rng(1)
    one, other = random.normal(1, 1, 6), random.normal(0, 1, 6)
    found = paired_test(list(one - other))
    assert found["p"] == pytest.approx(ttest_rel(one, other).pvalue)
    interval = ttest_rel(one, other).confidence_interval(0.95)
    assert (found["low"], found["high"]) == pytest.approx((interval.low, interval.high))
    assert paired_test([0.5])["p"] is None
    frame = corrected(pl.DataFrame({"p": [0.01, None, 0.04, 0.03]}))
    assert frame["p, corrected"].to_list() == [pytest.approx(0.03), None, pytest.approx(0.06), pytest.approx(0.06)]


def test_drop_rules_are_compared_under_each_grow_rule():
    cells = {
        "least Laplacian / random": (81.0, 83.0),
        "random / random": (80.0, 81.0),
        "least Laplacian / away": (70.0, 71.0),
    }
    rows = [
        {"method": cell, "grow": cell.split(" / ")[1], "seed": seed, "value": value}
        for cell, values in cells.items()
        for seed, value in enumerate(values)
    ]
    table = by_growth_table(pl.DataFrame(rows))
    assert table.select("grow", "difference", "networks", "points").rows() == [
        ("random", "least Laplacian − random", 2, 1.5)
    ]
    assert table["low"][0] < 1.5 < table["high"][0]
    assert "p" not in table.columns


def test_networks_that_lag_behind_are_left_out_of_means():
    rows = [
        {"method": m, "seed": s, "epoch": e}
        for m, s, to in (("a", 0, 3), ("a", 1, 2), ("b", 0, 1))
        for e in range(1, to + 1)
    ]
    kept = farthest(pl.DataFrame(rows))
    assert kept.rows() == [("a", 0, 1), ("a", 0, 2), ("a", 0, 3), ("b", 0, 1)]


def test_methods_are_compared_at_an_epoch_that_both_have_reached():
    reached = {"a": 5, "b": 3, "c": 9}
    rows = pl.DataFrame([{"method": m, "seed": 0, "epoch": e} for m, to in reached.items() for e in range(1, to + 1)])
    for one, other, last in (("a", "b", 3), ("c", "a", 5), ("c", "none", 9)):
        kept = until_both(rows, one, other)
        known = {one, other} & set(reached)
        assert kept["epoch"].max() == last
        assert sorted(kept.rows()) == sorted((m, 0, e) for m in known for e in range(1, last + 1))
