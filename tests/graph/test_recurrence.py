"""Recurrent layers: the unfolded RNN is linear and equals torch's, gates follow the stated convention."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from synaplex.errors import SpecificationError
from synaplex.graph import NeuralGraph, recurrence
from synaplex.measures import disparity, laplacian_centrality, strength


def response(graph: NeuralGraph, given_at: int, target: str) -> Tensor:
    """How a layer answers to an input layer through all paths, layer by layer: links in the order of the steps."""
    size = graph.sizes[given_at]
    values: dict[int, Tensor] = {given_at: torch.eye(size, dtype=torch.float64)}
    names = [layer.name for layer in graph.layers]
    remaining = list(graph.links)
    while remaining:
        waiting = {link.target for link in remaining}
        ready = [link for link in remaining if link.source not in waiting]
        for link in ready:
            if link.source in values:
                moved = link.forward(values[link.source])
                values[link.target] = values.get(link.target, 0) + moved
        remaining = [link for link in remaining if link not in ready]
    place = names.index(target)
    return values.get(place, torch.zeros(size, graph.sizes[place], dtype=torch.float64)).T


@given(st.integers(1, 2), st.booleans(), st.integers(1, 4), st.booleans())
@settings(max_examples=20)
def test_unfolded_linear_rnn_is_torchs(layers: int, both: bool, steps: int, bias: bool) -> None:
    """At a vanishing input tanh is the identity, so that the Jacobian there is that of the linear network."""
    module = nn.RNN(3, 2, num_layers=layers, bidirectional=both, bias=bias, batch_first=True).double()
    if bias:
        for name, parameter in module.named_parameters():
            if "bias" in name:
                nn.init.zeros_(parameter)
    made = recurrence(module)
    graph = made.unfolded(steps)

    def run(x: Tensor) -> Tensor:
        return module(x)[0]

    matrix: Tensor = torch.autograd.functional.jacobian(run, torch.zeros(1, steps, 3, dtype=torch.float64))
    matrix = matrix.reshape(steps, -1, steps, 3)
    per_step = len(made.layers)
    for sent in range(steps):
        for read in range(steps):
            ours = torch.cat(
                [response(graph, sent * per_step, f"{made.layers[i].name} at {read}") for i in made.outputs]
            )
            torch.testing.assert_close(ours, matrix[read, :, sent])
    assert len(made.biases) == (layers * (2 if both else 1) if bias else 0)


def layer_named(made: Any, name: str) -> int:
    return [layer.name for layer in made.layers].index(name)


def links_between(made: Any, source: str, target: str) -> list[tuple[Tensor, int]]:
    first, second = layer_named(made, source), layer_named(made, target)
    return [
        (link.to_dense(), delay)
        for link, delay in zip(made.links, made.delays, strict=True)
        if (link.source, link.target) == (first, second)
    ]


def test_lstm_passes_each_factor_of_a_product_by_one() -> None:
    module = nn.LSTM(3, 2).double()
    made = recurrence(module, "encoder")
    assert [layer.name for layer in made.layers] == ["input", "gates_l0", "cell_l0", "hidden_l0"]
    ((weight, delay),) = links_between(made, "input", "gates_l0")
    assert torch.equal(weight, module.weight_ih_l0)
    assert delay == 0
    ((weight, delay),) = links_between(made, "hidden_l0", "gates_l0")
    assert torch.equal(weight, module.weight_hh_l0)
    assert delay == 1
    gates = [matrix for matrix, _ in links_between(made, "gates_l0", "cell_l0")]
    eye, none = torch.eye(2).double(), torch.zeros(2, 2).double()
    assert torch.equal(sum(gates), torch.cat([eye, eye, eye, none], 1))  # i, f, g
    ((output, _),) = links_between(made, "gates_l0", "hidden_l0")
    assert torch.equal(output, torch.cat([none, none, none, eye], 1))
    assert links_between(made, "cell_l0", "cell_l0")[0][1] == 1
    assert links_between(made, "cell_l0", "hidden_l0")[0][1] == 0
    assert torch.equal(made.biases[1], (module.bias_ih_l0 + module.bias_hh_l0).detach())
    assert {link.name for link in made.links} >= {"encoder.weight_ih_l0", "encoder.weight_hh_l0"}


def test_gru_passes_each_factor_of_a_product_by_one() -> None:
    made = recurrence(nn.GRU(3, 2).double())
    eye, none = torch.eye(2).double(), torch.zeros(2, 2).double()
    ((within, delay),) = links_between(made, "gates_l0", "gates_l0")
    assert torch.equal(within[4:], torch.cat([eye, none, none], 1))  # r -> n
    assert delay == 0
    assert not within[:4].any()
    total = sum(matrix for matrix, _ in links_between(made, "gates_l0", "hidden_l0"))
    assert torch.equal(total, torch.cat([none, eye, eye], 1))  # z, n
    assert links_between(made, "hidden_l0", "hidden_l0")[0][1] == 1


def test_layers_and_directions() -> None:
    module = nn.LSTM(3, 4, num_layers=2, bidirectional=True, proj_size=2)
    made = recurrence(module)
    assert made.layers[layer_named(made, "projection_l0")].size == 2
    ((weight, _),) = links_between(made, "projection_l0_reverse", "gates_l1")
    assert torch.equal(weight, module.weight_ih_l1[:, 2:])
    assert [made.layers[i].name for i in made.outputs] == ["projection_l1", "projection_l1_reverse"]
    assert links_between(made, "projection_l1_reverse", "gates_l1_reverse")[0][1] == -1
    names = {link.name for link in made.links if link.name}
    assert names == {name for name, _ in module.named_parameters() if "weight" in name}


@pytest.mark.parametrize("cell", [nn.RNNCell(3, 2), nn.LSTMCell(3, 2), nn.GRUCell(3, 2)])
def test_cells_are_one_step(cell: nn.RNNCellBase) -> None:
    made = recurrence(cell)
    assert {link.name for link in made.links if link.name} == {"weight_ih", "weight_hh"}
    assert made.folded().layers[0].role == "input"


@pytest.mark.parametrize("module", [nn.RNN(3, 2), nn.LSTM(3, 2, 2), nn.GRU(3, 2, bidirectional=True)])
def test_folded_and_unfolded_graphs_are_measured(module: nn.RNNBase) -> None:
    """Strength, disparity and Laplacian centrality are those of the adjacency matrix, recurrent links and all."""
    for graph in (recurrence(module).folded(), recurrence(module).unfolded(3)):
        matrix = graph.undirected().dense
        torch.testing.assert_close(strength(graph), matrix.sum(1))
        positive = matrix.abs()
        torch.testing.assert_close(disparity(graph), (positive**2).sum(1) / positive.sum(1) ** 2)
        bare = matrix - torch.diag(matrix.diagonal())
        s = bare.sum(1)
        torch.testing.assert_close(laplacian_centrality(graph), s**2 + (bare**2).sum(1) + 2 * bare @ s)


def test_unfolded_links_share_their_weights() -> None:
    module = nn.RNN(3, 2)
    graph = recurrence(module).unfolded(4)
    pointers = {link.weights.data_ptr() for link in graph.links}
    assert pointers == {module.weight_ih_l0.data_ptr(), module.weight_hh_l0.data_ptr()}
    assert [layer.name for layer in graph.layers][:3] == ["input at 0", "hidden_l0 at 0", "input at 1"]
    with pytest.raises(SpecificationError, match="1 step or more"):
        recurrence(module).unfolded(0)
