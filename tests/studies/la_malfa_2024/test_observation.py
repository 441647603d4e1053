"""What is seen of a network equals what its formulas say, computed step by step."""

import numpy as np
import pytest
import torch

from synaplex.datasets import load
from synaplex.studies.la_malfa_2024.control import control_finding, differentiation
from synaplex.studies.la_malfa_2024.data import deviation, standardised, trivial
from synaplex.studies.la_malfa_2024.observation import correlation, folded_graph, observe, squashed_numbers
from synaplex.studies.la_malfa_2024.population import Observed
from synaplex.studies.la_malfa_2024.recipe import Cell
from synaplex.studies.la_malfa_2024.versions import NULL_VERSIONS, VERSIONS, version
from tests.studies.la_malfa_2024.conftest import TINY


def built(kind, activation="relu", seed=3):
    cell = Cell("digits", kind, 3, activation)
    network = cell.network(TINY)
    x = network.arrange(torch.rand(15, 64, generator=torch.Generator().manual_seed(1)))
    return cell, network.build(seed, cell.initializer, biases="weights"), x


def far(values, among):
    """The largest distance of a value from the nearest of others."""
    return np.abs(values[:, None] - among[None]).min(1).max()


def test_strengths_of_a_recurrent_network_follow_equation_9():
    cell, module, x = built("rnn", "sigmoid")
    seen = observe(module, x, cell, TINY)
    w, u, b = (p.detach().double() for p in (module.cell.weight_ih, module.cell.weight_hh, module.cell.bias))
    state, strengths = torch.zeros(15, len(b), dtype=torch.float64), []
    for t in range(8):
        strengths.append(x[:, t].double() @ w.T + state @ u.T + b)
        state = strengths[-1].sigmoid()
    flat = torch.stack(strengths, 1).flatten().numpy()
    assert seen["number/mean"][0] == pytest.approx(flat.mean(), rel=1e-4)
    assert seen["number/deviation"][0] == pytest.approx(flat.std(), rel=1e-4)
    assert seen["number/negative"][0] == pytest.approx((flat < 0).mean())
    assert seen["steps"] == pytest.approx(torch.stack(strengths).abs().mean((1, 2)).numpy(), rel=1e-4)
    activations = torch.stack(strengths, 1).sigmoid().flatten().numpy()
    assert seen["number/middle"][0] == pytest.approx(((activations >= 0.4) & (activations <= 0.6)).mean())
    assert far(seen["values/1"], flat) < 1e-4
    heat = x.double().abs().mean(0) * w.abs().sum(0)
    assert seen["heat"] == pytest.approx(heat.numpy(), rel=1e-5)
    # Nodes Strength: what comes from a row and from the layer itself, the bias added to every weight (equation 3).
    node = torch.cat([w, u], 1).sum(1) + b * (w.shape[1] + u.shape[1])
    assert far(seen["node/1"], node.numpy()) < 1e-4


def test_dead_units_are_those_that_never_answer():
    cell, module, x = built("dense")
    with torch.no_grad():
        module[0].bias[:2] = -1e4
    seen = observe(module, x, cell, TINY)
    hidden = module[1](module[0](x))
    assert seen["number/dead"][0] == pytest.approx(float((hidden == 0).all(0).double().mean()))
    assert seen["number/dead"][0] >= 2 / hidden.shape[1]
    assert np.isnan(seen["number/dead"][1])  # the output layer is linear
    linear, module, x = built("dense", "linear")
    assert np.isnan(observe(module, x, linear, TINY)["number/dead"]).all()


def test_neurons_of_a_channel_share_their_nodes_strength():
    cell, module, x = built("cnn")
    node = observe(module, x, cell, TINY)["node/1"]
    kernel, bias = module[0].weight.detach().double(), module[0].bias.detach().double()
    expected = kernel.sum((1, 2, 3)) + 9 * bias
    assert far(node, expected.numpy()) < 1e-5


