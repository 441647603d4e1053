"""The paper's numbers, and statistics of ours on made-up courses."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import f, ttest_rel

from synaplex.studies.heath.centrality_findings import largest_by_chance
from synaplex.studies.heath.comparison import farthest, until_both
from synaplex.studies.heath.findings import equal_treatments
from synaplex.studies.heath.grids import by_growth_table, corrected, differences, paired_test
from synaplex.studies.heath.growth import beyond_trend, of_changes, slope_ratio
from synaplex.studies.heath.published import CENTRALITIES, EPOCHS, contradictions, growth, mean_at, sigma_at
from synaplex.studies.heath.results import complete


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


@pytest.mark.parametrize(("treatments", "blocks"), [(2, 5), (4, 3), (11, 3)])
def test_treatments_are_compared_within_blocks(treatments, blocks):
    random = np.random.default_rng(treatments)
    values = random.normal(size=(treatments, blocks)) + 5 * random.normal(size=blocks)
    p = equal_treatments(values)
    if treatments == 2:
        assert p == pytest.approx(ttest_rel(*values).pvalue)
    # A linear model with a column a treatment and a block, against the one with blocks alone.
    seen = values.ravel()
    block = np.tile(np.eye(blocks), (treatments, 1))
    both = np.hstack([block, np.repeat(np.eye(treatments), blocks, axis=0)])
    left = [float(((seen - x @ np.linalg.lstsq(x, seen)[0]) ** 2).sum()) for x in (block, both)]
    freedom = (treatments - 1, (treatments - 1) * (blocks - 1))
    assert p == pytest.approx(f.sf((left[0] - left[1]) / freedom[0] / (left[1] / freedom[1]), *freedom))
    assert equal_treatments(np.tile(values[0], (treatments, 1))) == 1
    assert equal_treatments(np.arange(treatments)[:, None] + np.tile(values[0], (treatments, 1))) < 1e-6


def test_a_diverged_network_leaves_its_seed_out():
    values = pl.DataFrame(
        [("a", 0, 1.0), ("b", 0, 3.0), ("a", 1, 2.0), ("b", 1, 3.0), ("c", 0, 5.0)],
        schema=["method", "seed", "value"],
        orient="row",
    )
    assert differences(values, ["b"], ["a"]) == [2.0, 1.0]
    assert differences(values, ["b", "c"], ["a", "a"]) == [3.0]
    assert differences(values, ["b", "static / random"], ["a", "static / away"]) == [2.0, 1.0]  # no such cells at all
    rows = [
        {"stage": "grid", "recipe": "released", "method": m, "seed": 0, "epoch": e, "planned": 3}
        for m, last in (("whole", 3), ("diverged", 2))
        for e in range(1, last + 1)
    ]
    assert complete(pl.DataFrame(rows))["method"].unique().to_list() == ["whole"]


def test_z_is_held_against_one_more_draw():
    assert largest_by_chance(20) == pytest.approx(2.145, abs=1e-3)
    assert largest_by_chance(5) == pytest.approx(3.041, abs=1e-3)
