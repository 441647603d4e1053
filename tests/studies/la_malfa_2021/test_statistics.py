"""The claims on made-up populations whose answer is known: each can hold, and each can fail."""

import numpy as np
import polars as pl
import pytest

from synaplex.networks import la_malfa_2021
from synaplex.studies.la_malfa_2021.analysis import analyse, chance_above
from synaplex.studies.la_malfa_2021.claims import CLAIMS
from synaplex.studies.la_malfa_2021.findings import tests_table as table_of_tests
from synaplex.studies.la_malfa_2021.findings import verdict_on
from synaplex.studies.la_malfa_2021.individual_findings import individual_findings
from synaplex.studies.la_malfa_2021.observation import null_kinds
from synaplex.studies.la_malfa_2021.plan import Plan
from synaplex.studies.la_malfa_2021.population import Moments
from synaplex.studies.la_malfa_2021.recipe import BINS, Cell, Settings

SETTINGS = Settings(per_bin=4, networks=40, steps=(), compositions=2, resamples=10, null_draws=2)
PLAN = Plan(la_malfa_2021("dense", 1000, "digits"))
LAYERS, NEURONS = len(PLAN.sizes), 120
CELL = Cell("dense", "normal", 0.05, 10_000)


def made_up(strengths, *, weights=None, nulls=None, fluctuation=None):
    """Forty networks that have been in every bin.

    `strengths`, `weights` and `nulls` draw an array ``(rows, neurons)`` for the bin of each row.
    """
    network, bins = (values.ravel() for values in np.meshgrid(np.arange(40), np.arange(BINS), indexing="ij"))
    rng = np.random.default_rng(5)
    plain = lambda bins: rng.normal(size=(len(bins), 5 * NEURONS))  # noqa: E731
    arrays = {"network": network, "bin": bins, "step": bins, "accuracy": (bins + 0.5) / BINS}
    for kind in ("trained", *null_kinds(SETTINGS.null_draws)):
        draw = strengths if kind == "trained" else nulls or plain
        layers = [draw(bins) for _ in range(LAYERS)]
        arrays |= {f"strength/{kind}/{i}": layer for i, layer in enumerate(layers)}
        deviations = [layer.std(axis=1) for layer in layers] if fluctuation is None else [fluctuation(bins)] * LAYERS
        arrays[f"fluctuation/{kind}"] = np.stack(deviations, axis=1)
    arrays |= {f"weights/{i}": (weights or plain)(bins) for i in range(LAYERS - 1)}
    arrays["statistics"] = rng.normal(size=(len(bins), 4))
    return Moments(PLAN, arrays)


def verdicts(moments, cell=CELL):
    """Of each claim on each hidden layer."""
    tests = table_of_tests([analyse(cell, moments, SETTINGS, seed=0)])
    hidden = tests.filter(pl.col("layer").is_between(1, LAYERS - 2))
    return {key: set(group["verdict"]) for (key,), group in hidden.group_by("claim")}


RNG = np.random.default_rng(1)


def normal(bins, mean=0.0, spread=1.0):
    return np.reshape(mean, (-1, 1)) + np.reshape(spread, (-1, 1)) * RNG.normal(size=(len(bins), NEURONS))


def two_sided(bins):
    """Around zero at low accuracy, around -4 and 4 at high accuracy."""
    return normal(bins) + 4 * (bins[:, None] > 4) * RNG.choice([-1, 1], size=(len(bins), NEURONS))


def test_strengths_that_widen_and_part_while_weights_stay():
    found = verdicts(made_up(two_sided))
    for claim in ("weights alike", "weights stable mean", "strength tells more", "strength widens", "beyond shuffled"):
        assert found[claim] == {"holds"}, claim
    for claim in ("strength leaves zero", "strength bimodal", "strength bimodal, input counted", "fluctuation grows"):
        assert found[claim] == {"holds"}, claim
    assert found["strength heavy tails"] == {"fails"}
    assert found["fluctuation beyond shuffled"] == {"holds"}


def test_the_same_the_other_way_round():
    narrow = made_up(
        lambda bins: two_sided(BINS - 1 - bins),
        weights=lambda bins: normal(bins, mean=bins / 4, spread=np.exp(-bins / 5)),
        nulls=lambda bins: two_sided(BINS - 1 - bins),
    )
    found = verdicts(narrow)
    for claim in ("weights alike", "weights flatten", "weights stable mean", "strength tells more", "strength widens"):
        assert found[claim] == {"fails"}, claim
    for claim in ("strength leaves zero", "strength bimodal", "fluctuation grows"):
        assert found[claim] == {"fails"}, claim
    assert "holds" not in found["beyond shuffled"]


