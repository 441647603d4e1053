"""Networks as nodes and edges with features: neurons, channels, kernels, footprints."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import adaptive_avg_pool2d, pad

import synaplex as sx
from synaplex.encoders import structure_graph
from synaplex.encoders.graph_set import fingerprints
from synaplex.encoders.kernels import axis_map, edge_features
from synaplex.errors import GraphTooLargeError, IncompleteGraphError, InvalidGraphError
from tests.encoders.structures import Residual, convolutional, dense, initialised, residual


def test_a_dense_network_has_neurons_for_nodes_and_weights_for_edges() -> None:
    graph = dense(3, 5, 4, 2)
    found = structure_graph(graph)
    assert found.sizes == (5, 4, 2)
    assert found.networks == 3
    for block, link in zip(found.blocks, graph.links, strict=True):
        assert (block.source, block.target) == (link.source, link.target)
        assert torch.equal(block.weight[..., 0, 0], link.weights.unflatten(-1, (link.out_size, link.in_size)))
    assert torch.equal(found.bias[:, 5:9].float(), graph.biases[1])
    assert found.position.tolist() == [0.0] * 5 + [0.5] * 4 + [1.0] * 2


def test_a_sparse_link_gives_the_edges_it_has() -> None:
    graph = dense(2, 6, 5, 3, zeros=0.6)
    sparse = sx.NeuralGraph(graph.layers, tuple(link.to_sparse() for link in graph.links), graph.biases)
    for a, b in zip(structure_graph(graph).blocks, structure_graph(sparse).blocks, strict=True):
        assert torch.equal(a.weight.double(), b.weight.double())


def test_channels_are_nodes_and_kernels_edges() -> None:
    model = initialised(
        nn.Sequential(nn.Conv2d(2, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(5, 7, 2), nn.ReLU())
    )
    found = structure_graph(sx.graph(model, torch.zeros(1, 2, 8, 8)))
    assert found.sizes == (2, 5, 7)  # normalisation and pooling share the nodes of the layer they read
    assert torch.equal(found.blocks[0].weight[0], model[0].weight)
    assert torch.equal(found.blocks[1].weight[0], model[4].weight)
    gain = model[1].weight.double() / (model[1].running_var.double() + model[1].eps).sqrt()
    torch.testing.assert_close(found.gain[0, 2:7], gain.detach())


def test_a_linear_that_reads_an_image_has_the_positions_of_a_channel_for_features() -> None:
    graph = convolutional()
    found = structure_graph(graph)
    weight = graph.links[-1].weights.view(3, 7, 2, 2)
    assert torch.equal(found.blocks[-1].weight[0], weight)
    assert found.largest_kernel == 3


def test_residual_connections_are_edges_from_node_to_node() -> None:
    found = structure_graph(residual())
    assert found.sizes == (3, 8, 8, 6, 4)
    identity = [block for block in found.blocks if block.diagonal]
    assert [(b.source, b.target) for b in identity] == [(1, 2)]
    assert identity[0].weight.flatten().tolist() == [1.0] * 8
    model = initialised(Residual())
    assert torch.equal(found.bias[0, 11:19].float(), model.second.bias)
    torch.testing.assert_close(found.bias[0, 19:25].float(), model.third.bias + model.short.bias)


@pytest.mark.parametrize("kind", [nn.Conv2d, nn.ConvTranspose2d])
def test_kernels_of_groups_join_the_channels_of_one_group_only(kind: type[nn.Module]) -> None:
    layer = initialised(kind(4, 6, 3, groups=2, bias=False))
    weight = structure_graph(sx.graph(layer, torch.zeros(1, 4, 5, 5))).blocks[0].weight[0]
    assert weight.shape == (6, 4, 3, 3)
    # an image of one channel reaches the channels of its group, by the kernel that the block holds
    for channel in range(4):
        alone = initialised(kind(1, 6, 3, bias=False))
        kernel = weight[:, channel]
        alone.weight.data = kernel[:, None] if kind is nn.Conv2d else kernel[None]
        image = torch.zeros(1, 4, 5, 5)
        image[0, channel] = torch.arange(25.0).view(5, 5)
        torch.testing.assert_close(layer(image), alone(image[:, channel : channel + 1]))
        assert not weight[(channel < 2) * 3 : (channel < 2) * 3 + 3, channel].any()


def test_a_transformer_block_goes_through() -> None:
    layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True).eval()
    graph = sx.graph(layer, torch.zeros(1, 6, 16))
    found = structure_graph(graph)
    projection = next(block for block in found.blocks if "in_proj" in block.name)
    assert torch.equal(projection.weight[0, ..., 0, 0], layer.self_attn.in_proj_weight)
    # every edge of the network is an edge between the same nodes, except those inside normalisations
    kept = sum(int((block.weight != 0).flatten(-2).any(-1).sum()) for block in found.blocks)
    assert kept == sum(link.edge_count for link in graph.links) - 2 * 16


def test_what_is_not_understood_is_refused() -> None:
    class Strange(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Linear(4, 4), nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(torch.cumsum(self.first(x), -1))

    graph = sx.graph(Strange(), torch.zeros(1, 4))
    with pytest.raises(IncompleteGraphError, match=r"cumsum.* not known"):
        structure_graph(graph)
    with pytest.raises(InvalidGraphError, match="three axes"):
        structure_graph(sx.graph(nn.Conv3d(1, 2, 3), torch.zeros(1, 1, 4, 4, 4)))


def test_a_block_too_large_to_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synaplex.encoders.reading.MOST_PAIRS", 10)
    with pytest.raises(GraphTooLargeError, match="20 pairs"):
        structure_graph(dense(None, 5, 4, 2))


@pytest.mark.parametrize(("size", "kernel"), [(1, 3), (2, 3), (3, 3), (5, 3), (7, 3), (4, 1), (2, 5)])
def test_footprints_are_padded_or_averaged_to_one_size(size: int, kernel: int) -> None:
    weight = torch.randn(4, 3, size, size)
    if size <= kernel:
        before, rest = (kernel - size) // 2, kernel - size - (kernel - size) // 2
        expected = pad(weight, (before, rest, before, rest))
    else:
        expected = adaptive_avg_pool2d(weight, kernel)
    torch.testing.assert_close(edge_features(weight, kernel, 2.0), expected.flatten(-2) / 2)
    torch.testing.assert_close(axis_map(size, kernel) @ weight @ axis_map(size, kernel).T, expected)


def test_equal_weights_have_equal_fingerprints() -> None:
    graph = structure_graph(dense(3, 5, 4, 2))
    again = structure_graph(dense(3, 5, 4, 2))
    assert fingerprints(graph) == fingerprints(again)
    assert len(set(fingerprints(graph))) == 3


def test_fingerprints_tell_biases_and_gains_apart_where_they_are_read() -> None:
    model = nn.Sequential(nn.Conv2d(2, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.Conv2d(5, 3, 2))
    image = torch.zeros(1, 2, 6, 6)
    read = {"": (), "bias": ("bias",), "gain": ("gain", "position"), "both": ("bias", "gain")}

    def names() -> dict[str, str]:
        graph = structure_graph(sx.graph(initialised_once, image))
        return {key: fingerprints(graph, features)[0] for key, features in read.items()}

    initialised_once = initialised(model)
    before = names()
    assert len(set(before.values())) == 4
    assert names() == before
    with torch.no_grad():
        model[3].bias[1] += 1
    moved = names()
    assert [key for key in read if moved[key] != before[key]] == ["bias", "both"]
    with torch.no_grad():
        model[1].weight[1] *= 2
    assert [key for key in read if names()[key] != moved[key]] == ["gain", "both"]
    with torch.no_grad():
        model[0].weight[0, 0, 0, 0] += 1
    assert not set(names().values()) & set(before.values())
