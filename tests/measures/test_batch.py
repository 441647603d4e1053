"""A batch of K networks equals K single calls; permuting neurons permutes the measures."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from synaplex.errors import DisconnectedGraphError
from synaplex.graph import NeuralGraph
from synaplex.measures import PRESETS, measure, measures
from synaplex.measures.paths import _sums_compiled, sums_by_products
from tests.measures.layered import Layered, build, layered

ALL = sorted(measures())


def frames_agree(first: pl.DataFrame, second: pl.DataFrame) -> None:
    assert first.columns == second.columns
    for name in ALL:
        a, b = first[name].cast(pl.Float64).to_numpy(), second[name].cast(pl.Float64).to_numpy()
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7, err_msg=name)
    assert first["reason"].to_list() == second["reason"].to_list()


@settings(max_examples=30)  # each measures four graphs by every measure there is
@given(layered(signed=True, networks=3))
def test_batch_equals_singles(networks: list[Layered]) -> None:
    together = measure(build(networks), ALL, undefined="null")
    for k, one in enumerate(networks):
        frames_agree(together.filter(network=k).drop("network"), measure(one.graph, ALL, undefined="null"))


@settings(max_examples=50)
@given(layered(signed=True), st.integers(0, 2**31))
def test_permuting_neurons_permutes_measures(networks: list[Layered], seed: int) -> None:
    (one,) = networks
    random = np.random.default_rng(seed)
    order = [random.permutation(width) for width in one.widths]
    moved = Layered(one.widths, {(i, j): w[order[j]][:, order[i]] for (i, j), w in one.weights.items()})
    rows = np.concatenate([start + part for start, part in zip(one.offsets, order, strict=False)])
    before, after = (measure(x.graph, ALL, undefined="null") for x in (one, moved))
    frames_agree(before[rows].drop("neuron"), after.drop("neuron"))


def test_sparse_links_measure_as_dense_ones() -> None:
    random = np.random.default_rng(3)
    weights = [
        torch.as_tensor(random.normal(size=shape) * (random.random(shape) < 0.4)) for shape in [(2, 7, 9), (2, 4, 7)]
    ]
    dense = NeuralGraph.from_weights(weights)
    sparse = NeuralGraph(dense.layers, tuple(link.to_sparse() for link in dense.links), {})
    frames_agree(measure(dense, ALL, undefined="null"), measure(sparse, ALL, undefined="null"))


def test_a_network_that_falls_apart_is_null_with_a_reason_and_the_others_go_on() -> None:
    weights = torch.rand(3, 4, 5) + 0.1
    weights[1, 2] = -1
    graph = NeuralGraph.from_weights([weights, torch.rand(3, 2, 4) - 2])
    frame = measure(graph, preset="scabini", undefined="null")
    broken = frame.filter(pl.col("second_order_centrality").is_null())
    assert broken["network"].unique().to_list() == [0, 1, 2]
    with pytest.raises(DisconnectedGraphError, match=r"network 0.*neuron 0 of layer 2 \('output'\)"):
        measure(graph, preset="scabini")
    graph = NeuralGraph.from_weights([weights, torch.rand(3, 2, 4)])
    weights[1, 2] = -1
    graph.links[1].weights.view(3, 2, 4)[1, :, 2] = -1
    frame = measure(graph, preset="scabini", undefined="null")
    assert frame.filter(pl.col("reason").is_not_null())["network"].unique().to_list() == [1]
    assert "falls apart" in frame.filter(network=1)["reason"][0]
    assert frame.filter(network=1)["strength"].null_count() == 0
    with pytest.raises(DisconnectedGraphError, match=r"network 1.*neuron 2 of layer 1 \('hidden 1'\)"):
        measure(graph, preset="scabini")
    assert measure(graph, preset="scabini", on_disconnected="component")["second_order_centrality"].null_count() == 0


def test_preset_gives_the_eight_columns_of_hidden_neurons() -> None:
    frame = measure(
        NeuralGraph.from_weights([torch.randn(6, 5), torch.randn(4, 6)]), preset="scabini", undefined="null"
    )
    assert frame.columns == ["layer", "layer_name", "neuron", *PRESETS["scabini"].measures, "reason"]
    assert frame["layer"].to_list() == [1] * 6
    assert frame["neuron"].to_list() == list(range(6))


@given(
    st.integers(1, 3),
    st.integers(1, 9),
    st.integers(1, 9),
    st.sampled_from([0.0, 0.3, 0.8]),
    st.integers(0, 2**31),
)
def test_compiled_paths_equal_dense_products(networks: int, large: int, small: int, gaps: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.rand(networks, large, small, generator=generator, dtype=torch.float64) + 1e-3
    length = torch.where(torch.rand(drawn.shape, generator=generator) < gaps, torch.inf, drawn)
    rows = torch.arange(small), torch.arange(large)
    for compiled, plain in zip(_sums_compiled(length, *rows), sums_by_products(length, *rows), strict=True):
        torch.testing.assert_close(compiled, plain, rtol=1e-12, atol=0)
