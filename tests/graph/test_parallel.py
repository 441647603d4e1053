"""Parallel and antiparallel links of all families: their edges are summed before anything else, exactly."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from synaplex.errors import GraphTooLargeError
from synaplex.graph import (
    AttentionLink,
    ConvLink,
    DenseLink,
    DiagonalLink,
    GainLink,
    IdentityLink,
    Layer,
    Link,
    NeuralGraph,
    RepeatedLink,
    SumLink,
    average_pool,
    conv_link,
    conv_transpose_link,
    max_pool,
    select_link,
)
from synaplex.graph import merge as merging
from synaplex.graph.merge import add_links
from tests.graph.graphs import directed_matrix, undirected_matrix
from tests.graph.operators import assert_is_matrix, weights

SHAPE, SIZE = (2, 3, 3), 18
FAMILIES = (
    *("dense", "sparse", "diagonal", "identity", "gain", "select", "pool", "repeated", "attention"),
    *("conv", "conv 1x1", "conv dilated", "conv depthwise", "conv circular", "conv transposed", "conv even"),
)


def make(family: str, seed: int, networks: int | None) -> Link:
    """A link from a layer of shape (2, 3, 3) to another."""
    lead = () if networks is None else (networks,)

    def values(*shape: int) -> torch.Tensor:
        return weights(seed, *lead, *shape)

    match family:
        case "dense" | "sparse":
            dense = DenseLink(source=0, target=0, weight=values(SIZE, SIZE))
            return dense if family == "dense" else dense.to_sparse()
        case "diagonal":
            return DiagonalLink(source=0, target=0, gain=values(SIZE))
        case "identity":
            return IdentityLink(source=0, target=0, size=SIZE, scale=values() + 0.125)
        case "gain":
            return GainLink(source=0, target=0, gain=values(2), inner=9)
        case "select":
            order = torch.randperm(SIZE, generator=torch.Generator().manual_seed(seed))
            return select_link(order, SIZE, networks=networks)
        case "pool":
            pool = (average_pool, max_pool)[seed % 2]
            return pool(SHAPE, 3, stride=1, padding=1, networks=networks)
        case "repeated":
            inner = DenseLink(source=0, target=0, weight=values(6, 6))
            return RepeatedLink(source=0, target=0, link=inner, times=3)
        case "attention":
            return AttentionLink(source=0, target=0, attention=values(3, 3, 3), head_size=2)
        case "conv":
            return conv_link(values(2, 2, 3, 3), SHAPE, padding=1)
        case "conv 1x1":
            return conv_link(values(2, 2, 1, 1), SHAPE)
        case "conv dilated":
            return conv_link(values(2, 2, 3, 2), SHAPE, dilation=2, padding="same")
        case "conv depthwise":
            return conv_link(values(2, 1, 3, 3), SHAPE, padding=1, groups=2)
        case "conv circular":
            return conv_link(values(2, 2, 3, 3), SHAPE, padding=1, padding_mode="circular")
        case "conv transposed":
            return conv_transpose_link(values(2, 2, 3, 3), SHAPE, padding=1)
        case _:
            return conv_link(values(2, 2, 2, 4), SHAPE, padding="same", padding_mode=("zeros", "reflect")[seed % 2])


families = st.sampled_from(FAMILIES)


@given(
    st.lists(families, min_size=2, max_size=3), st.integers(0, 50), st.sampled_from([None, None, 1, 2]), st.booleans()
)
@settings(max_examples=150)
def test_sum_of_links_is_the_sum_of_matrices(kinds: list[str], seed: int, networks: int | None, few: bool) -> None:
    """Whether edges are summed one by one or kept as links apart."""
    links = [make(kind, seed + i, networks) for i, kind in enumerate(kinds)]
    limit = merging._FEW
    merging._FEW = limit if few else 0
    try:
        total = links[0]
        for link in links[1:]:
            total = add_links(total, link)
        assert_is_matrix(total, torch.stack([link.to_dense() for link in links]).sum(0))
    finally:
        merging._FEW = limit


@dataclass(frozen=True)
class Recipe:
    """Three layers of one shape with any links between them."""

    seed: int
    networks: int | None
    joined: tuple[tuple[int, int, str], ...]

    @property
    def graph(self) -> NeuralGraph:
        links = tuple(
            make(kind, self.seed + i, self.networks).between(source, target)
            for i, (source, target, kind) in enumerate(self.joined)
        )
        return NeuralGraph(tuple(Layer(f"layer {i}", SHAPE) for i in range(3)), links, {})


index = st.integers(0, 2)
recipes = st.builds(
    Recipe,
    st.integers(0, 2**16),
    st.sampled_from([None, None, 2]),
    st.lists(st.tuples(index, index, families), min_size=1, max_size=6).map(tuple),
)


@given(recipes, st.sampled_from(["signed", "positive", "absolute", "top:0.3"]))
@settings(max_examples=60)
def test_undirected_view_is_that_of_the_edges(drawn: Recipe, rule: str) -> None:
    graph = drawn.graph
    view = graph.undirected(rule)
    matrices = [undirected_matrix(single) for single in singles(graph)]
    expected = torch.stack([ruled(torch.from_numpy(matrix), rule) for matrix in matrices])
    expected = expected if drawn.networks is not None else expected[0]
    torch.testing.assert_close(view.dense, expected)
    torch.testing.assert_close(view.strength, expected.sum(-1))
    torch.testing.assert_close(view.degree, (expected != 0).double().sum(-1))
    torch.testing.assert_close(view.map(torch.square).strength, expected.square().sum(-1))
    bare = expected - torch.diag_embed(expected.diagonal(dim1=-2, dim2=-1))
    x = torch.randn(54, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(view.without_loops.product(x), bare @ x)


@given(recipes)
@settings(max_examples=20)
def test_directed_links_are_those_of_the_edges(drawn: Recipe) -> None:
    graph = drawn.graph
    for rule in ("signed", "absolute"):
        links = graph.directed(rule)
        for k, single in enumerate(singles(graph)):
            expected = ruled(torch.from_numpy(directed_matrix(single)), rule)
            matrix = torch.zeros_like(expected)
            for link in links:
                dense = link.to_dense() if drawn.networks is None else link.to_dense()[k]
                matrix[graph.layer_slice(link.source), graph.layer_slice(link.target)] += dense.mT
            torch.testing.assert_close(matrix, expected)


def singles(graph: NeuralGraph) -> list[NeuralGraph]:
    return [graph] if graph.networks is None else [graph.network(k) for k in range(graph.networks)]


def ruled(matrix: torch.Tensor, rule: str) -> torch.Tensor:
    if rule == "positive":
        return matrix.relu()
    if rule == "absolute":
        return matrix.abs()
    if rule == "signed":
        return matrix
    once = matrix.tril().abs()
    sizes = once[once > 0].sort(descending=True).values
    if not len(sizes):
        return matrix
    kept = -(-len(sizes) * 3 // 10)
    return matrix * (matrix.abs() >= sizes[kept - 1])


@pytest.mark.parametrize("family", ["conv", "conv 1x1", "conv depthwise", "conv circular", "conv transposed"])
def test_identity_beside_a_convolution_is_a_convolution(family: str) -> None:
    """x + conv(x): no edge is written down."""
    total = add_links(make(family, 1, None), make("identity", 2, None))
    other = add_links(make("gain", 2, None), make(family, 1, None))
    for merged in (total, other):
        inner = merged.transpose() if family == "conv transposed" else merged
        assert isinstance(inner, ConvLink)
        assert inner.kernel == ((1, 1) if family == "conv 1x1" else (3, 3))


def test_parallel_convolutions_are_one() -> None:
    total = add_links(make("conv", 1, None), make("conv dilated", 2, None))
    assert isinstance(total, ConvLink)
    assert total.groups == 1


def test_a_large_sum_is_not_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "_FEW", 10)
    total = add_links(make("conv", 1, None), make("diagonal", 2, None))
    assert isinstance(total, SumLink)
    monkeypatch.setattr("synaplex.graph.sum.EDGES", 5)
    with pytest.raises(GraphTooLargeError, match="edge by edge up to 5"):
        total.map(torch.abs).forward(torch.ones(SIZE).double())
