"""Attacks by gradient signs, beside autograd and a network whose margins are known."""

from functools import partial

import numpy as np
import pytest
import torch

from synaplex.datasets import Dataset, load
from synaplex.graph import NeuralGraph
from synaplex.networks import Uniform, initial_weights
from synaplex.studies.scabini.robustness import (
    KNOWN,
    SIZES,
    attacked,
    feature_sets,
    input_gradient,
    robustness,
)


def test_input_gradients_are_those_of_autograd() -> None:
    data = load("digits")
    weights = initial_weights((64, 12, 8, 10), [0, 1], Uniform(low=-0.5, high=0.5))
    x, y = data.x_test[:30], data.y_test[:30]
    found = input_gradient(weights, x, y)
    for network in range(2):
        inputs = x.clone().requires_grad_()
        out = inputs
        for link, weight in enumerate(weights):
            out = out @ weight[network].T
            out = torch.relu(out) if link < 2 else out
        torch.nn.functional.cross_entropy(out, y, reduction="sum").backward()
        torch.testing.assert_close(found[network].T, inputs.grad, rtol=1e-4, atol=1e-6)


def test_an_attack_moves_each_input_by_its_size_and_no_further() -> None:
    x = torch.tensor([[0.0, 0.5, 1.0, 0.5]])
    gradient = torch.tensor([[[-2.0], [3.0], [1e-9], [0.0]]])
    assert attacked(x, gradient, 0.25).flatten().tolist() == [0.0, 0.75, 1.0, 0.5]


def linear(margin_of: float) -> tuple[NeuralGraph, Dataset]:
    """One network, two inputs: class 1 where the second is larger. Samples lie `margin_of` on their side."""
    first = torch.eye(2)[None].repeat(1, 1, 1)
    graph = NeuralGraph.from_weights([first, first.clone()])
    x = torch.tensor([[0.5 + margin_of, 0.5 - margin_of], [0.5 - margin_of, 0.5 + margin_of]])
    y = torch.tensor([0, 1])
    return graph, Dataset("lines", x, y, x, y, classes=("a", "b"))


@pytest.mark.parametrize(("margin", "kept"), [(0.03, 2), (0.2, 4), (0.005, 0)])
def test_a_sample_is_lost_where_the_attack_is_larger_than_its_margin(margin: float, kept: int) -> None:
    graph, data = linear(margin)
    found = robustness(lambda seeds: graph, [0], data, 10)
    assert found.accuracy.tolist() == [1.0]
    assert found.attacked[0].tolist() == [1.0 if size < margin else 0.0 for size in SIZES]
    assert found.retained.tolist() == [kept / len(SIZES)]
    assert found.table()["size"].to_list() == [0.0, *SIZES]


def test_samples_told_wrongly_before_do_not_count() -> None:
    graph, data = linear(0.2)
    both = Dataset("lines", data.x_train, data.y_train, data.x_test, torch.tensor([0, 0]), classes=("a", "b"))
    found = robustness(lambda seeds: graph, [0], both, 10)
    assert found.accuracy.tolist() == [0.5]
    assert found.retained.tolist() == [1.0]


def test_networks_are_the_same_alone_and_together() -> None:
    data = load("digits")
    weights = partial(initial_weights, (64, 8, 6, 10), initializer=Uniform(low=-0.5, high=0.5))
    seeds = list(range(12))
    all_of_them = robustness(lambda some: NeuralGraph.from_weights(weights(some)), seeds, data, 300)
    one = robustness(lambda some: NeuralGraph.from_weights(weights(some)), [11], data, 300)
    np.testing.assert_allclose(all_of_them.retained[11:], one.retained)
    np.testing.assert_allclose(all_of_them.attacked[11:], one.attacked)


def test_sets_hold_accuracy_and_the_baseline_first() -> None:
    sets = feature_sets(np.zeros(4), {"base": np.ones((4, 2)), "types": np.ones((4, 6))}, "base")
    shapes = {name: values.shape[1] for name, values in sets.items()}
    assert shapes == {"accuracy": 1, "base": 2, "types": 6, KNOWN: 3, f"{KNOWN} and types": 9}
