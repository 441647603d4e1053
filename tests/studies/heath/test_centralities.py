"""Laplacian centrality in its versions, beside the package's own, brute force and NetworKit."""

import platform
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

import synaplex as sx
from synaplex.measures import laplacian_centrality
from synaplex.sparse.view import View
from synaplex.studies.heath.budget import LeastCentral
from synaplex.studies.heath.centralities import exact, matrix_of, released, variant
from synaplex.studies.heath.hubs import NULLS, STATISTICS, beside_nulls
from synaplex.studies.heath.member import make_member
from synaplex.studies.heath.recipe import MLP, RELEASED, STATIC
from tests.studies.heath.networks import CPU, HYPER

WIDTHS = (40, 24, 16, 12, 10)


def member(method, seed=0, widths=WIDTHS):
    return make_member(method, widths, RELEASED, HYPER, seed, 3, CPU)


def links(method, scale=1.0, seed=0, widths=WIDTHS):
    return [scale * matrix_of(link) for link in member(method, seed, widths).links]


@pytest.mark.parametrize("method", [STATIC, MLP], ids=lambda one: one.name)
def test_the_versions_on_the_right_graph_are_the_package_s(method):
    one = member(method)
    with torch.no_grad():
        for link in one.links:
            link.weight.mul_(3)  # so that the truncation of strengths matters
    graph, given = sx.graph(one.model), [matrix_of(link) for link in one.links]
    judged = sum(WIDTHS[:-1])
    for name, found in (("exact", exact(given)), ("censet", variant(given))):
        wanted = laplacian_centrality(graph, variant=name)[:judged].numpy()
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-9)
    assert len(np.unique(np.trunc(variant(given)))) > 3


def assembled(given, method, hidden):
    """The adjacency that the code builds, entry by entry: later entries stay."""
    entries, offset = {}, 0
    for i, weights in enumerate((given[0], given[0 if method == "MLP" else 1])):
        dense = weights if isinstance(weights, np.ndarray) else weights.toarray()
        for target, source in zip(*np.nonzero(dense), strict=True):
            entries[int(source) + offset, int(target) + offset + hidden[i]] = float(dense[target, source])
        offset += hidden[i]
    nodes = max(sum(hidden), *(max(pair) + 1 for pair in entries))
    return entries, nodes


@pytest.mark.parametrize("method", [STATIC, MLP], ids=lambda one: one.name)
@pytest.mark.parametrize("widths", [WIDTHS, (9, 12, 5, 12, 3), (30, 20, 4, 3, 2)])
def test_the_released_assembly(method, widths):
    given = links(method, 3.0, widths=widths)
    entries, nodes = assembled(given, method.name, widths[1:-1])
    found = released(given, method.name)
    sent = np.zeros(nodes)
    for (source, _), weight in entries.items():
        sent[source] += weight
    wanted = np.trunc(sent) ** 2
    for (source, target), weight in entries.items():
        wanted[source] += weight * (weight + 2 * sent[target])
    assert len(found) >= nodes
    np.testing.assert_allclose(found[:nodes], wanted, atol=1e-9)
    assert not found[nodes:].any()
    np.testing.assert_array_equal(released(given, "CenSET 2.6"), variant(given))


@pytest.mark.skipif(platform.machine() != "x86_64", reason="what NetworKit does with negative sums is fixed there only")
@pytest.mark.parametrize("method", [STATIC, MLP], ids=lambda one: one.name)
def test_networkit_gives_the_same_on_the_released_assembly(method):
    networkit = pytest.importorskip("networkit")
    widths = (30, 20, 9, 8, 3)
    given = links(method, 3.0, widths=widths)
    entries, nodes = assembled(given, method.name, widths[1:-1])
    assert any(source == target for source, target in entries), "the misplaced links make loops"
    graph = networkit.Graph(nodes, weighted=True, directed=True)
    for (source, target), weight in entries.items():
        graph.addEdge(source, target, weight)
    measure = networkit.centrality.LaplacianCentrality(graph, False)
    measure.run()
    np.testing.assert_allclose(released(given, method.name)[:nodes], measure.scores(), rtol=1e-6, atol=1e-6)


def test_sizes_of_the_graphs_on_fashion_mnist():
    shapes = [(256, 784), (128, 256), (100, 128), (10, 100)]
    given = [csr_array(np.ones(shape)) for shape in shapes]
    assert [len(released(given, name)) for name in ("SET", "MLP", "CenSET 2.6")] == [784, 1040, 1268]
    assert len(exact(given)) == 1268


@pytest.mark.parametrize("method", [STATIC, MLP], ids=lambda one: one.name)
def test_null_models_keep_what_they_should(method):
    given = links(method)
    for name, make in NULLS.items():
        made = [make(link, np.random.default_rng(0)) for link in given]
        for before, after in zip(given, made, strict=True):
            dense = [one if isinstance(one, np.ndarray) else one.toarray() for one in (before, after)]
            sizes = [np.sort(np.abs(one).ravel()) for one in dense]
            np.testing.assert_allclose(*sizes)
            same_places = np.array_equal(dense[0] != 0, dense[1] != 0)
            assert same_places or (name == "scattered" and method is STATIC)
            assert not np.array_equal(*dense)
            if name == "flipped":
                np.testing.assert_array_equal(np.abs(dense[0]), np.abs(dense[1]))
            elif method is STATIC:
                np.testing.assert_allclose(*(np.sort(one[one != 0]) for one in dense))


def test_one_hub_is_found():
    values = np.concatenate([np.ones(990), np.full(10, 100.0)])
    assert STATISTICS["hubs"](values) == 0.01
    assert STATISTICS["top 1%"](values) == pytest.approx(1000 / 1990)
    given = links(STATIC)
    hub = given[1].toarray()
    hub[0] = 10.0
    rows = beside_nulls([given[0], csr_array(hub), *given[2:]], 5, np.random.default_rng(0))
    assert len(rows) == 2 * 3 * 3
    assert next(row for row in rows if (row["statistic"], row["null"]) == ("sigma", "shuffled"))["z"] > 3


@pytest.mark.parametrize("measure", ["laplacian_centrality", "strength", "katz"])
def test_the_budgeted_rule_drops_the_least_central(measure):
    one = member(STATIC)
    evolution = one.evolution
    view = View(
        layers=evolution.layers,
        keys={name: layer.pattern.keys for name, layer in evolution.layers.items()},
        structure=evolution._structure,
        share=1.0,
        generator=torch.Generator().manual_seed(0),
    )
    masks = LeastCentral(measure, 0.1).choose(view)
    values = view.scores(measure, edges="absolute").numpy()
    starts = np.cumsum([0, *WIDTHS])
    layers = [values[a:b] for a, b in pairwise(starts)]
    for i, (name, layer) in enumerate(evolution.layers.items()):
        rows, columns = layer.pattern.rows.numpy(), layer.column.numpy()

        def central(k, i=i, rows=rows, columns=columns):
            ends = [(layers[i + 1] < layers[i + 1][rows[k]]).sum() / WIDTHS[i + 1]]
            if i:
                ends.append((layers[i] < layers[i][columns[k]]).sum() / WIDTHS[i])
            return min(ends)

        weight = np.abs(layer.weight.detach().numpy())
        order = sorted(range(layer.connections), key=lambda k, w=weight, f=central: (f(k), w[k]))
        assert set(masks[name].nonzero()[:, 0].tolist()) == set(order[: int(0.1 * layer.connections)])