def test_tails_that_grow_and_tails_that_shrink():
    def heavy(bins):
        return np.where(bins[:, None] > 4, RNG.standard_t(2.5, size=(len(bins), NEURONS)), normal(bins))

    grown = verdicts(made_up(heavy, weights=heavy))
    assert grown["strength heavy tails"] == grown["strength heavier tails"] == {"holds"}
    assert grown["strength bimodal"] == {"fails"}
    flat = lambda bins: RNG.uniform(-1, 1, size=(len(bins), NEURONS))  # noqa: E731
    lost = verdicts(made_up(lambda bins: np.where(bins[:, None] > 4, flat(bins), heavy(BINS - 1 - bins))))
    assert lost["strength heavy tails"] == lost["strength heavier tails"] == {"fails"}


@pytest.mark.parametrize(("best", "expected"), [(0.05, "holds"), (20.0, "fails")])
def test_restrained_variance_of_the_best(best, expected):
    def draw(bins):
        return normal(bins, spread=np.where(bins == BINS - 1, best, 1.0))

    fluctuation = lambda bins: 1 + draw(bins)[:, 0]  # noqa: E731
    cell = Cell("dense", "normal", 0.5, 10_000)
    found = verdicts(made_up(draw, weights=draw, fluctuation=fluctuation), cell)
    assert found["restrained variance"] == found["weights restrained"] == {expected}
    assert found["fluctuation restrained"] == {expected}
    assert "restrained variance" not in verdicts(made_up(draw))


def test_humps_of_fluctuations_over_networks():
    def parted(bins):
        return 10 + RNG.normal(size=len(bins)) + 6 * (np.arange(len(bins)) // BINS % 2)

    assert verdicts(made_up(normal, fluctuation=parted))["fluctuation multimodal"] == {"holds"}
    one = verdicts(made_up(normal, fluctuation=lambda bins: 10 + RNG.normal(size=len(bins))))
    assert one["fluctuation multimodal"] == {"fails"}


@pytest.mark.parametrize(("sign", "tails"), [(1, "holds"), (-1, "fails")])
def test_tails_and_courses_of_convolutions(sign, tails):
    def draw(bins):
        own = RNG.normal(size=(len(bins), 1)) * 3 * (bins[:, None] > 4)
        return sign * (RNG.exponential(size=(len(bins), NEURONS)) + bins[:, None]) + (own if sign > 0 else 0)

    found = verdicts(made_up(draw), Cell("cnn", "uniform", 0.5, 10_000))
    assert found["monotonic"] == {"holds"}
    assert ("holds" in found["accurate differ"]) == (sign > 0)
    if sign < 0:
        assert found["positive tails"] == {tails}


def test_few_draws_of_a_null_model_prove_little():
    rng = np.random.default_rng(0)
    for draws in (3, 20):
        sample = rng.normal(size=(1500, draws + 1))
        z = (sample[:, 0] - sample[:, 1:].mean(axis=1)) / sample[:, 1:].std(axis=1, ddof=1)
        chances = np.array([chance_above(float(one), draws) for one in z])
        assert (chances < 0.025).mean() == pytest.approx(0.025, abs=0.012)
    assert chance_above(None, 3) is None


def test_a_claim_of_a_few_cases_holds_if_it_holds_anywhere():
    claims = {one.key: one for one in CLAIMS}
    rare, common = claims["fluctuation multimodal"], claims["strength widens"]
    assert verdict_on(rare, ["holds", "fails", "fails"]) == "holds"
    assert verdict_on(rare, ["fails", "fails"]) == "fails"
    assert verdict_on(rare, ["fails", "undecided"]) == "undecided"
    assert verdict_on(common, ["holds", "fails", "fails"]) == "undecided"
    assert verdict_on(common, ["holds"] * 4 + ["fails"]) == "holds"


def course(means, fluctuations, spikes):
    """A table of a single network whose accuracy rises over six moments."""
    names = ["input", "convolution 1", "convolution 2", "dense 1", "output"]
    rows = [
        {
            "network": 0,
            "step": at,
            "accuracy": 0.1 + at / 10,
            "layer": layer,
            "name": name,
            "mean": means * at,
            "fluctuation": -float(at) if name == "dense 1" else fluctuations * float(at),
            "shuffled_fluctuation": 0.0,
            "repeated": spikes * at / 10 if name.startswith("convolution") else 0.0,
            "shuffled_repeated": 0.0,
        }
        for at in range(6)
        for layer, name in enumerate(names)
    ]
    return pl.DataFrame(rows)


@pytest.mark.parametrize(("values", "expected"), [((-1.0, 1.0, 1.0), "holds"), ((1.0, -1.0, 0.0), "fails")])
def test_claims_about_the_single_network(values, expected):
    assert [one.verdict for one in individual_findings(course(*values))] == [expected] * 3


def test_of_few_moments_no_course_is_told():
    few = course(-1.0, 1.0, 1.0).filter(pl.col("step") < 3)
    assert [one.verdict for one in individual_findings(few)[:2]] == ["undecided"] * 2
