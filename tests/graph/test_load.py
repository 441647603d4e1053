"""Files of weights: what is read, in which order, and what is refused in which words."""

from __future__ import annotations

import json
import os
import pickle
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import synaplex as sx
from synaplex.errors import InvalidGraphError, SpecificationError, UnknownNameError, UnreadableFileError
from synaplex.graph import NeuralGraph

RECIPE = (64, 32, 16, 10)


@pytest.fixture
def model() -> nn.Sequential:
    torch.manual_seed(0)
    parts: list[nn.Module] = []
    for width, following in pairwise(RECIPE):
        parts += [nn.Linear(width, following), nn.ReLU()]
    return nn.Sequential(*parts[:-1])


def same(graph: sx.NeuralGraph, model: nn.Sequential) -> bool:
    layers = [part for part in model if isinstance(part, nn.Linear)]
    weights = all(torch.equal(link.to_dense(), layer.weight) for link, layer in zip(graph.links, layers, strict=True))
    biases = all(torch.equal(graph.biases[i], layer.bias) for i, layer in enumerate(layers, 1))
    return weights and biases


def wrap(state: dict) -> dict:
    return {"epoch": 3, "loss": torch.ones(()), "state_dict": state, "optimizer": {"lr": 0.1, "state": {}}}


@pytest.mark.parametrize("suffix", ["safetensors", "pt", "pth", "bin", "ckpt"])
def test_a_file_of_weights_is_the_model(tmp_path: Path, model: nn.Sequential, suffix: str) -> None:
    path = tmp_path / f"model.{suffix}"
    state = model.state_dict()
    save_file(state, path) if suffix == "safetensors" else torch.save(state, path)
    graph = sx.load(path)
    assert graph.sizes == RECIPE
    assert same(graph, model)
    assert [layer.name for layer in graph.layers] == ["input", "0", "2", "4"]
    assert [layer.role for layer in graph.layers] == ["input", "hidden", "hidden", "output"]
    assert set(graph.coverage()["parameter"]) == set(state)
    assert set(graph.coverage()["outcome"]) == {"link", "bias"}


def test_old_format_of_torch(tmp_path: Path, model: nn.Sequential) -> None:
    torch.save(model.state_dict(), tmp_path / "m.pt", _use_new_zipfile_serialization=False)
    assert same(sx.load(tmp_path / "m.pt"), model)


def test_state_dict_inside_a_training_checkpoint(tmp_path: Path, model: nn.Sequential) -> None:
    torch.save(wrap(model.state_dict()), tmp_path / "m.ckpt")
    assert same(sx.load(str(tmp_path / "m.ckpt")), model)


def test_content_decides_over_the_suffix(tmp_path: Path, model: nn.Sequential) -> None:
    save_file(model.state_dict(), tmp_path / "m.bin")
    torch.save(model.state_dict(), tmp_path / "m.safetensors")
    assert same(sx.load(tmp_path / "m.bin"), model)
    assert same(sx.load(tmp_path / "m.safetensors"), model)


def test_numbers_in_names_count_as_numbers(tmp_path: Path) -> None:
    widths = list(range(20, 7, -1))
    state = {f"layers.{i}.weight": torch.randn(b, a) for i, (a, b) in enumerate(pairwise(widths))}
    save_file(state, tmp_path / "m.safetensors")
    assert sx.load(tmp_path / "m.safetensors").sizes == tuple(widths)


def test_square_layers_numbered_alike_keep_the_order_of_their_numbers(tmp_path: Path) -> None:
    state = {f"layers.{i}.weight": torch.full((3, 3), float(i)) for i in range(12)}
    save_file(state, tmp_path / "m.safetensors")
    graph = sx.load(tmp_path / "m.safetensors")
    assert [float(link.weights[0]) for link in graph.links] == list(range(12))


