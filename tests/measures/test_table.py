"""The table of measures: which neurons and measures a call asks for, and what it says to calls that ask for neither."""

from typing import Any

import networkx as nx
import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import synaplex as sx
import synaplex.measures as ms
from synaplex.errors import (
    DisconnectedGraphError,
    InvalidGraphError,
    MeasureOverflowError,
    SpecificationError,
    UndefinedMeasureError,
    UnknownNameError,
)
from synaplex.graph import DenseLink, Layer, NeuralGraph

SIZES = (4, 3, 5, 2)
NAMES = ("input", "first", "2", "last")


def named(networks: int | None = None) -> NeuralGraph:
    """4-3-5-2; layer 2 has the name "2", and the last layer a name only."""
    generator = torch.Generator().manual_seed(0)
    roles = ("input", "hidden", "hidden", "output")
    layers = tuple(Layer(name, (size,), role) for name, size, role in zip(NAMES, SIZES, roles, strict=True))
    batch = () if networks is None else (networks,)
    shapes = [(*batch, SIZES[i + 1], SIZES[i]) for i in range(3)]
    links = tuple(
        DenseLink(source=i, target=i + 1, weight=torch.randn(shape, generator=generator))
        for i, shape in enumerate(shapes)
    )
    return NeuralGraph(layers, links, {})


@settings(max_examples=30)
@given(
    st.lists(st.integers(0, 3).flatmap(lambda i: st.sampled_from([i, i - 4, NAMES[i], str(i)])), min_size=1),
    st.sampled_from([None, 3]),
)
def test_rows_are_those_of_the_chosen_layers(layers: list[str | int], networks: int | None) -> None:
    graph = named(networks)
    places = {NAMES.index(one) if one in NAMES else int(one) % 4 for one in layers}
    whole = sx.measure(graph, ["strength", "disparity"])
    expected = whole.filter(pl.col("layer").is_in(list(places)))
    assert sx.measure(graph, ["strength", "disparity"], layers=layers).equals(expected)
    assert sx.measure(graph, "strength", layers=layers[0])["layer"].n_unique() == 1


def test_roles_are_chosen_with_and_without_names() -> None:
    graph = named()
    assert sx.measure(graph, "strength", layers=["hidden"]).equals(sx.measure(graph, "strength", layers="hidden"))
    assert set(sx.measure(graph, "strength", layers=["hidden", "last"])["layer"]) == {1, 2, 3}
    assert len(sx.measure(graph, "strength", layers=["all", 0])) == graph.neurons


@pytest.mark.parametrize(
    ("layers", "error", "message"),
    [
        ("frist", UnknownNameError, "did you mean 'first'"),
        (["middle"], UnknownNameError, "known: 2, all, first, hidden, input, last"),
        (4, SpecificationError, "index from 0 to 3; the names are input, first, 2, last"),
        ([-5], SpecificationError, "layer -5 does not exist"),
        ("--1", UnknownNameError, "unknown layer '--1'"),
        ([], SpecificationError, "names no layer"),
    ],
)
def test_layers_that_are_none(layers: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        sx.measure(named(), "strength", layers=layers)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("layers", [1.5, [None], [True], ["first", 0.5]])
def test_layers_of_a_wrong_type(layers: Any) -> None:
    with pytest.raises(SpecificationError, match="name"):
        sx.measure(named(), "strength", layers=layers)


def test_no_hidden_layer() -> None:
    with pytest.raises(InvalidGraphError, match="no hidden layer"):
        sx.measure(NeuralGraph.from_weights([torch.ones(2, 2)]), "strength", layers=["hidden"])


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (nn.Sequential(nn.Linear(2, 2)), r"a Sequential is a model.*sx\.graph\(model\)"),
        ("model.safetensors", r"sx\.load\('model.safetensors'\)"),
        ({"weight": torch.ones(2, 2)}, r"a dict.*sx\.load\(path\) or sx\.graph"),
        (None, "NoneType"),
    ],
)
def test_what_is_no_graph_is_named_with_what_to_do(given: Any, message: str) -> None:
    functions = [ms.link_weights, ms.layer_fluctuation, ms.weight_features]
    for function in (sx.measure, *(known.function for known in ms.measures().values()), *functions):
        with pytest.raises(SpecificationError, match=message):
            function(given)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("measures", [[None], 5, [["strength"]], {"strength": None}, []])
