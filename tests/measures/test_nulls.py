"""A measure beside a null model, against counting by hand."""

import numpy as np
import pytest
import torch
from polars.testing import assert_frame_equal

import synaplex as sx
from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.graph import NeuralGraph, flipped, shuffled
from synaplex.measures import beside_null
from synaplex.measures.nulls import _row, against_null


@pytest.fixture
def graph():
    generator = torch.Generator().manual_seed(1)
    return NeuralGraph.from_weights(
        [torch.randn(2, 6, 5, generator=generator), torch.randn(2, 4, 6, generator=generator)]
    )


@pytest.mark.parametrize(("null", "draw"), [("shuffled", shuffled), ("flipped", flipped)])
def test_numbers_are_those_of_the_draws(graph, null, draw):
    table = beside_null(graph, ["strength", "disparity"], null=null, draws=9, null_seed=4)
    assert len(table) == 2 * 3 * 2 * 3

    def largest(one):
        frame = sx.measure(one, "strength").filter(network=1, layer=1)
        return float(frame["strength"].max())

    observed, draws = largest(graph), np.array([largest(draw(graph, 4 + k)) for k in range(9)])
    row = table.filter(network=1, layer=1, measure="strength", statistic="largest").row(0, named=True)
    assert row["observed"] == pytest.approx(observed)
    assert row["null_mean"] == pytest.approx(draws.mean())
    assert row["null_deviation"] == pytest.approx(draws.std(ddof=1))
    assert row["z"] == pytest.approx((observed - draws.mean()) / draws.std(ddof=1))
    mean = np.mean([observed, *draws])
    far = sum(abs(one - mean) >= abs(observed - mean) - 1e-12 for one in [observed, *draws])
    assert row["p"] == pytest.approx(far / 10)
    assert row["remark"] == ""


def test_what_the_weights_alone_fix_has_no_z(graph):
    table = beside_null(graph, "strength", draws=3).filter(layer=0, statistic="mean", network=0)
    assert table["z"].to_list() == table["p"].to_list() == [None]
    assert table["remark"].to_list() == ["fixed by the weight distribution alone"]


@pytest.mark.parametrize("size", [1e-9, 1.0, 1e9])
def test_the_scale_of_the_weights_makes_no_difference(graph, size):
    scaled = NeuralGraph.from_weights([link.to_dense().double() * size for link in graph.links])
    graph = NeuralGraph.from_weights([link.to_dense().double() for link in graph.links])
    options = {"measures": "laplacian_centrality", "draws": 9}
    one, other = beside_null(graph, **options), beside_null(scaled, **options)
    assert one["remark"].to_list() == other["remark"].to_list()
    assert_frame_equal(one.select("z", "p"), other.select("z", "p"), rel_tol=1e-6)


def test_draws_without_a_value_are_left_out_and_counted():
    draws = np.array([0.0, 1.0, 2.0, 3.0, np.nan, np.nan])
    found = against_null(1.5, draws)
    assert (found["null_mean"], found["z"]) == (pytest.approx(1.5), 0)
    assert found["remark"] == "undefined in 2 of 6 draws"
    lost = against_null(1.5, draws[3:])
    assert np.isnan([lost["null_mean"], lost["null_deviation"]]).all()
    assert (lost["z"], lost["remark"]) == (None, "undefined in 2 of 3 draws")
    assert _row("x\nmean", 1.5, draws, "")["p"] == 1
    assert _row("x\nmean", 9.0, draws, "")["p"] == pytest.approx(1 / 5)


def test_beside_rewired_networks_degrees_are_fixed():
    generator = torch.Generator().manual_seed(2)
    weight = torch.randn(12, 10, generator=generator) * (torch.rand(12, 10, generator=generator) < 0.3)
    same, other = (
        beside_null(NeuralGraph.from_weights([one]), "in_strength", null="rewired", draws=5).filter(layer=1)
        for one in ((weight != 0).double(), weight)
    )
    assert same["remark"].to_list() == ["fixed by the numbers of connections and the weight distribution alone"] * 3
    assert other.filter(statistic="deviation")["remark"].to_list() == [""]


def test_a_hub_is_found_and_one_network_without_structure_is_not():
    weight = torch.full((20, 20), 0.1)
    weight[3] = 1.0
    graph = NeuralGraph.from_weights([weight])
    hub = beside_null(graph, "in_strength", draws=99).filter(layer=1, statistic="largest").row(0, named=True)
    assert hub["z"] > 10
    assert hub["p"] == pytest.approx(0.01)
    plain = [
        beside_null(shuffled(graph, 1000 + k), "in_strength", draws=19, null_seed=10 * k).filter(
            layer=1, statistic="largest"
        )["p"][0]
        for k in range(20)
    ]
    assert sum(p <= 0.05 for p in plain) <= 5


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"null": "shufled"}, UnknownNameError, "shuffled"),
        ({"draws": 1}, SpecificationError, "two draws"),
        ({"measures": "strenght"}, UnknownNameError, "strength"),
    ],
)
def test_nonsense(graph, options, error, said):
    with pytest.raises(error, match=said):
        beside_null(graph, **options)