def test_an_order_that_is_not_certain_is_not_guessed(tmp_path: Path) -> None:
    state = {"encoder.weight": torch.randn(3, 5), "decoder.weight": torch.randn(5, 3)}
    save_file(state, tmp_path / "m.safetensors")
    with pytest.raises(InvalidGraphError, match=r"more than one fits: decoder.weight \(5, 3\).*layers="):
        sx.load(tmp_path / "m.safetensors")
    graph = sx.load(tmp_path / "m.safetensors", layers=["encoder", "decoder.weight"])
    assert graph.sizes == (5, 3, 5)
    torch.save(state, tmp_path / "m.pt")  # a state dict has an order of its own
    with pytest.warns(UserWarning, match=r"m\.pt does not tell .* encoder -> decoder, .*layers=\[names in order\]"):
        assumed = sx.load(tmp_path / "m.pt")
    assert assumed.sizes == (5, 3, 5)
    assert assumed.coverage()["detail"].to_list() == [
        f"into layer {name}; its place is assumed" for name in ("encoder", "decoder")
    ]
    told = sx.load(tmp_path / "m.pt", layers=["encoder", "decoder"])
    assert told.coverage()["detail"].to_list() == ["into layer encoder", "into layer decoder"]


def test_layers_that_do_not_chain_are_listed(tmp_path: Path) -> None:
    save_file({"b.weight": torch.ones(3, 4), "a.weight": torch.ones(5, 6)}, tmp_path / "m.safetensors")
    with pytest.raises(InvalidGraphError, match=r"'a.weight' gives 5 neurons, but 'b.weight' reads 4") as error:
        sx.load(tmp_path / "m.safetensors")
    assert "a.weight (5, 6), b.weight (3, 4). If they make a chain in another order, pass layers=[" in str(error.value)
    for advice in ("sx.graph(model, example_input)", "sx.measure_file"):
        assert advice in str(error.value)


def test_layers_by_choice(tmp_path: Path, model: nn.Sequential) -> None:
    torch.save(model.state_dict(), tmp_path / "m.pt")
    graph = sx.load(tmp_path / "m.pt", layers=["2", "4"])
    assert graph.sizes == (32, 16, 10)
    left = graph.coverage().filter(outcome="left out")
    assert left["parameter"].to_list() == ["0.weight", "0.bias"]
    assert left["detail"][0] == "not among the layers asked for"
    with pytest.raises(UnknownNameError, match=r"'2.weigth'; did you mean '2.weight'"):
        sx.load(tmp_path / "m.pt", layers=["2.weigth"])
    with pytest.raises(SpecificationError, match="a list of names"):
        sx.load(tmp_path / "m.pt", layers="2")
    with pytest.raises(InvalidGraphError, match=r"'0.bias' of .* is no matrix"):
        sx.load(tmp_path / "m.pt", layers=["0.bias"])


def test_vectors_and_counters_are_left_out_with_a_reason(tmp_path: Path) -> None:
    torch.save(nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2)).state_dict(), tmp_path / "m.pt")
    graph = sx.load(tmp_path / "m.pt")
    assert graph.sizes == (4, 3, 2)
    table = {row[0]: row[2:] for row in graph.coverage().rows()}
    assert table["1.weight"] == ("left out", "joins no neurons: neither a matrix nor the bias of one")
    assert table["1.num_batches_tracked"] == ("left out", "holds whole numbers, no weights")
    assert table["2.bias"] == ("bias", "of layer 2")


@pytest.mark.parametrize(
    "other",
    [
        {"conv.weight": torch.ones(2, 1, 3, 3)},
        {"rnn.weight_ih_l0": torch.ones(8, 4)},
        {"batch.weight": torch.ones(7, 4, 5)},
    ],
)
def test_weights_that_are_no_dense_layer_are_refused(tmp_path: Path, other: dict) -> None:
    (name,) = other
    save_file({"fc.weight": torch.ones(2, 3), **other}, tmp_path / "m.safetensors")
    with pytest.raises(InvalidGraphError, match=f"no dense layer.*{name}") as error:
        sx.load(tmp_path / "m.safetensors")
    assert "fc.weight" not in str(error.value)
    graph = sx.load(tmp_path / "m.safetensors", layers=["fc"])
    assert graph.coverage().filter(parameter=name).row(0)[2:] == ("left out", "not among the layers asked for")


def test_matrices_by_any_name(tmp_path: Path) -> None:
    save_file({"W1": torch.ones(3, 4), "W2": torch.ones(2, 3), "b1": torch.ones(3)}, tmp_path / "m.safetensors")
    graph = sx.load(tmp_path / "m.safetensors")
    assert [layer.name for layer in graph.layers] == ["input", "W1", "W2"]
    assert not graph.biases