def test_measures_that_are_no_names(measures: Any) -> None:
    with pytest.raises(SpecificationError, match=r"measure|options"):
        sx.measure(named(), measures)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("edges", [None, 0.1, ("positive",)])
def test_edge_rules_are_text(edges: Any) -> None:
    for measure in ms.DEFAULT:
        with pytest.raises(SpecificationError, match=r"is no text: give 'signed', 'positive'.*such as 'top:0\.1'"):
            sx.measure(named(), measure, edges=edges)


def test_misspelt_option_is_answered_with_the_options() -> None:
    with pytest.raises(SpecificationError, match=r"'egdes'; did you mean 'edges'\? known: bias, edges, .*missing"):
        sx.measure(named(), "strength", egdes="positive")
    with pytest.raises(SpecificationError, match="did you mean 'layers'"):
        sx.measure(named(), "strength", layer="hidden")


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("betweenness_centrality", "betweenness"),
        ("betweeness", "betweenness"),
        ("degree_centrality", "degree"),
        ("pagerank", "pagerank"),
        ("core_number", "coreness"),
        ("clustering", "local_clustering"),
    ],
)
def test_what_igraph_computes_is_pointed_at(name: str, function: str) -> None:
    pytest.importorskip("igraph")
    with pytest.raises(UnknownNameError, match=rf"sx\.graph\.centrality\(graph, '{function}'\)"):
        sx.measure(named(), [name])
    assert sx.graph.centrality(named(), function).shape == (sum(SIZES),)


def test_each_place_elsewhere_is_one() -> None:
    from synaplex.measures.elsewhere import CENTRALITIES

    assert set(CENTRALITIES.values()) <= set(sx.graph.CENTRALITIES)
    taken = {name for known in ms.measures().values() for name in (known.name, *known.aliases)}
    assert not taken & set(CENTRALITIES)


OF_NETWORKX = {
    "current_flow_closeness_centrality": (lambda g: nx.current_flow_closeness_centrality(g, weight="weight"), {}),
    "information_centrality": (lambda g: nx.information_centrality(g, weight="weight"), {}),
    "second_order_centrality": (nx.second_order_centrality, {}),
    "subgraph_centrality": (nx.subgraph_centrality, {}),
    "harmonic_centrality": (lambda g: nx.harmonic_centrality(g, distance="weight"), {}),
    "laplacian_centrality": (nx.laplacian_centrality, {"normalized": True}),
    "number_of_cliques": (lambda g: {n: sum(n in c for c in nx.find_cliques(g)) for n in g}, {}),
    "neighbor_strength": (lambda g: nx.average_neighbor_degree(g, weight="weight"), {"form": "degree"}),
}
"""What `docs/measures.md` says of names that NetworkX has too, and of average_neighbor_degree."""


@pytest.mark.parametrize("name", OF_NETWORKX)
def test_names_of_networkx_mean_its_quantities(name: str) -> None:
    club = nx.karate_club_graph()
    function, options = OF_NETWORKX[name]
    expected = function(club)
    found = sx.measure(sx.graph(club), {name: options})[name].to_numpy()
    np.testing.assert_allclose(found, [expected[node] for node in club], rtol=1e-6)


