"""Sparse layers as links of the graph, and centralities on them against NetworkX and NetworKit."""

import networkx as nx
import pytest
import torch
from torch import nn

import synaplex as sx
from synaplex.graph import SparseLink
from synaplex.measures.laplacian import laplacian_centrality
from synaplex.sparse import SET, SparseLinear, sparsify, to_dense
from synaplex.sparse.structure import Structure
from tests.sparse.networks import small, train_step


def structure(model: nn.Module) -> Structure:
    return Structure(model, {name: one for name, one in model.named_modules() if isinstance(one, SparseLinear)})


def test_sparse_layers_become_sparse_links():
    model = small()
    graph = sx.graph(model)
    assert [type(link).__name__ for link in graph.links] == ["SparseLink", "SparseLink", "DenseLink"]
    assert [layer.name for layer in graph.layers] == ["input", "0", "2", "4"]
    for link, layer in zip(graph.links, model[:4:2], strict=False):
        assert torch.equal(link.to_dense(), layer.to_dense())
    assert set(graph.coverage()["outcome"]) == {"link", "bias"}


def test_measures_are_those_of_the_dense_model():
    model = small(2)
    names = ["strength", "disparity", "laplacian_centrality", "subgraph_centrality", "maximal_cliques"]
    ours, dense = (sx.measure(sx.graph(one), names, undefined="null") for one in (model, to_dense(model)))
    for name in names:
        assert ours[name].to_list() == pytest.approx(dense[name].to_list(), nan_ok=True), name


def test_tokens_and_images():
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.head = nn.Conv2d(1, 2, 3), nn.Sequential(nn.Linear(32, 8), nn.ReLU(), nn.Linear(8, 3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.conv(x).flatten(1))

    model = sparsify(Model(), 2)
    graph, dense = (sx.graph(one, torch.zeros(1, 1, 6, 6)) for one in (model, to_dense(model)))
    assert any(isinstance(link, SparseLink) for link in graph.links)
    assert torch.equal(graph.undirected().dense, dense.undirected().dense)
    tokens = sparsify(nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 2)), 1)
    first, second = (sx.graph(one, torch.zeros(1, 5, 6)) for one in (tokens, to_dense(tokens)))
    assert torch.equal(first.undirected().dense, second.undirected().dense)


def test_the_graph_follows_the_connections():
    model = small(1)
    kept = structure(model)
    kept.graph()
    evolution = SET(model, torch.optim.SGD(model.parameters(), lr=0.1), schedule="steps:1")
    train_step(model, evolution.optimizer, 0)
    evolution.step()
    now, fresh = kept.graph(), sx.graph(model)
    assert torch.equal(now.undirected().dense, fresh.undirected().dense)


def test_exact_laplacian_centrality_equals_networkx():
    model = small(3)
    for layer in model[:4:2]:
        layer.weight.data.abs_()
    model[4].weight.data.abs_()
    graph = structure(model).graph()
    other = nx.Graph(graph.undirected().dense.numpy())
    wanted = nx.laplacian_centrality(other, normalized=False)
    ours = laplacian_centrality(graph)
    torch.testing.assert_close(ours, torch.tensor([wanted[i] for i in range(graph.neurons)], dtype=torch.float64))


def test_the_published_variant_equals_networkit():
    """On the directed graph of the sparse layers; weights large enough for the integer part to matter."""
    networkit = pytest.importorskip("networkit")
    model = small(3)
    for layer in model[:4:2]:  # sums above zero: the conversion of negative ones to unsigned integers is undefined
        layer.weight.data = layer.weight.data * 9 + 1.5
    graph = structure(model).graph()
    kept = [link for link in graph.links if isinstance(link, SparseLink)]
    other = networkit.Graph(graph.neurons - 5, weighted=True, directed=True)
    for link in kept:
        for row, column, weight in zip(link.row.tolist(), link.column.tolist(), link.weight.tolist(), strict=True):
            other.addEdge(graph.offsets[link.source] + column, graph.offsets[link.target] + row, weight)
    sent = torch.zeros(graph.neurons, dtype=torch.float64)
    for link in kept:
        sent[graph.layer_slice(link.source)] = link.backward(torch.ones(link.out_size, dtype=torch.float64))
    positive = (sent >= 0)[: graph.neurons - 5]
    wanted = torch.tensor(networkit.centrality.LaplacianCentrality(other).run().scores(), dtype=torch.float64)
    ours = laplacian_centrality(graph, variant="censet")[: graph.neurons - 5]
    assert positive.sum() > 30
    torch.testing.assert_close(ours[positive], wanted[positive])
