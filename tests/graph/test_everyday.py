"""What people have at hand: models in training mode or half precision, all kinds of outputs, checkpoints of scripts."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

import synaplex as sx
from synaplex.errors import InvalidGraphError, SpecificationError
from synaplex.graph import trace
from synaplex.graph.tracing.recording import DataDependentError
from tests.graph.models import Model
from tests.graph.test_architectures import CifarNet

IMAGE = torch.zeros(2, 3, 32, 32)


class Pair(NamedTuple):
    logits: Tensor
    features: Tensor | None


@dataclasses.dataclass
class Output:
    logits: Tensor
    features: Tensor | None = None


def test_a_model_in_training_is_traced_as_at_evaluation() -> None:
    torch.manual_seed(0)
    model = CifarNet(1, "B").train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    training = sx.measures.strength(sx.graph(model, IMAGE))
    assert model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    torch.testing.assert_close(training, sx.measures.strength(sx.graph(model.eval(), IMAGE)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_takes_an_example_of_any_precision(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    model = CifarNet(1, "B").to(dtype)
    strength = sx.measures.strength(sx.graph(model, IMAGE))
    assert strength.dtype == torch.float64
    torch.testing.assert_close(strength, sx.measures.strength(sx.graph(model.double(), IMAGE)))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda y, h: {"logits": y, "features": h},
        lambda y, h: (y, (h, None)),
        lambda y, h: [y, {"h": h}],
        Pair,
        Output,
        lambda y, h: OrderedDict(y=y, loss=None),
    ],
)
def test_outputs_in_any_wrapping(wrap: Any) -> None:
    def run(model: Model, x: Tensor) -> Any:
        hidden = model.a(x)
        return wrap(model.b(hidden), hidden)

    graph = trace(Model(run, a=nn.Linear(4, 3), b=nn.Linear(3, 2)))
    assert [(layer.name, layer.role) for layer in graph.layers] == [
        ("input", "input"),
        ("a", "hidden"),
        ("b", "output"),
    ]


@pytest.mark.parametrize(
    "example", [torch.zeros(1, 4), np.zeros((1, 4)), [torch.zeros(1, 4)], {"x": torch.zeros(1, 4)}]
)
def test_inputs_in_any_wrapping(example: Any) -> None:
    assert trace(Model(lambda m, x: m.a(x), a=nn.Linear(4, 3)), example).sizes == (4, 3)


def test_a_shape_in_the_place_of_an_input_is_told() -> None:
    with pytest.raises(SpecificationError, match=r"torch\.zeros\(1, 3, 32, 32\)"):
        sx.graph(CifarNet(), (1, 3, 32, 32))


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 1, 28, 28), (1, 3)])
def test_an_example_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidGraphError, match=r"example_input of shape .*in module '(conv1|bn1)'.*batch axis first"):
        sx.graph(CifarNet(), torch.zeros(shape))


def test_a_failure_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    def until_large(model: Model, x: Tensor) -> Tensor:
        while x.norm() < 10:
            x = model.a(x)
        return x

    for model in (Model(until_large, a=nn.Linear(4, 4)), nn.Sequential(Model(until_large, a=nn.Linear(4, 4)))):
        with pytest.raises(DataDependentError, match="control flow depends on the data"):
            trace(model, torch.zeros(1, 4))
    printed = capfd.readouterr()
    assert not printed.out
    assert not printed.err


def wrapped(model: nn.Module) -> dict[str, Any]:
    """What a training script with DataParallel saves."""
    state = {f"module.{name}": value for name, value in model.state_dict().items()}
    return {"state_dict": state, "best_prec1": 92.1, "epoch": 3, "arch": "net"}


def test_a_residual_network_from_its_checkpoint(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, again = CifarNet(3, "A"), CifarNet(3, "A")
    torch.save(wrapped(model), tmp_path / "net.th")
    with pytest.raises(InvalidGraphError, match=r"take 'module\.'.* off the names.*sx\.measure_file"):
        sx.load(tmp_path / "net.th")
    table = sx.measure_file(tmp_path / "net.th")
    assert table["name"].to_list() == list(wrapped(model)["state_dict"])
    kernels = table.filter(table["name"].str.ends_with("conv1.weight"))
    weight = model.conv1.weight.detach().double()
    assert kernels["mean"][0] == pytest.approx(float(weight.mean()))
    assert kernels["in_strength_std"][0] == pytest.approx(float(weight.sum((1, 2, 3)).std(correction=0)))
    checkpoint = torch.load(tmp_path / "net.th", weights_only=True)
    again.load_state_dict({name.removeprefix("module."): value for name, value in checkpoint["state_dict"].items()})
    graphs = [sx.graph(one, IMAGE) for one in (model, again)]
    torch.testing.assert_close(*(sx.measures.strength(graph) for graph in graphs))
    outcomes = graphs[1].coverage()
    assert outcomes["parameter"].to_list() == [name for name, _ in again.named_parameters()]
    assert set(outcomes["outcome"]) == {"link", "bias"}


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod."])
@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
def test_the_prefix_of_a_wrapper_is_no_part_of_a_layer(tmp_path: Path, prefix: str, suffix: str) -> None:
    model = nn.Sequential(OrderedDict(fc1=nn.Linear(4, 3), fc2=nn.Linear(3, 2)))
    state = {prefix + name: value for name, value in model.state_dict().items()}
    (torch.save if suffix == "pt" else save_file)(state, tmp_path / f"m.{suffix}")
    for graph in (sx.load(tmp_path / f"m.{suffix}"), sx.load(tmp_path / f"m.{suffix}", layers=["fc1", "fc2"])):
        assert [layer.name for layer in graph.layers] == ["input", "fc1", "fc2"]
        assert sorted(graph.coverage()["parameter"]) == sorted(state)
        assert sorted(graph.biases) == [1, 2]


def test_numbers_of_numpy_are_data(tmp_path: Path) -> None:
    numbers = {"acc": np.float32(0.5), "step": np.int64(3), "done": np.bool_(True)}
    torch.save({"net": nn.Linear(3, 2).state_dict(), **numbers}, tmp_path / "m.pth")
    assert sx.load(tmp_path / "m.pth").sizes == (3, 2)
