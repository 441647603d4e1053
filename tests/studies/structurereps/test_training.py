"""Networks of a batch are those that PyTorch trains one by one, and graphs of them those of their modules."""

import numpy as np
import pytest
import torch
from torch.nn import functional

import synaplex as sx
from synaplex.datasets import Dataset, load
from synaplex.encoders import structure_graph
from synaplex.networks import Kaiming, cnn, mlp
from synaplex.population.trainer import batch_order
from synaplex.studies.structurereps.crowd import Crowd
from synaplex.studies.structurereps.data import sampled, task_data
from synaplex.studies.structurereps.graphs import graph_of
from synaplex.studies.structurereps.pieces import Pieces
from synaplex.studies.structurereps.recipe import image_shape
from tests.studies.structurereps.conftest import TINY

DIGITS = sampled(load("digits"), 50, 30, 0)
NETWORKS = [mlp(64, 6, 5, 10, bias=True), cnn((1, 8, 8), 3, 4, dense=(10,), stride=2, padding=1, bias=True)]
RATES, SCALES, SEEDS = [1e-3, 1e-2], [1.0, 0.5], [4, 9]


def alone(network, place: int, epochs: int) -> torch.nn.Module:
    """Network number `place` as PyTorch's Adam trains it."""
    module = network.build(SEEDS[place], Kaiming())
    with torch.no_grad():
        for value in module.parameters():
            if value.ndim > 1:
                value.mul_(SCALES[place])
    optimizer = torch.optim.Adam(module.parameters(), lr=RATES[place])
    for epoch in range(1, epochs + 1):
        for batch in torch.split(torch.from_numpy(batch_order(50, 0, epoch)), 20):
            optimizer.zero_grad()
            x, y = network.arrange(DIGITS.x_train[batch]), DIGITS.y_train[batch]
            functional.cross_entropy(module(x), y).backward()
            optimizer.step()
    return module


@pytest.mark.parametrize("network", NETWORKS, ids=["dense", "convolutional"])
def test_a_crowd_trains_each_network_at_its_own_pace(network):
    crowd = Crowd(network, DIGITS, SEEDS, RATES, scales=SCALES, batch_size=20)
    for _ in range(2):
        crowd.epoch()
    parameters = list(crowd.parameters.values())
    performance = crowd.performance()
    graphs = graph_of(network, parameters)
    for place in range(2):
        module = alone(network, place, 2)
        for mine, theirs in zip(parameters, module.parameters(), strict=True):
            np.testing.assert_allclose(mine[place], theirs.detach().numpy(), atol=2e-5)
        right = module(network.arrange(DIGITS.x_test)).argmax(1) == DIGITS.y_test
        assert performance["test"][place] == pytest.approx(float(right.double().mean()), abs=1e-9)
        # The batch of graphs has the edges that a traced module has.
        example = network.arrange(DIGITS.x_test[:1])
        theirs = structure_graph(sx.graph(module, example)).blocks
        mine = structure_graph(graphs.network(place)).blocks
        assert [block.weight.shape for block in mine] == [block.weight.shape for block in theirs]
        for one, other in zip(mine, theirs, strict=True):
            torch.testing.assert_close(one.weight, other.weight, atol=2e-5, rtol=1e-4)


def test_a_network_on_its_own_is_the_same():
    both = Crowd(NETWORKS[0], DIGITS, SEEDS, RATES)
    single = Crowd(NETWORKS[0], DIGITS, SEEDS[1:], RATES[1:])
    for crowd in (both, single):
        crowd.epoch()
    for name, value in single.parameters.items():
        np.testing.assert_allclose(value[0], both.parameters[name][1], atol=1e-6)


def test_the_performance_of_a_regression_is_r2():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(40, 3, generator=generator), torch.randn(40, 1, generator=generator)
    data = Dataset("made up", x[:25], y[:25], x[25:], y[25:])
    network = mlp(3, 4, 1, bias=True)
    crowd = Crowd(network, data, [1, 2], [1e-2, 1e-2])
    crowd.epoch()
    for place in range(2):
        module = network.build(0, Kaiming())
        with torch.no_grad():
            for value, mine in zip(module.parameters(), crowd.parameters.values(), strict=True):
                value.copy_(torch.from_numpy(mine[place]))
            error = ((module(x[25:]) - y[25:]) ** 2).sum()
        truth = 1 - float(error / ((y[25:] - y[25:].mean()) ** 2).sum())
        assert crowd.performance()["test"][place] == pytest.approx(truth, abs=1e-5)


def test_samples_are_a_random_part_on_one_scale(tmp_path):
    pieces = Pieces(tmp_path)
    part = task_data(TINY.tasks[1], None, 0, pieces)
    assert (len(part.x_train), len(part.x_test)) == (60, 40)
    assert float(part.x_train.mean()) == pytest.approx(0, abs=1e-5)
    assert float(part.x_train.std(correction=0)) == pytest.approx(1, abs=1e-5)
    assert image_shape(3 * 32 * 32) == (3, 32, 32)
    assert not torch.equal(part.y_train, task_data(TINY.tasks[1], None, 1, pieces).y_train)