def test_one_layer_without_a_name(tmp_path: Path) -> None:
    torch.save(nn.Linear(3, 2).state_dict(), tmp_path / "m.pt")
    graph = sx.load(tmp_path / "m.pt")
    assert graph.sizes == (3, 2)
    assert list(graph.biases) == [1]


def test_weights_that_are_no_numbers_are_named(tmp_path: Path, model: nn.Sequential) -> None:
    state = model.state_dict()
    state["2.weight"][1, 1] = float("inf")
    save_file(state, tmp_path / "m.safetensors")
    with pytest.raises(InvalidGraphError, match=r"'2\.weight'.*1 NaN or infinite"):
        sx.load(tmp_path / "m.safetensors")


def test_whole_numbers_are_no_weights(tmp_path: Path) -> None:
    save_file({"fc.weight": torch.ones(2, 3, dtype=torch.int8)}, tmp_path / "m.safetensors")
    with pytest.raises(InvalidGraphError, match=r"'fc\.weight' must be floating-point.*int8"):
        sx.load(tmp_path / "m.safetensors")


def test_quantised_weights_are_refused(tmp_path: Path) -> None:
    save_file({"fc.weight": torch.ones(2, 3).to(torch.float8_e4m3fn)}, tmp_path / "m.safetensors")
    with pytest.raises(InvalidGraphError, match=r"'fc\.weight'.* are quantised \(float8_e4m3fn\).* dequantise"):
        sx.load(tmp_path / "m.safetensors")
    with pytest.raises(InvalidGraphError, match="the bias of layer 'output' are quantised"):
        NeuralGraph.from_weights([torch.ones(2, 3)], [torch.ones(2).to(torch.float8_e5m2)])


def test_a_file_without_matrices(tmp_path: Path) -> None:
    save_file({"b": torch.ones(2)}, tmp_path / "m.safetensors")
    with pytest.raises(InvalidGraphError, match=r"no matrix of weights; it has b \(2,\)"):
        sx.load(tmp_path / "m.safetensors")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
@pytest.mark.parametrize("suffix", ["safetensors", "pt"])
def test_truncated_files_are_named(tmp_path: Path, model: nn.Sequential, suffix: str, share: float) -> None:
    path = tmp_path / f"model.{suffix}"
    save_file(model.state_dict(), path) if suffix == "safetensors" else torch.save(model.state_dict(), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UnreadableFileError, match=r"truncated or damaged.*again") as error:
        sx.load(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("suffix", ["safetensors", "pt", "h5", "graphml"])
def test_files_that_are_something_else_are_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"model.{suffix}"
    path.write_bytes(bytes(range(1, 255)))
    with pytest.raises(UnreadableFileError, match="truncated or damaged"):
        sx.load(path)


class Harmful:
    def __reduce__(self) -> tuple:
        return os.mkdir, (os.environ["HARM"],)


@pytest.mark.parametrize("save", ["torch", "old torch", "pickle"])
def test_a_pickle_that_would_run_code_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save: str) -> None:
    harm, path = tmp_path / "harm", tmp_path / "model.pt"
    monkeypatch.setenv("HARM", str(harm))
    content = {"fc.weight": torch.ones(2, 3), "extra": Harmful()}
    if save == "pickle":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=save == "torch")
    with pytest.raises(UnreadableFileError, match=r"would run code from the file.*safetensors") as error:
        sx.load(path)
    assert "mkdir" in str(error.value)
    assert str(path) in str(error.value)
    assert not harm.exists()


def test_a_whole_pickled_module_is_not_opened(tmp_path: Path, model: nn.Sequential) -> None:
    torch.save(model, tmp_path / "m.pt")
    with pytest.raises(UnreadableFileError, match=r"names 'torch\.nn\.modules.*save the tensors alone"):
        sx.load(tmp_path / "m.pt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"epoch": 3}, "holds no state dict.*its keys are 'epoch'"),
        ({"model": {"w": torch.ones(1, 1)}, "net": {"w": torch.ones(1, 1)}}, "several inside"),
        (torch.ones(2, 3), "holds a Tensor where a state dict"),
        ([torch.ones(2, 3)], "holds a list where a state dict"),
    ],
)
def test_torch_files_without_a_state_dict(tmp_path: Path, content: object, message: str) -> None:
    torch.save(content, tmp_path / "m.pt")
    with pytest.raises(UnreadableFileError, match=message):
        sx.load(tmp_path / "m.pt")


