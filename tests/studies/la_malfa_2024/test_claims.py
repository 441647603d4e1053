"""Claims and their statistics on made-up cells with known answers."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from synaplex.studies.la_malfa_2024.claim import Claim, Criterion
from synaplex.studies.la_malfa_2024.claims import CLAIMS
from synaplex.studies.la_malfa_2024.comparisons import (
    beyond,
    central_share,
    chance_distances,
    depth_distance,
    layer_distances,
    nearest,
    of,
    relu_reach,
)
from synaplex.studies.la_malfa_2024.findings import _mean_and_z, every_test, findings, interval, overall_verdict
from synaplex.studies.la_malfa_2024.population import Observed
from synaplex.studies.la_malfa_2024.recipe import Cell
from synaplex.studies.la_malfa_2024.versions import VERSIONS

NETWORKS = 6


def observed(cell, strengths, **numbers):
    """A cell with given Neurons Strengths, ``(networks, values)`` a layer, and numbers, one a layer and version."""
    layers = len(strengths)
    arrays = {"performance": np.full(NETWORKS, 0.5)}
    for name in VERSIONS:
        arrays[f"{name}/number/mean"] = np.zeros((NETWORKS, layers))
        for layer, values in enumerate(strengths, 1):
            arrays[f"{name}/values/{layer}"] = values
        for key, value in numbers.items():
            given = value[name] if isinstance(value, dict) else value
            arrays[f"{name}/number/{key.replace('_', ' ')}"] = np.broadcast_to(given, (NETWORKS, layers)).astype(float)
    return Observed(cell, arrays)


def normal(mean, spread=1.0, seed=0, count=2000):
    return np.random.default_rng(seed).normal(mean, spread, (NETWORKS, count))


def field(*cells):
    return {one.cell: one for one in cells}


def test_layers_of_one_distribution_overlap_and_shifted_ones_do_not():
    deep = Cell("digits", "dense", 7, "linear")
    shallow = Cell("digits", "dense", 3, "linear")
    shifts = [0.0, 0.0, 5.0, 0.0, 0.0, 2.0]
    known = field(
        observed(deep, [normal(shift, seed=i) for i, shift in enumerate(shifts)]),
        observed(shallow, [normal(5.0, seed=10), normal(0.0, seed=11)]),
    )
    match = depth_distance("strength")
    assert match(known, deep, 3, "trained").max() < 0.1  # layer 4 and layer 2 of three
    assert match(known, deep, 6, "trained") == pytest.approx(2.0, abs=0.15)  # in standard deviations
    assert not len(match(known, deep, 4, "trained"))
    assert not len(match(known, shallow, 2, "trained"))
    assert nearest(known, deep, 3, "trained").max() < -4.5
    tests = every_test(known, ("digits",), [claim for claim in CLAIMS if claim.key.startswith("depth strength FC")])
    assert dict(zip(tests["layer"], tests["verdict"], strict=True)) == {4: "holds", 7: "fails"}


def test_the_nearest_layer_may_be_another():
    deep, shallow = Cell("digits", "dense", 7, "linear"), Cell("digits", "dense", 3, "linear")
    known = field(
        observed(deep, [normal(0.0), normal(0.0), normal(5.0), normal(0.0), normal(0.0), normal(0.0)]),
        observed(shallow, [normal(0.0, seed=3), normal(0.0)]),
    )
    assert nearest(known, deep, 3, "trained").min() > 4.5


def test_distances_are_those_of_scipy_in_units_of_the_spread():
    cell = Cell("digits", "cnn", 3, "relu")
    one = observed(cell, [normal(0, 2), normal(1, 3, seed=1)])
    expected = [
        stats.wasserstein_distance(a, b) / np.sqrt((a.var() + b.var()) / 2)
        for a, b in zip(one.values(1), one.values(2), strict=True)
    ]
    assert layer_distances(one, 1, one, 2) == pytest.approx(np.array(expected), rel=0.02)
    assert chance_distances(one, 1).max() < 0.1
    # Activations: negative strengths of ReLU are 0.
    assert layer_distances(one, 1, one, 1, "activation").max() == 0
    assert (one.bent(1) >= 0).all()
    assert (one.bent(2) < 0).any()


def test_a_kind_is_compared_with_the_other_kinds():
    cells = [Cell("digits", kind, 3, "sigmoid") for kind in ("dense", "cnn", "rnn", "autoencoder")]
    dead = {"dense": 0.1, "cnn": 0.3, "rnn": 0.2, "autoencoder": 0.5}
    known = field(*(observed(cell, [normal(0)] * 2, dead=dead[cell.kind]) for cell in cells))
    more = beyond("dead", lambda values: values.max(axis=0))
    assert more(known, cells[3], 1, "trained") == pytest.approx(0.2)
    assert more(known, cells[0], 1, "trained") == pytest.approx(-0.4)
    assert not len(more(known, cells[3], 2, "trained"))
    assert not len(beyond("dead", lambda values: values.max(0), activation="relu")(known, cells[3], 1, "trained"))


def test_reach_of_relu_is_compared_with_that_of_sigmoid():
    relu, sigmoid = Cell("digits", "dense", 3, "relu"), Cell("digits", "dense", 3, "sigmoid")
    known = field(observed(relu, [normal(0)] * 2, reach=3.0), observed(sigmoid, [normal(0)] * 2, reach=2.0))
    assert relu_reach(known, relu, 1, "trained") == pytest.approx(1.0)
    assert not len(relu_reach(known, sigmoid, 1, "trained"))


def test_the_middle_quarter_of_an_even_map_holds_a_quarter():
    even = np.ones((3, 8, 8))
    assert central_share(even, 8) == pytest.approx(0.25)
    assert central_share(np.ones((1, 8, 24)), 8) == pytest.approx(0.25)  # three channels side by side
    middle = np.zeros((1, 8, 24))
    middle[:, 3, 8 + 4] = -1.0
    assert central_share(middle, 8) == pytest.approx(1.0)


def test_verdicts_come_from_intervals_and_null_models_are_judged_alike():
    cell = Cell("digits", "dense", 3, "relu")
    values = {"trained": 0.6, "untrained": 0.5, "shuffled": 0.6, "flipped": 0.5}
    known = field(observed(cell, [normal(0)] * 2, negative_weights=values))
    criterion = Criterion(low=0.55)
    claim = Claim("k", "t", "Most are negative.", "here", "share", of("negative weights"), criterion)
    (row,) = every_test(known, ("digits",), [claim]).iter_rows(named=True)
    assert (row["verdict"], row["untrained_verdict"], row["shuffled_verdict"]) == ("holds", "fails", "holds")
    assert row["layer"] == 2  # the hidden layer, as the paper counts
    assert row["z"] is None if "z" in row else row["untrained_z"] is None  # a null model without spread
    (found,) = findings(every_test(known, ("digits",), [claim]), [claim])
    assert found.verdict == "holds"
    assert "untrained 0 of 1, shuffled 1 of 1" in found.evidence


def test_z_counts_standard_errors_of_the_null_networks_mean():
    draws = np.array([1.0, 2.0, 3.0, 6.0])
    mean, z = _mean_and_z(5.0, draws)
    assert mean == 3.0
    assert z == pytest.approx((5.0 - 3.0) / (draws.std(ddof=1) / 2))
    assert _mean_and_z(5.0, np.full(4, 3.0)) == (3.0, None)


def test_an_interval_is_students():
    values = np.array([0.2, 0.5, 0.4, 0.9])
    mean, low, high = interval(values)
    assert (low, high) == pytest.approx(stats.t.interval(0.95, 3, mean, stats.sem(values)))
    narrow = Criterion(0.0, 1.0)
    assert narrow.holds(low, high) == (low > 0 and high < 1)
    assert Criterion(low=0.0).fails(-0.2, 0.0)
    assert not Criterion(low=0.0).fails(-0.2, 0.1)
    assert not Criterion(low=0.0).holds(-0.2, 0.1)


def test_most_tests_decide():
    assert overall_verdict(["holds"] * 4 + ["fails"]) == "holds"
    assert overall_verdict(["fails"] * 5) == "fails"
    assert overall_verdict(["holds", "fails"]) == "undecided"
    assert overall_verdict([]) == "undecided"


def test_a_claim_is_judged_where_the_paper_makes_it():
    first, last = Cell("mnist", "rnn", 3, "relu"), Cell("cifar10", "rnn", 3, "relu")
    known = field(
        observed(first, [normal(0)] * 2, kurtosis=3.0),
        observed(last, [normal(0)] * 2, kurtosis=0.0),
    )
    (claim,) = [one for one in CLAIMS if one.key == "RNN kurtosis"]
    tests = every_test(known, ("mnist", "cifar10"), [claim])
    assert dict(tests.select("dataset", "published").iter_rows()) == {"mnist": True, "cifar10": False}
    (found,) = findings(tests, [claim])
    assert found.verdict == "holds"
    assert tests.filter(pl.col("dataset") == "cifar10")["verdict"].item() == "fails"
