"""Two models compared: distances as matrices give them, neurons found that moved, errors where nothing matches."""

from pathlib import Path

import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import synaplex as sx
from synaplex.errors import InvalidGraphError, SpecificationError
from synaplex.graph import DenseLink, NeuralGraph
from synaplex.report import difference as difference_module
from synaplex.report.difference import difference
from tests.report.pages import read


def changed(network: NeuralGraph, link: int, change: torch.Tensor) -> NeuralGraph:
    weights = [each.to_dense().clone() for each in network.links]
    weights[link] = weights[link] + change
    return NeuralGraph.from_weights(weights)


def test_a_model_does_not_differ_from_itself(network: NeuralGraph) -> None:
    found = sx.compare(network, network)
    assert found.links["distance"].to_list() == [0.0] * 3
    assert found.links["cosine"].to_list() == [1.0] * 3
    assert found.links["changed"].to_list() == [0.0] * 3
    assert found.layers["mean_change"].to_list() == [0.0] * len(found.layers)
    correlations = found.layers["rank_correlation"].drop_nulls()
    assert correlations.to_list() == pytest.approx([1.0] * len(correlations))
    assert "no weight differs" in found.report().html()


def test_the_neuron_that_moved_is_found(network: NeuralGraph) -> None:
    change = torch.zeros(10, 20)
    change[4] = 1.0
    found = sx.compare(network, changed(network, 1, change))
    assert found.links["distance"].to_list() == pytest.approx([0, 20**0.5, 0])
    top = found.moved(1).row(0, named=True)
    assert (top["layer"], top["neuron"]) == (2, 4)
    assert top["incoming_distance"] == pytest.approx(20**0.5)
    still = found.neurons.filter((pl.col("layer") == 2) & (pl.col("neuron") != 4))
    assert still["incoming_distance"].sum() == 0
    assert found.neurons.filter(pl.col("layer") == 0)["incoming_distance"].null_count() == 12


def test_columns_are_the_documented_ones(network: NeuralGraph) -> None:
    found = sx.compare(network, network, measures=["strength"])
    sides = [f"{side}_{what}" for side in ("incoming", "outgoing") for what in ("distance", "relative", "cosine")]
    assert found.neurons.columns == ["layer", "layer_name", "neuron", *sides, "strength_a", "strength_b"]
    assert found.layers.columns == [
        *("layer", "layer_name", "neurons", "measure", "mean_a", "mean_b", "mean_change", "rank_correlation")
    ]


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**32 - 1), st.booleans(), st.integers(1, 20))
def test_difference_equals_that_of_the_matrices(rows: int, columns: int, seed: int, dense: bool, block: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    a, b = (torch.randint(-1, 3, (rows, columns), generator=generator).double() for _ in range(2))
    links = [DenseLink(source=0, target=1, weight=weight) for weight in (a, b)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(difference_module, "_BLOCK", block)
        found = difference(*links) if dense else difference(*(link.to_sparse() for link in links))
    torch.testing.assert_close(found.rows.gap, ((a - b) ** 2).sum(1))
    torch.testing.assert_close(found.columns.gap, ((a - b) ** 2).sum(0))
    torch.testing.assert_close(found.rows.ab, (a * b).sum(1))
    assert found.rows.norm_a == pytest.approx(float(a.norm()))
    assert found.edges_a == int((a != 0).sum())
    assert found.gained == int(((a == 0) & (b != 0)).sum())
    assert found.lost == int(((a != 0) & (b == 0)).sum())
    assert found.changed == int((a != b).sum())
    assert found.sign_flips == int((a * b < 0).sum())


def test_other_architecture_is_compared_where_layers_match(network: NeuralGraph) -> None:
    first = network.links[0].to_dense()
    other = NeuralGraph.from_weights([first * 2, torch.ones(3, 20)])
    found = sx.compare(network, other)
    assert found.links["cosine"].to_list() == pytest.approx([1.0])
    assert found.links["relative_distance"].to_list() == pytest.approx([1.0])
    assert len(found.unmatched) == 3
    assert set(found.neurons["layer"]) == {0, 1, 3}


def test_nothing_in_common_is_an_error(network: NeuralGraph) -> None:
    with pytest.raises(InvalidGraphError, match=r"no link in common.*input \(12,\).*input \(5,\)"):
        sx.compare(network, NeuralGraph.from_weights([torch.ones(7, 5)]))


def test_batch_is_refused(network: NeuralGraph) -> None:
    with pytest.raises(SpecificationError, match="second model is a batch of 2"):
        sx.compare(network, NeuralGraph.from_weights([torch.ones(2, 3, 12)]))


def test_page_of_a_comparison_opens_offline(network: NeuralGraph, tmp_path: Path) -> None:
    found = sx.compare(network, changed(network, 2, torch.ones(3, 10)))
    found.report(tmp_path / "c.html", facts={"a": "x", "b": "y"})
    headings = read((tmp_path / "c.html").read_text(encoding="utf-8")).headings
    assert headings[1:] == ["Layers that moved", "Neurons that moved", "Measures that moved"]