def test_no_file_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"nowhere\.pt does not exist"):
        sx.load(tmp_path / "nowhere.pt")
    with pytest.raises(UnreadableFileError, match="is a folder"):
        sx.load(tmp_path)
    (tmp_path / "empty.pt").touch()
    with pytest.raises(UnreadableFileError, match=r"empty\.pt is empty"):
        sx.load(tmp_path / "empty.pt")
    (tmp_path / "model.xyz").write_text("what is this")
    with pytest.raises(UnreadableFileError, match=r"of no known kind; known are .*\.safetensors"):
        sx.load(tmp_path / "model.xyz")


def test_archives_that_are_not_of_torch(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("model.weights.h5", "")
    with pytest.raises(UnreadableFileError, match=r"Keras 3.*model\.save\('model\.h5'\)"):
        sx.load(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.npz", "w") as archive:
        archive.writestr("w.npy", "")
    with pytest.raises(UnreadableFileError, match=r"not one written by torch\.save"):
        sx.load(tmp_path / "m.npz")


def test_layers_are_chosen_from_weights_only(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("1,2\n")
    with pytest.raises(SpecificationError, match=r"layers= chooses among weights.*e\.csv holds a graph"):
        sx.load(tmp_path / "e.csv", layers=["1"])


def test_errors_are_those_of_python_too(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="does not exist"):
        sx.load(tmp_path / "nowhere.pt")


def test_golden_network(golden: Path) -> None:
    graph = sx.load(golden / "mlp-mnist-network1.h5")
    assert graph.sizes == (784, 200, 100, 10)
    assert [layer.name for layer in graph.layers] == ["input", "dense_1", "dense_2", "dense_3"]
    assert sum(link.edge_count for link in graph.links) == 177_800
    assert graph.coverage()["outcome"].to_list() == ["link"] * 3
    assert not graph.biases


h5py = pytest.importorskip("h5py")

KERAS_LAYERS = {
    "dense": {"dense/kernel:0": (4, 3), "dense/bias:0": (3,)},
    "norm": {"norm/gamma:0": (3,), "norm/beta:0": (3,)},
    "head": {"head/kernel:0": (3, 2)},
}
CHAIN = [
    {"class_name": "InputLayer", "config": {"name": "input_1"}},
    {"class_name": "Dense", "config": {"name": "dense"}, "inbound_nodes": [[["input_1", 0, 0, {}]]]},
    {"class_name": "BatchNormalization", "config": {"name": "norm"}, "inbound_nodes": [[["dense", 0, 0, {}]]]},
    {"class_name": "Dense", "config": {"name": "head"}, "inbound_nodes": [[["norm", 0, 0, {}]]]},
]


def write_keras(path: Path, layers: dict, config: list | None = None, *, spread: bool = False) -> None:
    """A file as Keras 2 writes it; very long lists of names are spread over several attributes."""
    with h5py.File(path, "w") as file:
        group = file if config is None else file.create_group("model_weights")
        if config is not None:
            file.attrs["model_config"] = json.dumps({"class_name": "Functional", "config": {"layers": config}})
        names = [name.encode() for name in layers]
        if spread:
            group.attrs["layer_names0"], group.attrs["layer_names1"] = names[:1], names[1:]
        else:
            group.attrs["layer_names"] = names
        generator = torch.Generator().manual_seed(0)
        for layer, tensors in layers.items():
            inside = group.create_group(layer)
            inside.attrs["weight_names"] = [name.encode() for name in tensors]
            for name, shape in tensors.items():
                inside[name] = torch.randn(shape, generator=generator).numpy()


@pytest.mark.parametrize("config", [None, CHAIN])
@pytest.mark.parametrize("spread", [False, True])
def test_keras_layers_in_the_order_of_the_file(tmp_path: Path, config: list | None, spread: bool) -> None:
    path = tmp_path / "model.h5"
    write_keras(path, KERAS_LAYERS, config, spread=spread)
    graph = sx.load(path)
    assert graph.sizes == (4, 3, 2)
    assert [layer.name for layer in graph.layers] == ["input", "dense", "head"]
    with h5py.File(path) as file:
        kernel = file["dense/dense/kernel:0" if config is None else "model_weights/dense/dense/kernel:0"][()]
    assert torch.equal(graph.links[0].to_dense(), torch.as_tensor(kernel).T)
    assert graph.biases[1].shape == (3,)
    assert graph.coverage().filter(outcome="left out")["parameter"].to_list() == ["norm/gamma:0", "norm/beta:0"]


def test_keras_names_without_order_are_those_of_the_file(tmp_path: Path) -> None:
    # The order of layers, not of the alphabet.
    layers = {"z": {"z/kernel:0": (4, 4)}, "a": {"a/kernel:0": (4, 4)}}
    write_keras(tmp_path / "m.h5", layers)
    assert [layer.name for layer in sx.load(tmp_path / "m.h5").layers] == ["input", "z", "a"]
    assert [layer.name for layer in sx.load(tmp_path / "m.h5", layers=["a", "z"]).layers] == ["input", "a", "z"]


@pytest.mark.parametrize(
    ("kind", "tensors", "message"),
    [
        ("Conv2D", {"x/kernel:0": (3, 3, 1, 8)}, r"layer 'x' \(Conv2D\)"),
        ("SimpleRNN", {"x/kernel:0": (3, 3), "x/recurrent_kernel:0": (3, 3)}, r"layer 'x' \(SimpleRNN\)"),
        ("Permute", {}, r"layer 'x' \(Permute\)"),
    ],
)
def test_keras_layers_that_are_not_dense_are_refused(tmp_path: Path, kind: str, tensors: dict, message: str) -> None:
    layers = {"dense": KERAS_LAYERS["dense"], "x": tensors}
    config = [{"class_name": "Dense", "config": {"name": "dense"}}, {"class_name": kind, "config": {"name": "x"}}]
    write_keras(tmp_path / "m.h5", layers, config)
    with pytest.raises(InvalidGraphError, match=message):
        sx.load(tmp_path / "m.h5")
    assert sx.load(tmp_path / "m.h5", layers=["dense"]).sizes == (4, 3)


def test_keras_branches_are_refused(tmp_path: Path) -> None:
    fork = [*CHAIN, {"class_name": "Dense", "config": {"name": "x"}, "inbound_nodes": [[["norm", 0, 0, {}]]]}]
    write_keras(tmp_path / "m.h5", {**KERAS_LAYERS, "x": {"x/kernel:0": (2, 2)}}, fork)
    with pytest.raises(InvalidGraphError, match=r"layer 'norm' .* feeds several others"):
        sx.load(tmp_path / "m.h5")
    reference = {"args": [{"config": {"keras_history": [name, 0, 0]}} for name in ("input_1", "norm")]}
    join = [*CHAIN[:3], {"class_name": "Dense", "config": {"name": "head"}, "inbound_nodes": [reference]}]
    join[1] = {"class_name": "Dense", "config": {"name": "dense"}}
    write_keras(tmp_path / "m.h5", KERAS_LAYERS, join)
    with pytest.raises(InvalidGraphError, match=r"layer 'head' .* is fed by several others"):
        sx.load(tmp_path / "m.h5")


def test_keras_model_inside_a_model(tmp_path: Path) -> None:
    layers = {"inner": {"a/kernel:0": (4, 3), "b/kernel:0": (3, 2), "b/bias:0": (2,)}}
    config = [
        {
            "class_name": "Sequential",
            "config": {
                "name": "inner",
                "layers": [{"class_name": "Dense", "config": {"name": name}} for name in "ab"],
            },
        }
    ]
    write_keras(tmp_path / "m.h5", layers, config)
    graph = sx.load(tmp_path / "m.h5")
    assert [layer.name for layer in graph.layers] == ["input", "a", "b"]
    assert list(graph.biases) == [2]


def test_truncated_keras_file_is_named(tmp_path: Path) -> None:
    write_keras(tmp_path / "m.h5", KERAS_LAYERS)
    whole = (tmp_path / "m.h5").read_bytes()
    (tmp_path / "m.h5").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableFileError, match=r"m\.h5 is truncated or damaged"):
        sx.load(tmp_path / "m.h5")


def test_hdf5_file_that_is_not_of_keras(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["x"] = [1.0]
    with pytest.raises(UnreadableFileError, match="no Keras file that lists its layers"):
        sx.load(tmp_path / "m.h5")
