"""Layers over blocks beside PyTorch Geometric's with the same parameters, and eqs. 1 to 3 edge by edge."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import leaky_relu

from synaplex.encoders import (
    EdgeAttention,
    GATConv,
    TransformerConv,
    message_graph,
    structure_graph,
    to_pyg,
)
from synaplex.encoders.pyg import pyg_edges
from synaplex.graph import NeuralGraph
from tests.encoders.structures import convolutional, dense, doubled, residual

GRAPHS = {
    "dense": lambda: dense(None, 6, 5, 4, 3),
    "sparse": lambda: dense(None, 7, 6, 5, 4, zeros=0.7),
    "convolutional": convolutional,
    "residual": residual,
    "recurrent": lambda: NeuralGraph(
        dense(None, 4, 4).layers, (dense(None, 4, 4).links[0], dense(None, 4, 4, seed=2).links[0].between(1, 1)), {}
    ),
}


def drawn(module: nn.Module) -> nn.Module:
    """A module in float64 with every parameter drawn anew, those that start at 0 too."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for value in module.parameters():
            value.copy_(torch.randn(value.shape, generator=generator) * 0.5)
    return module.double()


def loops(index: torch.Tensor) -> torch.Tensor:
    return index[0] == index[1]


@pytest.mark.parametrize("direction", ["both", "forward"])
@pytest.mark.parametrize("edge_features", [True, False])
@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("kind", ["TransformerConv", "GATConv"])
def test_equals_pytorch_geometric(name: str, kind: str, edge_features: bool, direction: str) -> None:
    geometric = pytest.importorskip("torch_geometric.nn")
    structure = structure_graph(GRAPHS[name]())
    kernel = structure.largest_kernel
    index, features = pyg_edges(structure, kernel, direction)
    if kind == "GATConv" and bool(loops(index).any()):
        pytest.skip("PyTorch Geometric takes self-loops away first")
    size = kernel**2 if edge_features else None
    ours = {"TransformerConv": TransformerConv, "GATConv": GATConv}[kind]
    module = drawn(ours(5, 3, heads=2, edges=size, generator=torch.Generator().manual_seed(0)))
    peer = getattr(geometric, kind)(5, 3, heads=2, edge_dim=size).double()
    unseen = {} if kind == "GATConv" else {"lin_key.bias": torch.randn(6)}  # which the softmax does not see
    peer.load_state_dict(module.state_dict() | unseen)
    x = torch.randn(structure.nodes, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected = peer(x, index, features.double() if edge_features else None)
    graph = doubled(message_graph(structure, kernel, direction=direction))
    torch.testing.assert_close(module(x[None], graph)[0], expected)


@pytest.mark.parametrize("direction", ["both", "forward"])
@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("name", GRAPHS)
def test_edge_attention_is_equations_1_to_3(name: str, heads: int, direction: str) -> None:
    structure = structure_graph(GRAPHS[name]())
    kernel = structure.largest_kernel
    layer = drawn(EdgeAttention(kernel**2, 4, heads=heads, generator=torch.Generator().manual_seed(0)))
    found = layer(doubled(message_graph(structure, kernel, direction=direction)))[0]
    index, features = pyg_edges(structure, kernel, direction)
    features = features.double()
    for node in range(structure.nodes):
        at = features[index[1] == node]
        transformed = leaky_relu(at @ layer.transform.weight.T + layer.transform.bias, 0.2)
        projected = torch.cat([transformed, at, at], 1) @ layer.project.weight.T  # n(e) = e without noise
        for head in range(heads):
            share = torch.softmax(leaky_relu(projected @ layer.attention[head], 0.2), 0)
            expected = (share[:, None] * at).sum(0)
            torch.testing.assert_close(found[node].view(heads, -1)[head], expected)


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("generator", [None, 3], ids=["quiet", "noisy"])
def test_edges_some_rows_at_a_time(name: str, generator: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    structure = structure_graph(GRAPHS[name]())
    graph = doubled(message_graph(structure, structure.largest_kernel))
    layer = drawn(EdgeAttention(structure.largest_kernel**2, 4, generator=torch.Generator().manual_seed(0)))
    seeds = [None if generator is None else torch.Generator().manual_seed(generator) for _ in range(2)]
    whole = layer(graph, seeds[0])
    monkeypatch.setattr("synaplex.encoders.edge_attention.HIDDEN_AT_ONCE", 60)
    with torch.no_grad():
        torch.testing.assert_close(layer(graph, seeds[1]), whole.detach())


def test_noise_is_drawn_from_the_generator_alone() -> None:
    graph = message_graph(structure_graph(dense(2, 6, 5, 3)), 1)
    layer = EdgeAttention(1, generator=torch.Generator().manual_seed(0), noise=0.5)
    state = torch.get_rng_state()
    quiet = layer(graph)
    noisy = [layer(graph, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert torch.equal(layer(graph), quiet)
    assert torch.equal(noisy[0], noisy[1])
    assert not torch.equal(noisy[0], noisy[2])
    assert torch.equal(torch.get_rng_state(), state)


def test_a_node_without_edges_gets_nothing() -> None:
    weight = torch.tensor([[1.0, 0.0], [2.0, 0.0]])
    graph = message_graph(structure_graph(NeuralGraph.from_weights([weight])), 1)
    generator = torch.Generator().manual_seed(0)
    assert EdgeAttention(1, generator=generator)(graph)[0, 1].item() == 0
    x = torch.randn(1, 4, 3, generator=generator)
    layer = TransformerConv(3, 2, edges=1, generator=generator)
    torch.testing.assert_close(layer(x, graph)[0, 1], layer.lin_skip(x)[0, 1])
    alone = GATConv(3, 2, edges=1, generator=generator)
    torch.testing.assert_close(alone(x, graph)[0, 1], alone.lin(x)[0, 1])


def test_networks_become_pyg_data_that_batches() -> None:
    data = pytest.importorskip("torch_geometric.data")
    graphs = [dense(2, 4, 3, 2, zeros=0.3), convolutional()]
    made = to_pyg(graphs)
    assert len(made) == 3
    for k in range(2):
        edges = sum(link.edge_count for link in graphs[0].network(k).links)
        assert made[k].edge_index.shape == (2, 2 * edges)
        assert made[k].edge_attr.shape == (2 * edges, 9)
        one = made[k]
        for edge in range(one.edge_index.shape[1]):
            a, b = one.edge_index[:, edge].tolist()
            a, b = min(a, b), max(a, b)
            layer = 0 if a < 4 else 1
            offsets = graphs[0].offsets
            weight = graphs[0].network(k).links[layer].to_dense()[b - offsets[layer + 1], a - offsets[layer]]
            assert one.edge_attr[edge, 4] == weight
    batch = data.Batch.from_data_list(made)
    assert batch.num_nodes == 9 + 9 + 2 + 5 + 7 + 3
