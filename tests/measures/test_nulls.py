"""A measure beside a null model, against counting by hand."""

import numpy as np
import pytest
import torch

import synaplex as sx
from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.graph import NeuralGraph, flipped, shuffled
from synaplex.measures import beside_null


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
