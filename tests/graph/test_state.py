"""State dicts that are no plain chain of matrices: what is put together, what is refused, and in which words."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune

import synaplex as sx
from synaplex.errors import InvalidGraphError
from synaplex.graph.sparse import SparseLink
from synaplex.sparse import SparseLinear


def matrices(graph: sx.NeuralGraph) -> list[Tensor]:
    return [link.to_dense() for link in graph.links]


def sparse_state(model: nn.Sequential, *, told: bool) -> dict[str, Tensor]:
    """The state dict, with the sizes of sparse layers in it or not, as files of others may be."""
    return {name: one for name, one in model.state_dict().items() if told or not name.endswith(".in_features")}


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 8), min_size=3, max_size=5),
    sparse=st.lists(st.booleans(), min_size=4, max_size=4),
    seed=st.integers(0, 1000),
    data=st.data(),
)
def test_sparse_layers_of_a_state_dict_are_those_of_the_model(
    sizes: list[int], sparse: list[bool], seed: int, data: st.DataObject
) -> None:
    generator = torch.Generator().manual_seed(seed)
    parts: list[nn.Module] = []
    for i, (width, following) in enumerate(pairwise(sizes)):
        keys = torch.randperm(width * following, generator=generator)[: data.draw(st.integers(0, width * following))]
        bias = data.draw(st.booleans())
        layer = SparseLinear(width, following, keys.sort().values, bias=bias, generator=generator)
        parts += [layer if sparse[i] else nn.Linear(width, following, bias=bias), nn.ReLU()]
    model = nn.Sequential(*parts)
    # Where the first layer is sparse, nothing else tells how many inputs there are.
    state = sparse_state(model, told=sparse[0] or data.draw(st.booleans()))
    graph = sx.graph(state)
    dense = [part.to_dense() if isinstance(part, SparseLinear) else part.weight for part in parts[::2]]
    assert graph.sizes == tuple(sizes)
    assert all(torch.equal(one, two) for one, two in zip(matrices(graph), dense, strict=True))
    assert [isinstance(link, SparseLink) for link in graph.links] == sparse[: len(dense)]
    assert all(torch.equal(bias, parts[2 * i - 2].bias) for i, bias in graph.biases.items())
    assert set(graph.coverage()["parameter"]) == set(state)
    assert set(graph.coverage()["outcome"]) <= {"link", "bias"}


def test_a_sparse_model_in_a_file(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
    sx.sparse.sparsify(model, epsilon=5)
    save_file(sparse_state(model, told=True), tmp_path / "m.safetensors")
    graph = sx.load(tmp_path / "m.safetensors")
    assert graph.sizes == (64, 128, 64, 10)
    assert all(torch.equal(a, b) for a, b in zip(matrices(graph), matrices(sx.graph(model)), strict=True))
    assert sx.load(tmp_path / "m.safetensors", layers=["2", "4"]).sizes == (128, 64, 10)


def test_how_many_neurons_feed_a_first_sparse_layer_is_not_guessed(tmp_path: Path) -> None:
    keys = torch.tensor([0, 1, 7])  # of five inputs, the last two have no connection
    model = nn.Sequential(SparseLinear(5, 3, keys), SparseLinear(3, 4, torch.tensor([0, 3])))
    save_file(sparse_state(model, told=False), tmp_path / "m.safetensors")
    with pytest.raises(InvalidGraphError, match=r"feed its first layer, '0', which is sparse: 3 or more.*sx\.graph\("):
        sx.load(tmp_path / "m.safetensors")


def test_sparse_layers_that_do_not_chain_are_refused() -> None:
    model = nn.Sequential(nn.Linear(2, 3), SparseLinear(5, 2, torch.tensor([4])))
    with pytest.raises(InvalidGraphError, match=r"'0.weight' gives 3 neurons, but '1.weight' reads 5 or more"):
        sx.graph(sparse_state(model, told=False))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("0.column", torch.tensor([0, 9, 2], dtype=torch.int32)),
        ("0.column", torch.tensor([0, -1, 2], dtype=torch.int32)),
        ("0.row_start", torch.tensor([0, 3, 2, 3], dtype=torch.int32)),
        ("0.row_start", torch.tensor([0, 1, 2, 2], dtype=torch.int32)),
        ("0.weight", torch.ones(2)),
    ],
)
def test_damaged_connections_are_named(name: str, value: Tensor) -> None:
    state = sparse_state(nn.Sequential(SparseLinear(5, 3, torch.tensor([0, 1, 7]))), told=True)
    with pytest.raises(InvalidGraphError, match="the connections of the sparse layer '0' are damaged"):
        sx.graph({**state, name: value})


def test_pruned_weights_are_those_that_are_left(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))
    for place in (0, 2):  # the last layer is not pruned
        prune.l1_unstructured(model[place], "weight", amount=0.5)
    prune.l1_unstructured(model[0], "bias", amount=0.5)
    torch.save(model.state_dict(), tmp_path / "m.pt")
    graph = sx.load(tmp_path / "m.pt")
    assert graph.sizes == (8, 8, 8, 3)
    assert all(torch.equal(one, model[2 * i].weight) for i, one in enumerate(matrices(graph)))
    assert all(torch.equal(graph.biases[i], model[2 * i - 2].bias) for i in (1, 2, 3))
    table = {row[0]: row[2:] for row in graph.coverage().rows()}
    assert set(table) == set(model.state_dict())
    assert table["0.weight_mask"] == table["0.weight_orig"] == ("link", "into layer 0")
    assert table["0.bias_mask"] == ("bias", "of layer 0")
    chosen = sx.load(tmp_path / "m.pt", layers=["0", "4"])
    assert torch.equal(chosen.links[0].to_dense(), model[0].weight)
    assert chosen.coverage().filter(parameter="2.weight_mask").row(0)[2:] == (
        "left out",
        "not among the layers asked for",
    )
    single = prune.l1_unstructured(nn.Linear(3, 2), "weight", amount=2)
    alone = sx.graph(single.state_dict())
    assert torch.equal(alone.links[0].to_dense(), single.weight)
    assert list(alone.biases) == [1]


def square(*names: str) -> dict[str, Tensor]:
    return {f"{name}.weight": torch.eye(8) for name in names}


REFUSED: list[tuple[Mapping[str, Tensor], str]] = [
    (square("block.q_proj", "block.k_proj", "block.v_proj", "block.out", "fc1"), "block.q_proj.weight, block.k_proj"),
    (square("q", "k", "v", "o", "fc1", "fc2"), "q.weight, k.weight, v.weight are the queries, keys and values"),
    (square("h.0.to_query", "h.0.to_key", "h.0.to_value"), "are the queries, keys and values of attention"),
    (nn.RNN(8, 8).state_dict(), "weight_.h_l0 belongs to a recurrent layer"),
    ({**square("a"), **{f"cell.{k}": v for k, v in nn.RNNCell(8, 8).state_dict().items()}}, "cell.weight_.h belongs"),
    (square("fc.base_layer", "fc.lora_A.default", "fc.lora_B.default"), r"fc\.lora_A\.default\.weight.*merge"),
    (parametrizations.weight_norm(nn.Linear(1, 1)).state_dict(), "take the parametrization off"),
    (parametrizations.orthogonal(nn.Linear(8, 8)).state_dict(), "take the parametrization off"),
]


@pytest.mark.parametrize(("state", "message"), REFUSED)
@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
def test_what_names_tell_is_heard(tmp_path: Path, state: dict[str, Tensor], message: str, suffix: str) -> None:
    path = tmp_path / f"m.{suffix}"
    torch.save(dict(state), path) if suffix == "pt" else save_file({k: v.contiguous() for k, v in state.items()}, path)
    with pytest.raises(
        InvalidGraphError, match=f"no dense layer of a chain: .*{message}.*sx.graph.model.*measure_file"
    ):
        sx.load(path)


def test_layers_may_be_called_by_letters() -> None:
    """Queries alone make no attention, and what is chosen by name is read."""
    assert sx.graph({"q.weight": torch.ones(3, 4), "value.weight": torch.ones(2, 3)}).sizes == (4, 3, 2)
    assert sx.graph(square("q", "k", "v"), layers=["k", "v"]).sizes == (8, 8, 8)


def test_branches_that_fit_in_series_are_not_taken_for_a_chain_without_a_word() -> None:
    state = {**square("a", "b"), "out.weight": torch.ones(2, 8)}  # as of out(relu(a(x)) + b(x))
    with pytest.warns(UserWarning, match=r"does not tell how its layers are joined.*a -> b -> out.*sx\.graph\(model"):
        graph = sx.graph(state)
    assert graph.coverage()["detail"].to_list()[0] == "into layer a; its place is assumed"
