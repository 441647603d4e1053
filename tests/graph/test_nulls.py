"""Null models of graphs: what stays, what goes."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import synaplex as sx
from synaplex.errors import SpecificationError
from synaplex.graph import NeuralGraph, SparseLink, flipped, shuffled


@given(st.integers(0, 2**31), st.sampled_from([None, 3]))
def test_weights_stay_in_their_link_and_network(seed, networks):
    lead = () if networks is None else (networks,)
    generator = torch.Generator().manual_seed(seed)
    graph = NeuralGraph.from_weights(
        [torch.randn(*lead, 4, 5, generator=generator), torch.randn(*lead, 3, 4, generator=generator)]
    )
    moved, signed = shuffled(graph, seed), flipped(graph, seed)
    for link, one, other in zip(graph.links, moved.links, signed.links, strict=True):
        line = (-1,) if networks is None else (networks, -1)
        assert torch.equal(link.weights.reshape(line).sort(-1)[0], one.weights.reshape(line).sort(-1)[0])
        assert torch.equal(link.weights.abs(), other.weights.abs())
    again = shuffled(graph, seed)
    assert all(torch.equal(a.weights, b.weights) for a, b in zip(moved.links, again.links, strict=True))


def test_orders_are_drawn_evenly():
    graph = NeuralGraph.from_weights([torch.arange(3.0)[None] + 1])
    seen = [tuple(shuffled(graph, seed).links[0].weights.flatten().tolist()) for seed in range(600)]
    counts = [seen.count(one) for one in set(seen)]
    assert len(counts) == 6
    assert max(abs(count - 100) for count in counts) < 45  # five standard deviations
    signs = torch.stack([flipped(graph, seed).links[0].weights.flatten().sign() for seed in range(600)])
    assert signs.mean(0).abs().max() < 0.2


def test_networks_of_a_batch_have_orders_of_their_own():
    graph = NeuralGraph.from_weights([torch.arange(20.0).reshape(1, 4, 5).repeat(3, 1, 1)])
    first, second, third = shuffled(graph).links[0].weights.reshape(3, -1)
    assert not torch.equal(first, second)
    assert not torch.equal(second, third)


@pytest.mark.parametrize("networks", [None, 2])
def test_sparse_connections_stay_where_they_are(networks):
    row, column = torch.tensor([0, 0, 2, 1, 2, 2]), torch.tensor([1, 3, 0, 1, 2, 3])
    network = None if networks is None else torch.tensor([0, 0, 0, 1, 1, 1])
    link = SparseLink.from_edges(
        row, column, torch.arange(1.0, 7), (3, 4), network=network, networks=networks, source=0, target=1
    )
    graph = NeuralGraph((sx.graph.Layer("a", (4,), "input"), sx.graph.Layer("b", (3,), "output")), (link,), {})
    moved = shuffled(graph, 3).links[0]
    assert torch.equal(moved.column, link.column)
    assert torch.equal(moved.row_start, link.row_start)
    for part, other in zip(
        link.weight.split(6 if networks is None else 3), moved.weight.split(6 if networks is None else 3), strict=True
    ):
        assert torch.equal(part.sort()[0], other.sort()[0])


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.Linear(48, 5)

    def forward(self, x):
        y = self.norm(self.conv(x)).relu()
        return self.head((y + x).flatten(1))


def test_kernels_stay_kernels_and_structure_stays():
    graph = sx.graph(Block().eval(), torch.zeros(1, 1, 4, 4))
    moved = shuffled(graph, 1)
    assert [type(link) for link in moved.links] == [type(link) for link in graph.links]
    for link, other in zip(graph.links, moved.links, strict=True):
        assert torch.equal(link.multiplicity, other.multiplicity)
        assert torch.equal(link.weights.sort()[0], other.weights.sort()[0])
    changed = [link.name for link, other in zip(graph.links, moved.links, strict=True) if link.name
               and not torch.equal(link.weights, other.weights)]  # fmt: skip
    assert any("conv" in name for name in changed)
    assert any("head" in name for name in changed)


def test_links_of_one_parameter_change_alike():
    weight = torch.randn(4, 4)
    shared = nn.Linear(4, 4, bias=False)
    shared.weight.data = weight
    graph = sx.graph(nn.Sequential(shared, nn.ReLU(), shared), torch.zeros(1, 4))
    first, second = (link.weights for link in shuffled(graph, 5).links)
    assert torch.equal(first, second)
    assert not torch.equal(first, graph.links[0].weights)


def test_measures_are_those_of_the_drawn_network():
    graph = NeuralGraph.from_weights([torch.randn(4, 5), torch.randn(3, 4)])
    sx.measure(graph, "strength")
    moved = shuffled(graph.memoized(), 2)
    plain = NeuralGraph.from_weights([link.to_dense() for link in moved.links])
    wanted = sx.measure(plain, ["strength", "subgraph_centrality"])
    found = sx.measure(moved, ["strength", "subgraph_centrality"])
    assert found["strength"].to_list() == wanted["strength"].to_list()
    assert found["subgraph_centrality"].to_list() == wanted["subgraph_centrality"].to_list()


def test_sums_that_an_edge_rule_has_changed_are_refused():
    layers = (sx.graph.Layer("a", (3,), "input"), sx.graph.Layer("b", (3,), "output"))
    parts = [sx.graph.DenseLink(source=0, target=1, weight=torch.randn(3, 3)) for _ in range(2)]
    total = sx.graph.SumLink(source=0, target=1, large=parts[0], small=parts[1])
    assert isinstance(shuffled(NeuralGraph(layers, (total,), {})).links[0], sx.graph.SumLink)
    with pytest.raises(SpecificationError, match="edge rules"):
        shuffled(NeuralGraph(layers, (total.map(torch.abs),), {}))


def test_a_tied_decoder_changes_as_its_encoder_does():
    class Autoencoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Linear(6, 4, bias=False)

        def forward(self, x):
            return nn.functional.linear(self.encoder(x).relu(), self.encoder.weight.t())

    for null in (shuffled, flipped):
        encoder, decoder = null(sx.graph(Autoencoder(), torch.zeros(1, 6)), 3).links
        assert torch.equal(encoder.to_dense(), decoder.to_dense().mT)
