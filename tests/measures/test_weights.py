"""Statistics of weights count every edge: those of a shared kernel are those of its edges written down."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from synaplex.graph import Layer, Link, NeuralGraph, average_pool, conv_link
from synaplex.measures import link_weights, weight_features
from tests.graph.operators import weights


def graph_of(link: Link) -> NeuralGraph:
    layers = (Layer("input", (link.in_size,), "input"), Layer("output", (link.out_size,), "output"))
    return NeuralGraph(layers, (link.between(0, 1),), {})


def links(seed: int, networks: int | None) -> list[Link]:
    lead = () if networks is None else (networks,)
    return [
        conv_link(weights(seed, *lead, 3, 2, 3), (2, 6), padding=1, stride=2),
        conv_link(weights(seed, *lead, 2, 1, 3, 3), (2, 4, 4), padding=2, padding_mode="reflect", groups=2),
        average_pool((2, 5), 3, padding=1, count_include_pad=False, networks=networks),
    ]


@given(st.integers(0, 200), st.integers(0, 2), st.sampled_from([None, 2]))
def test_shared_weights_count_as_often_as_edges_carry_them(seed: int, which: int, networks: int | None) -> None:
    link = links(seed, networks)[which]
    shared, listed = graph_of(link), graph_of(link.to_sparse())
    assert_frame_equal(link_weights(shared), link_weights(listed).with_columns(link=pl.lit(link.name)))


@given(st.integers(0, 200))
def test_statistics_are_those_of_scipy(seed: int) -> None:
    link = links(seed, None)[0]
    edges = link.to_sparse().weight.numpy()
    row = link_weights(graph_of(link)).row(0, named=True)
    if not len(edges):
        assert row["edges"] == 0
        return
    assert row["edges"] == len(edges)
    assert row["mean"] == pytest.approx(edges.mean())
    assert row["std"] == pytest.approx(edges.std())
    assert row["median"] == pytest.approx(np.median(edges))
    assert row["quantile_25"] == pytest.approx(np.quantile(edges, 0.25))
    if edges.std() > 0:
        assert row["skewness"] == pytest.approx(scipy.stats.skew(edges))
        assert row["kurtosis"] == pytest.approx(scipy.stats.kurtosis(edges, fisher=False))


@pytest.mark.parametrize("which", [0, 1, 2])
def test_features_of_a_batch_are_those_of_each_network(which: int) -> None:
    """Edges of weight zero count among the features, as they do in a dense layer."""
    graph = graph_of(links(3, 4)[which])
    features = weight_features(graph)
    assert_frame_equal(features, pl.concat([weight_features(graph.network(k)) for k in range(4)]))
    link = links(3, 4)[which]
    kernel = np.repeat(link.weights.numpy(), link.multiplicity.numpy(), axis=-1)
    np.testing.assert_allclose(features["link 0 mean"], kernel.mean(-1))
    np.testing.assert_allclose(features["link 0 variance"], kernel.var(-1))
    np.testing.assert_allclose(features["link 0 quantile 0.75"], np.quantile(kernel, 0.75, axis=-1))


def test_a_sparse_batch_has_features_of_each_network() -> None:
    matrix = torch.tensor([[[1.0, 0.0], [2.0, 4.0]], [[0.0, 0.0], [5.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    link = NeuralGraph.from_weights([matrix]).links[0].to_sparse()
    features = weight_features(graph_of(link))
    assert features["link 0 mean"].to_list() == [pytest.approx(7 / 3), 5.0, None]
    assert features["link 0 quantile 0.5"].to_list() == [2.0, 5.0, None]
