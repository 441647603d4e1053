"""A crowd trains what torch would train one by one, and its graphs are those of the modules."""

import numpy as np
import pytest
import torch
from torch import nn

from synaplex.measures import strength
from synaplex.networks import Normal, la_malfa_2021
from synaplex.studies.la_malfa_2021.crowd import Crowd
from synaplex.studies.la_malfa_2021.observation import Kept, observe
from synaplex.studies.la_malfa_2021.plan import Plan

PLANS = {
    "dense": Plan(la_malfa_2021("dense", 1000, "digits")),
    "cnn": Plan(la_malfa_2021("cnn", 3000, "digits")),
    "cnn of four": Plan(la_malfa_2021("cnn", 10_000, "digits", convolutions=4)),
}
SEEDS = [3, 4, 9]


def batches(count):
    generator = torch.Generator().manual_seed(0)
    for _ in range(count):
        yield torch.rand(20, 64, generator=generator), torch.randint(0, 10, (20,), generator=generator)


def trained(plan, seeds, steps=4):
    crowd = Crowd(plan, seeds, Normal(std=0.1), 0.01)
    for x, y in batches(steps):
        crowd.step(x, y)
    return crowd


@pytest.mark.parametrize("name", PLANS)
def test_each_network_is_trained_as_torch_trains_it_alone(name):
    plan = PLANS[name]
    graph = trained(plan, SEEDS).graph([1])
    module = plan.specification.build(SEEDS[1], Normal(std=0.1), biases="weights")
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    for x, y in batches(4):
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(x.view(len(x), *plan.specification.input_shape)), y).backward()
        optimizer.step()
    weights = [p.detach() for p in module.parameters() if p.ndim > 1]
    for link, weight in zip(graph.links, weights, strict=True):
        torch.testing.assert_close(link.weight[0], weight, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", PLANS)
def test_a_graph_of_the_crowd_is_the_network(name):
    plan = PLANS[name]
    crowd = trained(plan, SEEDS, steps=1)
    ((x, _),) = batches(1)
    signal = x.double()
    graph = crowd.graph([2]).network(0)
    for index, link in enumerate(graph.links):
        signal = link.forward(signal) + graph.biases[index + 1].double()
        signal = torch.relu(signal) if index < len(graph.links) - 1 else signal
    expected = crowd.accuracy(x, signal.argmax(1))[2]
    assert expected == 1.0


def test_strength_is_the_published_variant():
    crowd = trained(PLANS["cnn"], SEEDS, steps=1)
    graph = crowd.graph([0]).network(0)
    found = strength(graph, bias="once", missing=1.0)
    parts = [torch.zeros(size, dtype=torch.float64) for size in graph.sizes]
    parts[0] += 1
    parts[-1] += 1
    for link in graph.links:
        matrix = link.to_dense().double()
        parts[link.source] += matrix.sum(0)
        parts[link.target] += matrix.sum(1)
    for layer, bias in graph.biases.items():
        parts[layer] += bias
    torch.testing.assert_close(found, torch.cat(parts))


def test_what_is_kept_of_a_network_and_of_its_nulls():
    plan = PLANS["cnn"]
    graph = trained(plan, SEEDS).graph([0, 2])
    weights = [int(np.prod(shape)) for shape in plan.weight_shapes]
    kept = Kept.of(plan.sizes, weights, (10_000, 10_000), draws=2, seed=0)
    seen = observe(graph, [1, 2], kept)
    for layer, size in enumerate(plan.sizes):
        values = seen[f"strength/trained/{layer}"]
        assert values.shape == (2, size)
        assert seen["fluctuation/trained"][:, layer] == pytest.approx(values.std(axis=1), rel=1e-4)
    # Shuffling keeps what enters the output in all; flipping signs does not, and no two draws are the same.
    last = len(plan.sizes) - 1
    total = {kind: seen[f"strength/{kind}/{last}"].sum(axis=1) for kind in ("trained", "shuffled 0", "flipped 0")}
    assert total["shuffled 0"] == pytest.approx(total["trained"], abs=1e-4)
    assert not np.allclose(total["flipped 0"], total["trained"], atol=1e-3)
    assert not np.allclose(seen["strength/shuffled 0/2"], seen["strength/shuffled 1/2"])
    alone = observe(trained(plan, SEEDS).graph([2]), [2], kept)
    for name, values in alone.items():
        np.testing.assert_allclose(values[0], seen[name][1], rtol=1e-5, atol=1e-6)
