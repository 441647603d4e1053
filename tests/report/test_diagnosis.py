"""What stands out in a network is found, and nothing else is."""

import math

import networkx as nx
import polars as pl
import pytest
import torch

import synaplex as sx
from synaplex.errors import SpecificationError
from synaplex.graph import NeuralGraph
from synaplex.report import compare
from synaplex.report.bottlenecks import effective_rank, link_ranks
from synaplex.report.diagnosis import connections, hubs, outliers, weak_neurons
from synaplex.report.measuring import measure_each
from synaplex.report.model_figures import neurons_figure
from synaplex.report.summary import layer_summary


def test_connections_count_edges_and_sum_weights(network: NeuralGraph) -> None:
    frame = connections(network)
    first, second, _ = (link.to_dense().double() for link in network.links)
    hidden = frame.filter(pl.col("layer") == 1)
    torch.testing.assert_close(torch.tensor(hidden["in_weight"].to_list()).double(), first.abs().sum(1))
    torch.testing.assert_close(torch.tensor(hidden["out_weight"].to_list()).double(), second.abs().sum(0))
    torch.testing.assert_close(torch.tensor(hidden["in_positive"].to_list()).double(), first.relu().sum(1))
    assert hidden["in_edges"].to_list() == [12] * 20
    assert frame.filter(pl.col("layer") == 0)["in_edges"].sum() == 0


def test_planted_hub_is_first(network: NeuralGraph) -> None:
    weights = [link.to_dense().clone() for link in network.links]
    weights[0][7] *= 30
    top = hubs(NeuralGraph.from_weights(weights)).row(0, named=True)
    assert (top["layer"], top["neuron"]) == (1, 7)
    assert top["of_median"] > 5


def test_weak_and_dead_neurons_are_those_that_were_planted(network: NeuralGraph) -> None:
    weights = [link.to_dense().clone() for link in network.links]
    weights[0][3] = 0
    weights[1][:, 4] = 0
    weights[0][5] *= 1e-5
    weights[1][:, 5] *= 1e-5
    weights[0][6] = -weights[0][6].abs()
    graph = NeuralGraph.from_weights(weights, [torch.zeros(20), torch.zeros(10), torch.zeros(3)])
    found = {(row["layer"], row["neuron"]): row["why"] for row in weak_neurons(graph).iter_rows(named=True)}
    assert found == {
        (1, 3): "no incoming edge",
        (1, 4): "no outgoing edge",
        (1, 5): "weak",
        (1, 6): "never fires under a ReLU",
    }


def test_positive_bias_lets_a_neuron_fire() -> None:
    graph = NeuralGraph.from_weights([-torch.ones(2, 3), torch.ones(1, 2)], [torch.tensor([1.0, -1.0]), torch.zeros(1)])
    assert weak_neurons(graph)["neuron"].to_list() == [1]


def test_outlier_is_found_and_constant_layers_have_none(network: NeuralGraph) -> None:
    weights = [link.to_dense().clone() for link in network.links]
    weights[0][2] += 100
    graph = NeuralGraph.from_weights(weights)
    far = outliers(sx.measure(graph, ["in_strength", "maximal_cliques"]))
    assert far.row(0, named=True)["measure"] == "in_strength"
    assert far.filter(measure="in_strength")["neuron"].to_list() == [2]
    same = NeuralGraph.from_weights([torch.ones(20, 20), torch.ones(20, 20)])
    assert outliers(sx.measure(same, ["strength", "disparity"])).is_empty()


def test_neurons_with_names_are_called_by_them() -> None:
    wires = nx.DiGraph()
    wires.add_weighted_edges_from(("north", f"cell {i}", 1.0 + 9 * (i == 3)) for i in range(10))
    wires.add_weighted_edges_from((f"cell {i}", "out", 1.0) for i in range(10) if i != 5)
    graph = sx.graph(wires)
    assert "cell 3" in hubs(graph, 3)["name"].to_list()
    assert "cell 5" in weak_neurons(graph)["name"].to_list()
    frame, _, _ = measure_each(graph, ["in_strength", "out_strength"])
    assert "name" in outliers(frame).columns
    moved = compare(graph, graph, measures="strength").neurons
    assert moved["name"].to_list() == list(wires)
    assert "name_a" not in moved.columns
    figure = neurons_figure(frame)
    assert figure is not None
    called = {name for trace in figure.data for name in trace.customdata}
    assert called == set(wires)


def test_effective_rank_of_equal_values_is_their_number() -> None:
    for count in (1, 3, 17):
        values = torch.cat([torch.full((count,), 2.5), torch.zeros(4)])
        assert effective_rank(values) == pytest.approx(count)
    assert effective_rank(torch.zeros(3)) == 0


def test_ranks_of_a_link_of_low_rank() -> None:
    generator = torch.Generator().manual_seed(1)
    thin = torch.randn(30, 2, generator=generator) @ torch.randn(2, 40, generator=generator)
    row = link_ranks(NeuralGraph.from_weights([thin, torch.eye(30)])).row(0, named=True)
    assert row["full"] == 30
    assert row["rank"] == 2
    assert row["effective_rank"] <= 2 < row["shuffled"]
    identity = link_ranks(NeuralGraph.from_weights([thin, torch.eye(30)])).row(1, named=True)
    assert identity["effective_rank"] == pytest.approx(30)
    assert identity["stable_rank"] == pytest.approx(30)


def test_summary_equals_the_plain_statistics_even_of_huge_values() -> None:
    values = [1e200, 3e200, None, -1e200]
    frame = pl.DataFrame({"layer": [1] * 4, "layer_name": ["h"] * 4, "neuron": range(4), "m": values})
    row = layer_summary(frame.with_columns(pl.col("layer").cast(pl.Int32))).row(0, named=True)
    assert (row["neurons"], row["undefined"]) == (4, 1)
    assert row["mean"] == pytest.approx(1e200)
    assert row["std"] == pytest.approx(math.sqrt(8 / 3) * 1e200)
    assert (row["min"], row["max"]) == (-1e200, 3e200)


def test_batch_is_refused() -> None:
    batch = NeuralGraph.from_weights([torch.ones(2, 3, 4)])
    for ask in (connections, hubs, weak_neurons, sx.report):
        with pytest.raises(SpecificationError, match=r"graph\.network\(k\)"):
            ask(batch)
