"""Graphs of other libraries: there and back is the same graph, and theirs is read as they mean it."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import scipy.sparse
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import synaplex as sx
from synaplex.errors import InvalidGraphError, SpecificationError, UnreadableFileError, UnwritableFileError
from synaplex.graph import (
    DenseLink,
    Layer,
    NeuralGraph,
    from_networkx,
    from_scipy,
    to_igraph,
    to_networkx,
    to_scipy,
    write_graphml,
)
from tests.graph.graphs import Recipe, directed_matrix, recipes, undirected_matrix


def assert_same(made: NeuralGraph, graph: NeuralGraph, directed: bool = True) -> None:
    assert made.sizes == graph.sizes
    assert [(layer.name, layer.role) for layer in made.layers] == [(la.name, la.role) for la in graph.layers]
    if directed:
        np.testing.assert_allclose(directed_matrix(made), directed_matrix(graph))
    np.testing.assert_allclose(undirected_matrix(made), undirected_matrix(graph))


@given(recipes(), st.booleans())
def test_networkx_and_back(drawn: Recipe, directed: bool) -> None:
    graph = drawn.graph
    made = to_networkx(graph, directed=directed)
    assert type(made) is (nx.DiGraph if directed else nx.Graph)
    assert made.number_of_nodes() == graph.neurons
    expected = directed_matrix(graph) if directed else undirected_matrix(graph)
    np.testing.assert_allclose(nx.to_numpy_array(made, nodelist=range(graph.neurons)), expected)
    assert_same(from_networkx(made), graph, directed)


@given(recipes(), st.booleans())
def test_scipy_and_back(drawn: Recipe, directed: bool) -> None:
    graph = drawn.graph
    made = to_scipy(graph, directed=directed)
    expected = directed_matrix(graph) if directed else undirected_matrix(graph)
    np.testing.assert_allclose(made.toarray(), expected)
    back = from_scipy(made, directed=directed, sizes=graph.sizes)
    assert back.sizes == graph.sizes
    np.testing.assert_allclose(undirected_matrix(back), undirected_matrix(graph))
    if directed:
        np.testing.assert_allclose(directed_matrix(back), expected)


@given(recipes(), st.booleans())
def test_igraph_has_the_same_edges(drawn: Recipe, directed: bool) -> None:
    pytest.importorskip("igraph")
    graph = drawn.graph
    made = to_igraph(graph, directed=directed)
    matrix = np.zeros((graph.neurons, graph.neurons))
    for edge in made.es:
        matrix[edge.source, edge.target] += edge["weight"]
        if not directed and edge.source != edge.target:
            matrix[edge.target, edge.source] += edge["weight"]
    np.testing.assert_allclose(matrix, directed_matrix(graph) if directed else undirected_matrix(graph))
    assert made.is_directed() is directed
    assert made.vs["layer"] == [i for i, size in enumerate(graph.sizes) for _ in range(size)]
    assert made.vs["neuron"] == [neuron for size in graph.sizes for neuron in range(size)]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(recipes(), st.booleans())
def test_graphml_and_back(tmp_path: Path, drawn: Recipe, directed: bool) -> None:
    graph = drawn.graph
    write_graphml(graph, tmp_path / "g.graphml", directed=directed)
    assert_same(sx.load(tmp_path / "g.graphml"), graph, directed)


def test_graphml_of_igraph(tmp_path: Path) -> None:
    pytest.importorskip("igraph")
    graph = NeuralGraph.from_weights([torch.tensor([[1.0, -2.0], [0.0, 3.0], [4.0, 0.5]]), torch.ones(1, 3)])
    to_igraph(graph).write_graphml(str(tmp_path / "g.graphml"))
    assert_same(sx.load(tmp_path / "g.graphml"), graph)


def test_roles_and_names_go_along() -> None:
    graph = NeuralGraph.from_weights([torch.ones(3, 2), torch.ones(1, 3)])
    made = to_networkx(graph)
    assert made.nodes[4] == {"layer": 1, "layer_name": "hidden 1", "role": "hidden", "neuron": 2}
    assert made.edges[4, 5] == {"weight": 1.0}
    assert [layer.role for layer in from_networkx(made).layers] == ["input", "hidden", "output"]


@pytest.mark.parametrize("kind", [nx.Graph, nx.DiGraph])
def test_names_of_nodes_go_along(tmp_path: Path, kind: type) -> None:
    made = kind()
    made.add_node("d", layer=1)
    made.add_node("b", layer=0)
    made.add_node("a", layer=0)
    made.add_weighted_edges_from([("a", "d", 2.0), ("b", "d", 3.0)])
    graph = sx.graph(made)
    assert [layer.names for layer in graph.layers] == [("b", "a"), ("d",)]
    frame = sx.measure(graph, "strength")
    assert dict(frame.select("name", "strength").rows()) == dict(made.degree(weight="weight"))
    back = to_networkx(graph)
    assert nx.get_node_attributes(back, "name") == {0: "b", 1: "a", 2: "d"}
    assert sx.graph(back).layers == graph.layers
    write_graphml(graph, tmp_path / "g.graphml")
    assert sx.load(tmp_path / "g.graphml").layers == graph.layers
    if importlib.util.find_spec("igraph"):
        assert to_igraph(graph).vs["name"] == ["b", "a", "d"]
        to_igraph(graph).write_graphml(str(tmp_path / "i.graphml"))
        assert sx.load(tmp_path / "i.graphml").layers == graph.layers


def test_numbers_of_nodes_are_no_names() -> None:
    assert sx.graph(nx.karate_club_graph()).layers[0].names == ()
    assert sx.graph(nx.path_graph([2, 1, 0])).layers[0].names == ("2", "1", "0")
    with pytest.raises(InvalidGraphError, match="layer 'h' has 1 names for 2 neurons"):
        Layer("h", (2,), names=("a",))


def test_names_in_a_batch_of_networks() -> None:
    graph = NeuralGraph.from_weights([torch.ones(2, 1, 2)])
    named = replace(graph, layers=(replace(graph.layers[0], names=("a", "b")), graph.layers[1]))
    frame = sx.measure(named, "strength")
    assert frame["name"].to_list() == ["a", "b", None] * 2
    assert "name" not in to_networkx(named.network(0)).nodes[0]  # not all neurons have one


def test_edge_rule_applies_on_the_way_out() -> None:
    graph = NeuralGraph.from_weights([torch.tensor([[1.0, -3.0]])])
    assert list(to_networkx(graph, edges="positive").edges) == [(0, 2)]
    assert to_scipy(graph, edges="absolute").max() == 3
    assert to_networkx(graph, edges="top:0.5").edges[1, 2]["weight"] == -3


def test_undirected_graph_is_one_hidden_layer() -> None:
    karate = nx.karate_club_graph()
    graph = sx.graph(karate)
    assert graph.sizes == (34,)
    assert graph.hidden == (0,)
    view = graph.undirected()
    np.testing.assert_allclose(view.dense.numpy(), nx.to_numpy_array(karate))
    np.testing.assert_allclose(view.strength.numpy(), [s for _, s in karate.degree(weight="weight")])
    np.testing.assert_array_equal(view.degree.numpy(), [d for _, d in karate.degree()])


@pytest.mark.parametrize("kind", [nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph])
def test_loops_and_parallel_edges(kind: type) -> None:
    made = kind([("a", "b", {"weight": 2.0}), ("a", "b", {"weight": 3.0}), ("b", "b", {"weight": 7.0}), ("c", "a")])
    total = 5.0 if made.is_multigraph() else 3.0
    expected = [[0, total, 1], [total, 7, 0], [1, 0, 0]]
    assert sx.graph(made).undirected().dense.tolist() == expected


def test_directions_are_kept() -> None:
    graph = sx.graph(nx.DiGraph([(0, 1, {"weight": 2.0}), (1, 0, {"weight": 3.0}), (2, 0, {"weight": 4.0})]))
    assert directed_matrix(graph).tolist() == [[0, 2, 0], [3, 0, 0], [4, 0, 0]]
    assert graph.undirected().dense.tolist() == [[0, 5, 4], [5, 0, 0], [4, 0, 0]]


def test_other_attributes_by_name() -> None:
    made = nx.DiGraph()
    made.add_node("s", area="sensory")
    made.add_node("m", area="motor")
    made.add_node("t", area="sensory")
    made.add_edge("s", "m", synapses=4)
    graph = from_networkx(made, weight="synapses", layer="area")
    assert graph.sizes == (2, 1)
    assert [layer.name for layer in graph.layers] == ["input", "output"]
    assert directed_matrix(graph)[0, 2] == 4


def test_layers_by_text_take_their_names() -> None:
    made = nx.Graph()
    made.add_node(0, layer="retina")
    made.add_node(1, layer="cortex")
    assert [layer.name for layer in from_networkx(made).layers] == ["retina", "cortex"]


def test_neuron_attribute_orders_a_layer() -> None:
    made = nx.DiGraph()
    made.add_node("x", layer=0, neuron=1)
    made.add_node("y", layer=0, neuron=0)
    made.add_node("z", layer=1, neuron=0)
    made.add_edge("x", "z", weight=5.0)
    assert sx.graph(made).links[0].to_dense().tolist() == [[0, 5]]


def test_dense_and_sparse_links_by_how_full_they_are() -> None:
    full = NeuralGraph.from_weights([torch.ones(4, 4)])
    assert isinstance(from_networkx(to_networkx(full)).links[0], DenseLink)
    thin = NeuralGraph.from_weights([torch.eye(4)])
    assert not isinstance(from_networkx(to_networkx(thin)).links[0], DenseLink)


@pytest.mark.parametrize(
    ("edges", "nodes", "message"),
    [
        ([], [], "has no nodes"),
        ([(0, 1, {"weight": "strong"})], [], "edge 0 - 1 has weight 'strong'"),
        ([(0, 1, {"weight": float("nan")})], [], "1 NaN or infinite"),
        ([(0, 1)], [(0, {"layer": 0})], "1 of 2 nodes have no attribute 'layer', the first is 1"),
    ],
)
def test_graphs_that_cannot_be_read(edges: list, nodes: list, message: str) -> None:
    made = nx.Graph()
    made.add_nodes_from(nodes)
    made.add_edges_from(edges)
    with pytest.raises(InvalidGraphError, match=message):
        sx.graph(made)


def test_scipy_matrix_is_undirected_if_symmetric() -> None:
    symmetric = scipy.sparse.csr_array(np.array([[0.0, 2.0], [2.0, 1.0]]))
    assert sx.graph(symmetric).undirected().dense.tolist() == symmetric.toarray().tolist()
    assert from_scipy(symmetric, directed=True).undirected().dense.tolist() == [[0, 4], [4, 1]]
    one_way = scipy.sparse.coo_matrix(np.array([[0.0, 2.0], [0.0, 0.0]]))
    assert sx.graph(one_way).undirected().dense.tolist() == [[0, 2], [2, 0]]
    with pytest.raises(InvalidGraphError, match=r"symmetric, and this one is not.*matrix \+ matrix\.T"):
        from_scipy(one_way, directed=False)


def test_scipy_matrix_must_be_square_and_fit_its_layers() -> None:
    with pytest.raises(InvalidGraphError, match=r"is square, this one is \(1, 2\).*\[matrix\]"):
        sx.graph(scipy.sparse.csr_array(np.ones((1, 2))))
    with pytest.raises(InvalidGraphError, match=r"\[1, 2\] neurons don't make the 2 rows"):
        from_scipy(scipy.sparse.csr_array(np.ones((2, 2))), sizes=[1, 2])


def test_a_batch_is_exported_network_by_network() -> None:
    batch = NeuralGraph.from_weights([torch.ones(3, 2, 2)])
    for export in (to_networkx, to_scipy, to_igraph):
        with pytest.raises(SpecificationError, match=r"batch of 3 networks.*graph\.network\(k\)"):
            export(batch)
    assert to_networkx(batch.network(0)).number_of_edges() == 4


def test_isolated_neurons_stay() -> None:
    graph = NeuralGraph((Layer("a", (2,)), Layer("b", (1,))), (), {})
    assert to_networkx(graph).number_of_nodes() == 3
    assert to_scipy(graph).shape == (3, 3)
    assert to_igraph(graph).vcount() == 3


def test_graphml_that_cannot_be_written_or_read(tmp_path: Path) -> None:
    graph = NeuralGraph.from_weights([torch.ones(1, 1)])
    with pytest.raises(UnwritableFileError, match="cannot be written"):
        write_graphml(graph, tmp_path / "no such folder" / "g.graphml")
    write_graphml(graph, tmp_path / "g.graphml")
    whole = (tmp_path / "g.graphml").read_bytes()
    (tmp_path / "g.graphml").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableFileError, match=r"g\.graphml is truncated or damaged"):
        sx.load(tmp_path / "g.graphml")
