"""One door for all kinds of graphs."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import scipy.sparse
import torch
from torch import nn

import synaplex as sx
from synaplex.errors import InvalidGraphError, SpecificationError


def test_lists_of_matrices_of_any_library() -> None:
    first, second = [[0.5, -1.0], [2.0, 0.0], [1.0, 1.0]], [[1.0, -2.0, 3.0]]
    expected = sx.graph([first, second]).undirected().dense
    for kind in (np.array, torch.tensor, scipy.sparse.csr_array, scipy.sparse.coo_matrix):
        graph = sx.graph([kind(first), kind(second)])
        assert graph.sizes == (2, 3, 1)
        assert torch.equal(graph.undirected().dense, expected)


def test_weights_are_shared_not_copied() -> None:
    weight = np.ones((3, 2), dtype=np.float32)
    assert sx.graph([weight]).links[0].to_dense().data_ptr() == weight.ctypes.data
    module = nn.Linear(2, 3)
    assert sx.graph(module).links[0].to_dense().data_ptr() == module.weight.data_ptr()
    state = module.state_dict()
    assert sx.graph(state).links[0].to_dense().data_ptr() == module.weight.data_ptr()


def test_read_only_arrays_are_read() -> None:
    weight = np.ones((3, 2))
    weight.flags.writeable = False
    assert sx.graph([weight]).sizes == (2, 3)


def test_state_dict_in_its_own_order() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    graph = sx.graph(model.state_dict())
    assert [layer.name for layer in graph.layers] == ["input", "0", "2"]
    assert sx.graph(model.state_dict(), layers=["2"]).sizes == (4, 4)


def test_a_graph_stays_what_it_is() -> None:
    graph = sx.graph([[[1.0]]])
    assert sx.graph(graph) is graph


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        (np.ones((3, 3)), r"\(3, 3\) could be weights or an adjacency matrix: pass \[array\]"),
        (torch.ones(2, 3, 3), "could be weights or an adjacency matrix"),
        ("model.pt", r"read it with sx\.load\('model\.pt'\)"),
        (3, "cannot read a int as a graph"),
        (None, "cannot read a NoneType"),
        ([], "at least one weight matrix"),
        ([[[1.0, "x"]]], "'layer 1' is no matrix of numbers"),
        ({"fc.weight": [[1.0]]}, "'fc.weight' is a list"),
        ({}, "no matrix of weights; it has nothing"),
        (nx.Graph(), "no nodes"),
    ],
)
def test_what_is_no_graph_is_said(obj: object, message: str) -> None:
    with pytest.raises(InvalidGraphError, match=message):
        sx.graph(obj)


def test_arguments_that_do_not_go_with_the_object() -> None:
    with pytest.raises(SpecificationError, match="example_input goes with a module, not with a list"):
        sx.graph([[[1.0]]], torch.ones(1, 1))
    with pytest.raises(SpecificationError, match="layers= chooses from a state dict, not from a Linear"):
        sx.graph(nn.Linear(1, 1), layers=["weight"])
