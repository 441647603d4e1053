"""Convolutions in a file of weights: the same nodes and edges as the model has, or a refusal that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import prune

import synaplex as sx
from synaplex.encoders import PerformanceDecoder, SavedEncoder, StructureEncoder, embed, load_checkpoint, rank
from synaplex.encoders import structure_graph as read
from synaplex.errors import InvalidGraphError, SpecificationError
from tests.encoders.structures import Residual, initialised


def written(model: nn.Module, folder: Path, suffix: str = ".safetensors") -> Path:
    path = folder / f"model{suffix}"
    state = {name: value.contiguous() for name, value in model.state_dict().items()}
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    return path


def classifier(
    channels: list[int], kernels: list[int], *, stride: int, pool: bool, norm: bool, side: int, hidden: int
) -> tuple[nn.Module, torch.Tensor]:
    """A plain convolutional network, and an example of what it reads; `side` 0 for the mean over positions."""
    layers: list[nn.Module] = []
    for before, after, kernel in zip(channels, channels[1:], kernels, strict=False):
        layers.append(nn.Conv2d(before, after, kernel, stride=stride, padding=kernel // 2, bias=not norm))
        layers += [nn.BatchNorm2d(after)] if norm else []
        layers += [nn.ReLU(), nn.MaxPool2d(2, stride=1)] if pool else [nn.ReLU()]
    layers += [nn.AdaptiveAvgPool2d(max(side, 1)), nn.Flatten(), nn.Linear(channels[-1] * max(side, 1) ** 2, hidden)]
    model = initialised(nn.Sequential(*layers, nn.ReLU(), nn.Linear(hidden, 3)))
    return model, torch.zeros(1, channels[0], 24, 24)


@settings(max_examples=12, deadline=None)
@given(
    channels=st.lists(st.integers(2, 6), min_size=3, max_size=4),
    kernels=st.lists(st.integers(1, 4), min_size=3, max_size=3),
    stride=st.integers(1, 2),
    pool=st.booleans(),
    norm=st.booleans(),
    side=st.integers(0, 3),
    hidden=st.integers(2, 7),
    suffix=st.sampled_from([".safetensors", ".pt"]),
)
def test_a_file_has_the_nodes_and_edges_of_the_model(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, **plan: object
) -> None:
    """Whatever strides, paddings, pooling and sizes are, of which the file knows nothing."""
    plan["channels"][0] = 7  # type: ignore[index]  # as no other, so that no transposed network fits
    model, example = classifier(**plan)  # type: ignore[arg-type]
    found = read(load_checkpoint(written(model, tmp_path_factory.mktemp("file"), suffix)))
    expected = read(sx.graph(model, example))
    assert found.layout == expected.layout
    for mine, theirs in zip(found.blocks, expected.blocks, strict=True):
        assert torch.equal(mine.weight, theirs.weight)
        assert mine.kernel == theirs.kernel
    torch.testing.assert_close(found.position, expected.position)
    if not plan["norm"]:
        torch.testing.assert_close(found.bias, expected.bias)


def test_kernels_of_one_axis_and_convolutions_alone(tmp_path: Path) -> None:
    line = initialised(nn.Sequential(nn.Conv1d(2, 4, 3), nn.ReLU(), nn.Conv1d(4, 6, 2), nn.Flatten(), nn.Linear(30, 3)))
    found, expected = read(load_checkpoint(written(line, tmp_path))), read(sx.graph(line, torch.zeros(1, 2, 8)))
    assert found.layout == expected.layout  # five positions, in a row
    assert torch.equal(found.blocks[2].weight, expected.blocks[2].weight)
    alone = initialised(nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.Conv2d(5, 4, 1)))
    found, expected = read(load_checkpoint(written(alone, tmp_path))), read(sx.graph(alone, torch.zeros(1, 3, 5, 7)))
    assert found.layout == expected.layout
    torch.testing.assert_close(found.bias, expected.bias)


class Parts(nn.Module):
    """In alphabetical order the classifier comes first."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3), nn.ReLU())
        self.classifier = nn.Linear(20, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(x).flatten(1))


def test_embedding_and_rank_of_files_equal_those_of_the_models(tmp_path: Path) -> None:
    models = [initialised(Parts(), seed) for seed in range(8)]
    graphs = [sx.graph(model, torch.zeros(1, 3, 6, 6)) for model in models]
    for seed, model in enumerate(models):
        written(model, tmp_path).rename(tmp_path / f"{seed}.safetensors")
    encoder = StructureEncoder(positions=2, epochs=0, node_features=("bias",)).fit(graphs[:6])
    decoder = PerformanceDecoder("ridge").fit(encoder.transform(graphs[:6]), torch.arange(6.0).double().numpy())
    saved = SavedEncoder(encoder, decoder, {})
    of_files, of_models = embed(tmp_path, saved), embed(graphs, saved)
    assert of_files.layouts == of_models.layouts
    assert of_files.fitted.tolist() == [True] * 6 + [False] * 2
    torch.testing.assert_close(torch.from_numpy(of_files.values), torch.from_numpy(of_models.values))
    places = [
        int(name.rpartition("/")[2].removesuffix(".safetensors")) for name in rank(tmp_path, saved).table["model"]
    ]
    assert places == [int(name.split()[1]) for name in rank(graphs, saved).table["model"]]


