"""The structure encoder: invariance, gradients, any sizes, seeds, and what it refuses."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import synaplex as sx
from synaplex.encoders import ARCHITECTURES, GraphSet, Objective, StructureEncoder, structure_graph
from synaplex.errors import (
    InvalidGraphError,
    SpecificationError,
    SynaplexError,
    UndefinedMeasureError,
    UnknownNameError,
)
from tests.encoders.structures import Residual, convolutional, dense, doubled, initialised, renumbered, residual


def small(architecture: str = "EA+TC+LF", **options: object) -> StructureEncoder:
    return StructureEncoder(
        architecture, **{"positions": 3, "width": 4, "heads": 2, "latent": 4, "epochs": 2, **options}
    )


@pytest.mark.parametrize("architecture", ["EA+TC+LF", "EA+GC+LF", "GC+LF"])
@pytest.mark.parametrize(
    "options",
    [{}, {"adjacency": "signed", "pooling": "mean_std", "direction": "forward"}, {"adjacency": "unweighted"}],
    ids=["default", "signed", "unweighted"],
)
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
    """Beyond rounding: in float64, relative to the largest."""
    encoder = small(architecture, epochs=0).fit(graphs)
    reader, structure = encoder.reader(), structure_graph(graphs)
    messages, given = doubled(reader.messages(structure)), reader.given(structure).double()
    terms = Objective().loss(encoder.model_.double(), messages, given, torch.Generator().manual_seed(0))
    torch.stack(list(terms.values())).sum().backward()
    largest = {name: float(value.grad.abs().max()) for name, value in encoder.model_.named_parameters()}
    assert min(largest.values()) > 1e-6 * max(largest.values()), largest


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


def test_deep_and_narrow_networks_are_bounded_by_their_pairs_of_nodes() -> None:
    """Their spectra take more room than their edges."""
    narrow = dense(8, *[20] * 150)
    assert [len(batch) for batch in GraphSet.of(narrow).batches(8)] == [1] * 8
    assert [len(batch) for batch in GraphSet.of(dense(8, 300, 300)).batches(8)] == [8]


def test_random_features_of_a_node_do_not_depend_on_the_size_of_its_network() -> None:
    graphs = [dense(1, *widths) for widths in ((3, 2), (9, 8), (60, 50, 7))]
    reader = small("GC+RF", epochs=0, positions=5).fit(graphs).reader()
    drawn = [reader.positional(structure_graph(graph))[0] for graph in graphs]
    assert torch.equal(drawn[0], drawn[2][:5])
    assert torch.equal(drawn[1], drawn[2][:17])


def test_random_features_depend_on_the_order_of_neurons() -> None:
    """What the invariance of the others is to be told from."""
    graph = dense(6, 8, 7, 6, 3)
    encoder = small("GC+RF").fit(graph)
    assert np.abs(encoder.transform(graph) - encoder.transform(renumbered(graph))).max() > 1e-3


def test_columns_that_differ_by_rounding_alone_take_no_part_in_distances() -> None:
    graph = dense(6, 5, 4, 2)
    encoder = small(epochs=0).fit(graph)
    embedded, before = encoder.transform(graph), encoder.distance(graph)
    encoder.center_[3], encoder.spread_[3] = 0.1, 1e-10
    embedded[:, 3] = 0.1 + 1e-8
    assert (encoder.distance_of(embedded) <= before).all()


def test_weights_that_overflow_are_named() -> None:
    encoder = small(epochs=0).fit(dense(6, 5, 4, 2))
    huge = sx.NeuralGraph.from_weights([link.weight * 1e30 for link in dense(2, 5, 4, 2).links])
    with pytest.raises(UndefinedMeasureError, match="network 6 overflows"):
        encoder.transform([dense(6, 5, 4, 2), huge])
    networks = GraphSet.of(huge).named(["this", "that"])
    with pytest.raises(UndefinedMeasureError, match="embedding of that overflows"):
        encoder.transform(networks[1:])
    with pytest.raises(SpecificationError, match="1 names for 2 networks"):
        networks.named(["this"])


class Block(nn.Module):
    """Attention and two Linears, each beside a residual connection, as in a transformer, then classes."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True)
        self.last = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.block(x).mean(1))


def turned(module: nn.Module, outputs: str, inputs: str) -> nn.Module:
    """The same function with the neurons between two layers in another order."""
    copied = copy.deepcopy(module)
    first, second = copied.get_submodule(outputs), copied.get_submodule(inputs)
    order = torch.randperm(len(first.weight), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        first.weight.copy_(first.weight[order])
        first.bias.copy_(first.bias[order])
        second.weight.copy_(second.weight[:, order])
    return copied


def test_a_transformer_block_is_embedded() -> None:
    blocks = [initialised(Block(), seed) for seed in range(3)]
    example = torch.randn(1, 5, 8, generator=torch.Generator().manual_seed(0))
    other = turned(blocks[0], "block.linear1", "block.linear2")
    torch.testing.assert_close(other(example), blocks[0](example))
    graphs = [sx.graph(one, example) for one in (*blocks, other)]
    encoder = small(node_features=("bias", "gain")).fit(graphs[:-1])
    one, another, _, same = encoder.transform(graphs)
    np.testing.assert_allclose(same, one, atol=2e-5)
    assert np.abs(another - one).max() > 1e-2
    terms = encoder.history_.select("strong", "weight", "prior").to_numpy()
    assert np.isfinite(terms).all()


def test_the_order_of_channels_inside_a_residual_network_does_not_matter() -> None:
    module, example = initialised(Residual()), torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    order = torch.randperm(8, generator=torch.Generator().manual_seed(1))
    other = copy.deepcopy(module)
    with torch.no_grad():
        other.first.weight.copy_(module.first.weight[order])
        other.second.weight.copy_(module.second.weight[order][:, order])
        other.second.bias.copy_(module.second.bias[order])
        other.third.weight.copy_(module.third.weight[:, order])
        other.short.weight.copy_(module.short.weight[:, order])
        for name, value in module.norm.state_dict().items():
            if value.ndim:
                other.norm.state_dict()[name].copy_(value[order])
    torch.testing.assert_close(other(example), module(example))
    encoder = small(node_features=("bias", "gain")).fit([residual(), residual(1)])
    one, same = encoder.transform([sx.graph(each, example[:1]) for each in (module, other)])
    np.testing.assert_allclose(same, one, atol=2e-5)


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
