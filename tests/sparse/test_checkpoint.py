"""A sparse model in a file: read as the graph that it is, and loaded again."""

import os

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, load_model, save_file
from torch import nn

import synaplex as sx
from synaplex.errors import SpecificationError, UnwritableFileError
from synaplex.sparse import SparseLinear, save_model, sparsify
from tests.sparse.networks import small


def test_the_file_is_the_graph_of_the_model(tmp_path):
    """Also where the last inputs have no connection, which the connections alone do not tell."""
    model = small()
    kept = model[0].column.long() < 17
    keys = model[0].pattern.keys[kept]
    model[0].set_connections(keys, model[0].weight.detach()[kept])
    save_model(model, tmp_path / "model.safetensors")
    read, known = sx.load(tmp_path / "model.safetensors"), sx.graph(model)
    assert read.sizes == known.sizes == (20, 16, 12, 5)
    for one, other in zip(read.links, known.links, strict=True):
        assert torch.equal(one.to_dense(), other.to_dense())
    assert sx.measure(read, "strength")["strength"].equals(sx.measure(known, "strength")["strength"])


def test_the_file_loads_as_any_state_dict(tmp_path):
    model, other = small(0), small(1)
    save_model(model, tmp_path / "model.safetensors")
    state = load_file(tmp_path / "model.safetensors")
    other.load_state_dict(state)
    assert "0.in_features" in state  # what was given is left as it was
    again = small(2)
    load_model(again, tmp_path / "model.safetensors")
    for name, value in model.state_dict().items():
        assert torch.equal(value, other.state_dict()[name])
        assert torch.equal(value, again.state_dict()[name])


def test_one_layer_and_layers_that_are_shared(tmp_path):
    layer = small()[0]
    save_model(layer, tmp_path / "one.safetensors")
    SparseLinear(20, 16, torch.arange(3)).load_state_dict(load_file(tmp_path / "one.safetensors"))
    shared = nn.Linear(8, 8)
    model = sparsify(nn.Sequential(shared, nn.ReLU(), shared, nn.Linear(8, 2)), 1)
    save_model(model, tmp_path / "shared.safetensors")
    assert sx.load(tmp_path / "shared.safetensors").sizes == (8, 8, 8, 2)
    model.load_state_dict(load_file(tmp_path / "shared.safetensors"))


def test_any_state_dict_tells_how_many_neurons_feed_a_sparse_layer(tmp_path):
    model = small()
    save_file(model.state_dict(), tmp_path / "plain.safetensors")
    assert sx.load(tmp_path / "plain.safetensors").sizes == sx.graph(model.state_dict()).sizes == (20, 16, 12, 5)
    torch.save(model.state_dict(), tmp_path / "plain.pt")
    again = small(3)
    again.load_state_dict(torch.load(tmp_path / "plain.pt", weights_only=True))
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in model.state_dict().items())


def test_a_layer_of_another_width_is_named(tmp_path):
    save_model(small(), tmp_path / "model.safetensors")
    wider = sparsify(nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 5)), 4)
    with pytest.raises(SpecificationError, match="'0' is of a layer fed by 20 neurons, not 30"):
        wider.load_state_dict(load_file(tmp_path / "model.safetensors"))


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "nowhere").touch()
    with pytest.raises(UnwritableFileError, match=r"cannot write .*nowhere/model\.safetensors"):
        save_model(small(), tmp_path / "nowhere" / "model.safetensors")


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), SafetensorError("No space left on device")])
def test_a_full_disk_leaves_the_file_before_and_nothing_else(tmp_path, monkeypatch, error):
    save_model(small(), tmp_path / "model.safetensors")
    before = (tmp_path / "model.safetensors").read_bytes()

    def full(tensors, path, text):
        path.write_bytes(b"half")
        raise error

    monkeypatch.setattr("synaplex.sparse.checkpoint.save_file", full)
    with pytest.raises(UnwritableFileError, match=r"model\.safetensors: .*No space left"):
        save_model(small(1), tmp_path / "model.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
    assert (tmp_path / "model.safetensors").read_bytes() == before


def test_what_is_renamed_is_on_the_disk(tmp_path, monkeypatch):
    done = []
    replace = os.replace
    monkeypatch.setattr(os, "fsync", lambda number: done.append("flushed"))
    monkeypatch.setattr(os, "replace", lambda one, other: (done.append("renamed"), replace(one, other)))
    save_model(small(), tmp_path / "model.safetensors")
    assert done == ["flushed", "renamed"]