def test_layers_that_are_named_are_read_in_their_order(tmp_path: Path) -> None:
    path = written(initialised(Residual()), tmp_path)
    graph = load_checkpoint(path, layers=["first", "second", "third", "last"])
    assert read(graph).sizes == (3, 8, 8, 6, 4)
    table = graph.coverage()
    assert set(table.filter(outcome="left out")["parameter"]) >= {"short.weight", "norm.weight"}
    with pytest.raises(SpecificationError, match="not the text"):
        load_checkpoint(path, layers="first")


REFUSED = {
    "a branch": (Residual(), "branches, groups"),
    "groups": (nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3, groups=4)), "branches, groups"),
    "transposed": (nn.Sequential(nn.ConvTranspose2d(8, 16, 3), nn.ConvTranspose2d(16, 8, 3)), "does not fit a conv"),
    "perhaps transposed": (
        nn.Sequential(nn.ConvTranspose2d(8, 16, 3, bias=False), nn.ConvTranspose2d(16, 8, 3, bias=False)),
        "transposed ones",
    ),
    "no square": (nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(8 * 6, 2)), "no square image"),
    "three axes": (nn.Sequential(nn.Conv3d(3, 8, 3)), "of one axis, or of two"),
    "two kinds": (nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv1d(8, 8, 3)), "of one axis, or of two"),
    "a generator": (nn.Sequential(nn.Linear(9, 12), nn.Conv2d(3, 1, 3)), "matrices before kernels"),
    "another parameter": (nn.Sequential(nn.Conv2d(3, 8, 3), nn.LSTM(8, 8)), "neither a kernel nor a matrix"),
    "no chain": (nn.Sequential(nn.Conv2d(3, 8, 3), nn.Linear(8, 4), nn.Linear(5, 2)), "do not chain"),
}


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
@pytest.mark.parametrize("what", REFUSED)
def test_what_a_file_does_not_tell_is_refused(tmp_path: Path, what: str, suffix: str) -> None:
    model, reason = REFUSED[what]
    with pytest.raises(InvalidGraphError, match=reason) as refused:
        load_checkpoint(written(model, tmp_path, suffix))
    text = str(refused.value)
    assert f"model{suffix}" in text
    for advice in ("load_model" if suffix == ".safetensors" else "load_state_dict", "sx.graph(model", "layers=["):
        assert advice in text


def test_an_order_that_is_not_certain_is_refused(tmp_path: Path) -> None:
    """As a state dict the first is in order; safetensors know none."""
    state = {"stem.weight": torch.rand(4, 4, 3, 3), "body.weight": torch.rand(4, 4, 3, 3)}
    save_file(state, tmp_path / "a.safetensors")
    with pytest.raises(InvalidGraphError, match="more than one order"):
        load_checkpoint(tmp_path / "a.safetensors")
    generator = {"fc.weight": torch.rand(16, 9), "to.weight": torch.rand(1, 4, 3, 3)}
    save_file(generator, tmp_path / "b.safetensors")  # 9 numbers to 4 images of 2 x 2, or one of 3 x 3 to 16 numbers
    with pytest.raises(InvalidGraphError, match="more than one order"):
        load_checkpoint(tmp_path / "b.safetensors")


def test_what_normalisations_do_is_not_told(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 3))
    path = written(model, tmp_path)
    load_checkpoint(path, node_features=("position",))
    for name in ("bias", "gain"):
        with pytest.raises(InvalidGraphError, match=rf"reads the {name} of nodes.*1\.bias"):
            load_checkpoint(path, node_features=(name,))


def test_pruned_layers_are_what_is_left_of_them(tmp_path: Path) -> None:
    model = initialised(nn.Sequential(nn.Conv2d(7, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 6 * 6, 5)))
    for place in (0, 3):
        prune.l1_unstructured(model[place], "weight", amount=0.5)
    graph = load_checkpoint(written(model, tmp_path, ".pt"))
    assert torch.equal(graph.links[0].weight, model[0].weight)
    assert torch.equal(graph.links[1].to_dense(), model[3].weight)
    assert set(graph.coverage()["outcome"]) == {"link", "bias"}