def test_null_models_keep_what_they_say_they_keep():
    cell, module, _ = built("cnn")
    weight = module[0].weight.detach().flatten()
    for name in NULL_VERSIONS:
        other = version(name, module, cell, TINY, 3)[0]
        own = other.weight.detach().flatten()
        if name == "untrained":  # the network of the seed, which has not been trained here
            assert torch.equal(own, weight)
            continue
        assert not torch.equal(own, weight)
        if name == "shuffled":
            assert torch.equal(own.sort().values, weight.sort().values)
        if name == "flipped":
            assert torch.equal(own.abs(), weight.abs())
        assert torch.equal(other.bias, module[0].bias)
        assert torch.equal(version(name, module, cell, TINY, 3)[0].weight, other.weight)


def test_the_folded_graph_has_the_weights_of_the_network():
    for kind in ("dense", "autoencoder", "rnn", "cnn"):
        _, module, x = built(kind)
        folded = folded_graph(module, x)
        weights = sum(p.numel() for p in module.parameters() if p.ndim > 1)
        assert sum(link.weights.numel() for link in folded.links) == weights


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.linspace(0, 1, 10_001), {"middle": 0.2, "ends": 0.1, "unevenness": 0.0}),
        (np.full(1000, 0.5), {"middle": 1.0, "ends": 0.0, "unevenness": 0.25}),
        (np.repeat([0.0, 1.0], 500), {"middle": 0.0, "ends": 1.0, "unevenness": 0.25}),
    ],
)
def test_how_even_activations_are(values, expected):
    assert squashed_numbers(values) == pytest.approx(expected, abs=1e-3)


def test_a_correlation_needs_neurons_and_spread():
    x = np.arange(10.0)
    assert correlation(x, -2 * x + 1) == pytest.approx(-1.0)
    assert np.isnan(correlation(x, np.ones(10)))
    assert np.isnan(correlation(x[:5], x[:5]))


def test_errors_of_trivial_predictors_follow_the_scaling():
    digits = load("digits")
    unit, both, standard, _ = trivial(digits)
    test, mean = digits.x_test.double(), digits.x_train.double().mean(0)
    assert unit.mean == pytest.approx(float(((test - mean) ** 2).mean()))
    assert both.mean == pytest.approx(4 * unit.mean)
    assert standard.mean == pytest.approx(unit.mean / deviation(digits) ** 2)
    assert (unit.clipped, both.clipped > 0) == (0.0, True)
    scaled = standardised(digits).x_test.double()
    assert standard.clipped == pytest.approx(float(((scaled - scaled.clamp(0, 1)) ** 2).mean()), rel=1e-4)
    assert float(standardised(digits).x_train.mean()) == pytest.approx(0, abs=1e-4)
    assert float(standardised(digits).x_train.std()) == pytest.approx(1, abs=1e-4)


def test_the_control_finds_what_differs_and_nothing_else():
    generator = np.random.default_rng(0)
    field = {}
    for shift, activation in enumerate(("linear", "relu", "sigmoid")):
        cell = Cell("digits", "dense", 3, activation)
        arrays = {"performance": np.ones(8), "trained/number/mean": np.zeros((8, 2))}
        for name in VERSIONS:
            for layer in (1, 2):
                apart = 5.0 * shift if name == "trained" else 0.0
                arrays[f"{name}/values/{layer}"] = generator.normal(apart, 1, (8, 200))
                arrays[f"{name}/node/{layer}"] = generator.normal(0, 1, (8, 50))
                arrays[f"{name}/weights/{layer}"] = generator.normal(0, 1, (8, 7))
        field[cell] = Observed(cell, arrays)
    table = differentiation(field, 4, 0)
    assert table["tells"].to_list() == ["activation"]  # all are dense and of one depth
    assert table["Neurons Strength"].item() > 0.95
    assert table["weight statistics"].item() < 0.7
    assert control_finding(table).verdict == "holds"