def test_every_other_function_of_networkx_is_no_alias() -> None:
    """An alias that NetworkX has for something else would be found by name and mislead."""
    aliases = {
        alias for known in ms.measures().values() for alias in known.aliases if callable(getattr(nx, alias, None))
    }
    aliases.discard("subgraph")  # there the name of what takes a part of a graph, no quantity
    assert aliases <= set(OF_NETWORKX)
    with pytest.raises(UnknownNameError, match="neighbor_strength with form='degree'"):
        ms.find("average_neighbor_degree")
    with pytest.raises(UnknownNameError, match="bipartite_clustering is that of graphs with two sides"):
        ms.find("clustering")


def test_columns_have_the_names_that_were_given() -> None:
    graph = named()
    frame = sx.measure(graph, ["node_strength", "strength", "information_centrality"], edges="absolute")
    assert frame.columns[3:] == ["node_strength", "strength", "information_centrality"]
    assert frame["node_strength"].equals(frame["strength"].alias("node_strength"))
    notes = sx.measure(
        NeuralGraph.from_weights([torch.eye(2)]), "information_centrality", undefined="null", method="iterative"
    )
    assert notes.columns[3:] == ["information_centrality", "information_centrality_error", "reason"]
    assert notes["reason"][0].startswith("information_centrality: ")
    assert ms.describe(ms.plan("node_strength")).keys() == {"strength"}


def test_undefined_values_name_the_measure_and_the_way_out() -> None:
    apart = NeuralGraph.from_weights([torch.eye(2), torch.eye(2)])
    with pytest.raises(DisconnectedGraphError, match=r"current_flow_closeness .*component'.*undefined='null'"):
        sx.measure(apart)
    zeros = NeuralGraph.from_weights([torch.zeros(3, 2), torch.ones(1, 3)])
    with pytest.raises(UndefinedMeasureError, match=r"neighbor_strength is undefined.*neuron 0.*undefined='null'"):
        sx.measure(zeros)
    with pytest.raises(UndefinedMeasureError, match=r"laplacian_centrality.*undefined='null'"):
        sx.measure(NeuralGraph.from_weights([torch.zeros(3, 2)]), "laplacian_centrality", normalized=True)
    with pytest.raises(UndefinedMeasureError, match="disparity is undefined"):
        ms.disparity(zeros)


@pytest.mark.parametrize("method", ["exact", "iterative"])
def test_a_network_that_overflows_has_its_other_measures(method: str) -> None:
    weights = torch.ones(3, 4, 5)
    weights[1] *= 1_000
    graph = NeuralGraph.from_weights([weights])
    asked = {"strength": {}, "subgraph_centrality": {"binary": False}, "log_subgraph_centrality": {"binary": False}}
    with pytest.raises(MeasureOverflowError, match=r"log_subgraph_centrality\).*undefined='null'"):
        sx.measure(graph, asked, method=method)
    frame = sx.measure(graph, asked, method=method, undefined="null")
    large, others = frame.filter(network=1), frame.filter(pl.col("network") != 1)
    assert large["subgraph_centrality"].null_count() == len(large) == 9
    reason = "subgraph_centrality: beyond float64 in this network; use log_subgraph_centrality"
    assert large["reason"].unique().to_list() == [reason]
    assert large.null_count()["log_subgraph_centrality"].item() == large.null_count()["strength"].item() == 0
    assert large["log_subgraph_centrality"].min() > 709
    expected = others["log_subgraph_centrality"].exp().to_numpy()
    np.testing.assert_allclose(others["subgraph_centrality"].to_numpy(), expected, rtol=1e-6)
    assert others["reason"].null_count() == len(others)


def test_large_values_are_not_collected_as_undefined_ones_unless_asked() -> None:
    graph = NeuralGraph.from_weights([1_000 * torch.ones(4, 5)])
    with pytest.raises(MeasureOverflowError, match="log_subgraph_centrality"):
        ms.subgraph_centrality(graph, binary=False, undefined=ms.Undefined())
    notes = ms.Undefined(overflow=True)
    assert ms.subgraph_centrality(graph, binary=False, undefined=notes).isnan().all()
    assert notes.notes[0][0].all()
