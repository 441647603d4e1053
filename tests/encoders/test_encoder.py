"""The structure encoder: invariance, gradients, any sizes, seeds, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import save_file

import synaplex as sx
from synaplex.encoders import ARCHITECTURES, GraphSet, Objective, StructureEncoder, structure_graph
from synaplex.errors import InvalidGraphError, SpecificationError, SynaplexError, UnknownNameError
from tests.encoders.structures import convolutional, dense, renumbered, residual


def small(architecture: str = "EA+TC+LF", **options: object) -> StructureEncoder:
    return StructureEncoder(
        architecture, **{"positions": 3, "width": 4, "heads": 2, "latent": 4, "epochs": 2, **options}
    )


@pytest.mark.parametrize("architecture", ["EA+TC+LF", "EA+GC+LF", "GC+LF"])
@pytest.mark.parametrize("options", [{}, {"adjacency": "signed", "pooling": "mean_std", "direction": "forward"}])
def test_the_order_of_hidden_neurons_does_not_matter(architecture: str, options: dict[str, object]) -> None:
    graph = dense(6, 8, 7, 6, 3)
    features = ("bias", "gain", "position")
    encoder = small(architecture, node_features=features, **options).fit(graph)
    one, other = encoder.transform(graph), encoder.transform(renumbered(graph))
    np.testing.assert_allclose(one, other, atol=2e-5)
    assert np.abs(one[0] - one[1]).max() > 1e-2  # and yet networks differ


def test_the_order_of_channels_does_not_matter() -> None:
    graph = convolutional()
    order = torch.randperm(5, generator=torch.Generator().manual_seed(0))
    first, norm, pool, second, last = graph.links
    turned = replace(
        graph,
        links=(
            replace(first, weight=first.weight[order]),
            replace(norm, gain=norm.gain[order]),
            pool,
            replace(second, weight=second.weight[:, order]),
            last,
        ),
        biases={},
    )
    graph = replace(graph, biases={})
    encoder = small(node_features=("gain",)).fit([graph, convolutional(seed=1)])
    np.testing.assert_allclose(encoder.transform(turned), encoder.transform(graph), atol=2e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("graphs", [dense(4, 6, 5, 3), residual()], ids=["dense", "residual"])
def test_gradients_reach_every_parameter(architecture: str, graphs: sx.NeuralGraph) -> None:
    encoder = small(architecture, epochs=0).fit(graphs)
    reader, structure = encoder.reader(), structure_graph(graphs)
    terms = Objective().loss(
        encoder.model_, reader.messages(structure), reader.given(structure), torch.Generator().manual_seed(0)
    )
    torch.stack(list(terms.values())).sum().backward()
    for name, value in encoder.model_.named_parameters():
        assert value.grad is not None, name
        assert bool((value.grad != 0).any()), name


def test_networks_of_different_sizes_and_kinds_in_one_fit() -> None:
    graphs = [dense(3, 6, 5, 3), dense(None, 4, 7, 7, 2), convolutional(), residual(), dense(2, 6, 5, 3, seed=1)]
    encoder = small().fit(graphs)
    assert encoder.kernel_ == 5
    found = encoder.transform(graphs)
    assert found.shape == (8, encoder.dimension)
    assert np.isfinite(found).all()
    alone = np.concatenate([encoder.transform(graph) for graph in graphs])
    np.testing.assert_allclose(found, alone, atol=1e-5)
    assert encoder.describe(graphs)["nodes"].to_list() == [14, 14, 14, 20, 17, 29, 14, 14]


def test_a_network_larger_than_any_seen() -> None:
    encoder = small().fit(dense(5, 6, 5, 3))
    large = dense(None, 60, 50, 40, 30, 10)
    assert np.isfinite(encoder.transform(large)).all()
    assert encoder.distance(large)[0] > 1
    assert (encoder.distance(dense(5, 6, 5, 3)) <= 1).sum() >= 4


def test_training_lowers_the_loss_and_leaves_global_random_state_alone() -> None:
    state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    graph = dense(24, 8, 7, 6, 3, spread=True)
    encoder = small(epochs=15).fit(graph)
    loss = encoder.history_.select(pl.sum_horizontal("strong", "weight", "prior")).to_series()
    assert loss[-1] < 0.9 * loss[0]
    again = small(epochs=15).fit(graph)
    assert np.array_equal(again.transform(graph), encoder.transform(graph))
    assert not np.array_equal(small(epochs=15, random_state=1).fit(graph).transform(graph), encoder.transform(graph))
    assert torch.equal(torch.get_rng_state(), state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002


def sum_of(*names: str):
    import polars as pl

    return pl.sum_horizontal(*names)


def test_an_encoder_knows_the_networks_it_was_fitted_on() -> None:
    graph = dense(6, 5, 4, 2)
    encoder = small(epochs=0).fit(graph.subset(0, 4))
    assert encoder.has_seen(graph).tolist() == [True] * 4 + [False] * 2


def test_batches_are_bounded_and_do_not_change_embeddings(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = dense(10, 6, 5, 3)
    networks = GraphSet.of([graph, dense(3, 4, 2)])
    assert [len(batch) for batch in networks.batches(4)] == [4, 4, 2, 3]
    encoder = small(epochs=0).fit(graph)
    whole = encoder.transform(graph)
    monkeypatch.setattr("synaplex.encoders.graph_set.EDGES_AT_ONCE", 2 * 45)
    assert [len(batch) for batch in GraphSet.of(graph).batches(4)] == [2] * 5
    np.testing.assert_allclose(encoder.transform(graph), whole, atol=1e-6)


def test_parts_of_a_set_are_the_networks_asked_for() -> None:
    batch, single = dense(6, 5, 4, 2), dense(None, 5, 4, 2, seed=9)
    networks = GraphSet.of([batch, single], epochs=range(7))
    chosen = networks[[5, 6, 1, 2]]
    assert chosen.epochs is not None
    assert chosen.epochs.tolist() == [5, 6, 1, 2]
    weights = chosen.structure(range(4)).blocks[0].weight[..., 0, 0]
    expected = [batch.links[0].weight[5], single.links[0].weight, batch.links[0].weight[1], batch.links[0].weight[2]]
    assert torch.equal(weights, torch.stack(expected))
    assert len(networks[np.arange(7) > 4]) == 2


def test_an_empty_population() -> None:
    with pytest.raises(SpecificationError, match="empty"):
        small().fit([])
    encoder = small(epochs=0).fit(dense(2, 4, 3))
    assert encoder.transform([]).shape == (0, encoder.dimension)
    assert len(encoder.describe([])) == 0


def test_a_checkpoint_of_unknown_layout_is_refused(tmp_path: Path) -> None:
    encoder = small(epochs=0).fit(dense(2, 4, 3))
    path = tmp_path / "strange.safetensors"
    save_file({"a": torch.zeros(3, 4), "b": torch.zeros(7, 9)}, path)
    with pytest.raises(InvalidGraphError):
        encoder.transform(sx.load(path))
    with pytest.raises(SpecificationError, match=r"synaplex\.load"):
        encoder.transform(str(path))
    with pytest.raises(SpecificationError, match="Tensor is none"):
        encoder.transform([torch.zeros(3, 3)])


def test_senseless_parameters_are_refused() -> None:
    graph = dense(2, 4, 3)
    with pytest.raises(UnknownNameError, match=r"EA\+TC\+LF"):
        StructureEncoder("EA+TC").fit(graph)
    for options in ({"width": 0}, {"epochs": -1}, {"strong_share": 1.0}, {"kernel": 0}, {"learning_rate": 0.0}):
        with pytest.raises(SpecificationError, match=next(iter(options))):
            StructureEncoder(**options).fit(graph)
    with pytest.raises(SpecificationError, match="no network of this population has an edge"):
        small().fit(sx.NeuralGraph.from_weights([torch.zeros(2, 3)]))
    with pytest.raises(SynaplexError, match="node feature"):
        small(node_features=("colour",)).fit(graph)
