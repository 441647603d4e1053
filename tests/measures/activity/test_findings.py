"""Dimensions, bottlenecks and extremes."""

import numpy as np
import polars as pl
import pytest
import torch
from scipy import stats
from torch import nn

from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.measures.activity import activity, extremes
from synaplex.measures.activity.dimension import LARGEST, Dimension
from synaplex.measures.activity.extremes import fit_pareto, pareto_survival
from synaplex.networks import Normal, autoencoder


def spread(directions, neurons, samples=4000):
    """Gaussian activations of equal variance along some directions."""
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(neurons, directions)))[0]
    return torch.from_numpy(rng.normal(size=(samples, directions)) @ basis.T + 3)


@pytest.mark.parametrize("neurons", [40, LARGEST + 500])
@pytest.mark.parametrize("directions", [1, 8, 30])
def test_the_dimension_is_the_number_of_directions(neurons, directions):
    x = spread(directions, neurons)
    one, many = Dimension(neurons, x.device), Dimension(neurons, x.device)
    one.add(x)
    for part in x.split(100):
        many.add(part)
    variances = x.var(0, correction=0)
    assert one.ratio(variances) == pytest.approx(directions, rel=0.03)
    assert many.ratio(variances) == pytest.approx(one.ratio(variances), rel=1e-9)


def test_what_does_not_vary_has_no_dimension():
    constant = Dimension(3, torch.device("cpu"))
    constant.add(torch.ones(5, 3))
    assert constant.ratio(torch.zeros(3, dtype=torch.float64)) is None


def test_the_middle_of_an_autoencoder_is_a_bottleneck():
    module = autoencoder(60, 40, 3, activation="linear").build(0, Normal(std=0.1))
    seen = activity(module, spread(30, 60, 500).float())
    found = seen.bottlenecks()
    assert found["layer_name"].to_list()[0] == "2"
    assert found["narrow"].to_list()[0]
    assert found["passed"].to_list()[0] < 0.2
    assert activity(module, torch.rand(50, 60), dimension=False).bottlenecks()["layer_name"].to_list() == ["2"]


def test_a_wide_layer_that_repeats_itself_is_a_bottleneck():
    module = nn.Sequential(nn.Linear(20, 50), nn.ReLU(), nn.Linear(50, 5))
    with torch.no_grad():
        module[0].weight.copy_(torch.ones(50, 20))
    (row,) = activity(module, spread(20, 20, 500).float()).bottlenecks().iter_rows(named=True)
    assert row["layer_name"] == "0"
    assert row["dimension"] == pytest.approx(1)
    assert not row["narrow"]


def table(values):
    return pl.DataFrame(
        {"layer": 1, "layer_name": "a", "step": None, "neuron": range(len(values)), "strength_mean": values},
        schema_overrides={"layer": pl.Int32, "neuron": pl.Int32, "step": pl.Int32},
    )


@pytest.mark.parametrize("neurons", [20, 120, 2000])
def test_planted_extremes_are_found_in_both_tails(neurons):
    values = np.random.default_rng(0).normal(size=neurons)
    values[3], values[7] = 30, -25
    found = extremes(table(values))
    assert set(zip(found["neuron"], found["tail"], strict=True)) >= {(3, "high"), (7, "low")}
    assert len(found) <= 3
    assert found["robust_z"].to_list()[0] > 15
    assert (found["expected"].null_count() == len(found)) == (neurons == 20)


def test_ordinary_layers_have_few_extremes():
    rng = np.random.default_rng(1)
    for draw in (rng.normal, rng.exponential, rng.uniform):
        assert sum(len(extremes(table(draw(size=300)))) for _ in range(50)) <= 3
    assert len(extremes(table(np.ones(50)))) == 0
    assert len(extremes(table(np.array([0.0, 0, 100])))) == 0
    with pytest.raises(UnknownNameError, match="did you mean 'strength_mean'"):
        extremes(table(np.ones(5)), "strenght_mean")


@pytest.mark.parametrize("shape", [0.1, 0.3])
def test_the_tail_that_is_fitted_is_the_one_drawn(shape):
    drawn = stats.genpareto.rvs(shape, scale=2.0, size=200_000, random_state=0)
    fitted, scale = fit_pareto(drawn)
    assert fitted == pytest.approx(shape, abs=0.02)
    assert scale == pytest.approx(2, rel=0.02)
    for excess in (0.0, 0.5, 7.0):
        expected = stats.genpareto.sf(excess, fitted, scale=scale)
        assert pareto_survival(excess, fitted, scale) == pytest.approx(expected)
    assert fit_pareto(np.random.default_rng(0).uniform(size=1000))[0] == 0
    assert pareto_survival(2.0, 0.0, 1.0) == pytest.approx(np.exp(-2))


@pytest.fixture(scope="module")
def seen():
    module = nn.Sequential(nn.Linear(4, 30), nn.ReLU(), nn.Linear(30, 2))
    return activity(module, torch.rand(200, 4, generator=torch.Generator().manual_seed(0)))


def test_densities_integrate_to_one(seen):
    for quantity in ("strength", "activation"):
        density = seen.density("0", quantity, bins=30)
        assert float((density["density"] * (density["right"] - density["left"])).sum()) == pytest.approx(1)
    assert seen.density("0", bins=[-1e9, 0.0, 1e9])["share"].sum() == pytest.approx(1)
    low, high = seen.quantiles("0", shares=[0.0, 1.0])
    rows = seen.neurons().filter(pl.col("layer") == 1)
    assert (low, high) == (rows["strength_min"].min(), rows["strength_max"].max())


def test_questions_that_make_no_sense_are_refused(seen):
    with pytest.raises(SpecificationError, match="increasing edges"):
        seen.density("0", bins=[1.0, 0.0])
    with pytest.raises(SpecificationError, match="increasing edges"):
        seen.density("0", bins=0)
    with pytest.raises(UnknownNameError, match="unknown moment"):
        seen.moments("0", of="median")
    assert repr(seen) == "Activity(3 layers, 32 neurons, 200 samples)"
