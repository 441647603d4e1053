"""A traced graph is the model's own computation: where nothing is nonlinear, its paths make the Jacobian."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune

import synaplex as sx
from synaplex.errors import InvalidGraphError
from synaplex.graph import IdentityLink, NeuralGraph, trace


def through(graph: NeuralGraph, *inputs: Tensor) -> Tensor:
    """What the links make of values at the input layers, layer by layer; biases left aside."""
    values = dict(enumerate(inputs))
    for i, layer in enumerate(graph.layers):
        if layer.role == "input":
            continue
        parts = [link.forward(values[link.source]) for link in graph.links if link.target == i]
        values[i] = torch.stack(parts).sum(0)
    outputs = [i for i, layer in enumerate(graph.layers) if layer.role == "output"]
    return torch.cat([values[i] for i in outputs], -1)


def jacobian(model: nn.Module, *inputs: Tensor) -> Tensor:
    """The Jacobian of a model at a point, rows being outputs, columns all inputs side by side."""

    def run(*points: Tensor) -> Tensor:
        made = model(*(point[None] for point in points))
        return torch.cat(list(made) if isinstance(made, tuple) else [made], -1)[0]

    parts = torch.autograd.functional.jacobian(run, inputs)
    return torch.cat([part.flatten(1) for part in parts], 1)


def assert_same_map(model: nn.Module, *shapes: tuple[int, ...]) -> NeuralGraph:
    """The model is linear up to biases; compare the graph's paths with autograd's Jacobian."""
    model = model.double()
    points = [torch.randn(shape, dtype=torch.float64) for shape in shapes]
    graph = trace(model, tuple(point[None] for point in points))
    flat = [point.flatten() for point in points]
    expected = jacobian(model, *points) @ torch.cat(flat)
    torch.testing.assert_close(through(graph, *flat), expected)
    return graph


class Model(nn.Module):
    """Modules by name, and a forward pass given as a function of them and the inputs."""

    def __init__(self, run: Callable[..., object], **parts: nn.Module | nn.Parameter) -> None:
        super().__init__()
        self.run = run
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x: Tensor) -> object:
        return self.run(self, x)


class TwoInputs(Model):
    def forward(self, x: Tensor, y: Tensor) -> object:
        return self.run(self, x, y)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def weights(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(shape))


LINEAR = {
    "chain": Model(lambda m, x: m.b(m.a(x)), a=nn.Linear(4, 5), b=nn.Linear(5, 3)),
    "residual": Model(lambda m, x: m.b(m.a(x)) + x, a=nn.Linear(4, 5), b=nn.Linear(5, 4)),
    "residual in the middle": Model(
        lambda m, x: m.c(m.b(h := m.a(x)) + h), a=nn.Linear(4, 5), b=nn.Linear(5, 5), c=nn.Linear(5, 2)
    ),
    "residual, other way round": Model(lambda m, x: x + m.a(x), a=nn.Linear(4, 4)),
    "residual, in place": Model(lambda m, x: m.a(x).add_(x), a=nn.Linear(4, 4)),
    "difference": Model(lambda m, x: m.a(x) - x, a=nn.Linear(4, 4)),
    "negative residual": Model(lambda m, x: x - m.a(x), a=nn.Linear(4, 4)),
    "weighted sum": Model(lambda m, x: torch.add(m.a(x), m.b(x), alpha=2), a=nn.Linear(4, 3), b=nn.Linear(4, 3)),
    "two branches that meet": Model(lambda m, x: m.a(x) + m.b(x), a=nn.Linear(4, 3), b=nn.Linear(4, 3)),
    "branches read elsewhere too": Model(
        lambda m, x: (m.a(x) + m.b(x), m.c(m.a(x))), a=nn.Linear(4, 3), b=nn.Linear(4, 3), c=nn.Linear(3, 2)
    ),
    "sum of two layers that are read elsewhere": Model(
        lambda m, x: (m.c((h := m.a(x)) + (k := m.b(h))), m.c(h), m.c(k)),
        a=nn.Linear(4, 3),
        b=nn.Linear(3, 3),
        c=nn.Linear(3, 2),
    ),
    "earlier layer takes the sum": Model(
        lambda m, x: (m.c(m.a(x) + (k := m.b(x))), m.c(k)),
        a=nn.Linear(4, 3),
        b=nn.Linear(4, 3),
        c=nn.Linear(3, 2),
    ),
    "shared module": Model(lambda m, x: m.a(m.a(x)), a=nn.Linear(4, 4)),
    "tied weights": Model(lambda m, x: F.linear(m.a(x), m.a.weight.t()), a=nn.Linear(4, 3)),
    "parameter products": Model(lambda m, x: (x @ m.u).matmul(m.v), u=weights(4, 3), v=weights(3, 2)),
    "fused product": Model(lambda m, x: torch.addmm(m.b, x, m.u), u=weights(4, 3), b=weights(3)),
    "computed weights": Model(lambda m, x: F.linear(x, m.u * m.u.abs()), u=weights(3, 4)),
    "side by side": Model(
        lambda m, x: m.c(torch.cat([m.a(x), x, m.b(x)], -1)),
        a=nn.Linear(4, 3),
        b=nn.Linear(4, 2),
        c=nn.Linear(9, 2),
    ),
    "parametrized": Model(lambda m, x: m.a(x), a=parametrizations.orthogonal(nn.Linear(4, 4)), b=nn.Linear(1, 1)),
    "pruned": Model(lambda m, x: m.a(x), a=prune.l1_unstructured(nn.Linear(4, 4), "weight", 0.5)),
    "root is the layer": nn.Linear(4, 3, bias=False),
    "reshapes": Model(
        lambda m, x: m.a(x.view(x.size(0), -1)).reshape(x.shape[0], 1, 3).squeeze(1).contiguous(),
        a=nn.Linear(4, 3),
    ),
}


@pytest.mark.parametrize("name", LINEAR)
def test_paths_of_a_linear_model_make_its_jacobian(name: str) -> None:
    assert_same_map(LINEAR[name], (4,))


def test_two_inputs() -> None:
    model = TwoInputs(lambda m, x, y: m.a(x) + m.b(y), a=nn.Linear(4, 3), b=nn.Linear(2, 3))
    graph = assert_same_map(model, (4,), (2,))
    assert [layer.role for layer in graph.layers] == ["input", "input", "output"]
    assert [layer.name for layer in graph.layers] == ["x", "y", "a + b"]


def test_images_are_flattened() -> None:
    graph = assert_same_map(nn.Sequential(nn.Flatten(), nn.Linear(18, 3)), (2, 3, 3))
    assert graph.layers[0].shape == (2, 3, 3)


def test_activations_make_no_layers() -> None:
    plain = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    dressed = nn.Sequential(
        nn.Flatten(),
        plain[0],
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Identity(),
        nn.PReLU(),
        plain[1],
        nn.Softmax(-1),
    )
    assert trace(dressed).sizes == trace(plain).sizes == (4, 3, 2)
    assert [layer.role for layer in trace(dressed).layers] == ["input", "hidden", "output"]


def test_functional_activations_make_no_layers() -> None:
    def run(model: Model, x: Tensor) -> Tensor:
        h = F.gelu(model.a(x))
        h = F.dropout(h * torch.sigmoid(h) / 2 + 1, training=model.training).clamp(min=0)
        return torch.log_softmax(model.b(1 - h.tanh()), -1)

    graph = trace(Model(run, a=nn.Linear(4, 3), b=nn.Linear(3, 2)))
    assert graph.sizes == (4, 3, 2)
    assert [type(link).__name__ for link in graph.links] == ["DenseLink", "DenseLink"]


def test_residual_around_an_activation_is_one_layer_with_an_identity() -> None:
    graph = trace(Model(lambda m, x: m.b(F.relu(m.a(x)) + x), a=nn.Linear(4, 4), b=nn.Linear(4, 2)))
    assert graph.sizes == (4, 4, 2)
    identity = graph.links[1]
    assert isinstance(identity, IdentityLink)
    assert (identity.source, identity.target, float(identity.scale)) == (0, 1, 1.0)


def test_layers_bear_the_names_of_modules() -> None:
    model = nn.ModuleDict({"body": nn.Linear(4, 3), "head": nn.Linear(3, 2)})
    graph = trace(Model(lambda m, x: m.parts["head"](m.parts["body"](x)), parts=model))
    assert [layer.name for layer in graph.layers] == ["input", "parts.body", "parts.head"]
    assert [link.name for link in graph.links] == ["parts.body.weight", "parts.head.weight"]


def test_order_is_that_of_the_computation_not_of_registration() -> None:
    graph = trace(Model(lambda m, x: m.a(m.b(x)), a=nn.Linear(3, 2), b=nn.Linear(4, 3)))
    assert graph.sizes == (4, 3, 2)


def test_a_module_used_twice_shares_its_weights() -> None:
    model = Model(lambda m, x: m.a(m.a(x)), a=nn.Linear(4, 4))
    graph = trace(model)
    assert [layer.name for layer in graph.layers] == ["input", "a", "a (2)"]
    pointers = {link.to_dense().data_ptr() for link in graph.links}
    assert pointers == {model.a.weight.data_ptr()}
    assert not graph.links[0].weights.requires_grad


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_are_read_as_they_are_stored(dtype: torch.dtype) -> None:
    model = Model(lambda m, x: m.a(x) + x, a=nn.Linear(4, 4)).to(dtype)
    graph = trace(model)
    assert {link.dtype for link in graph.links} == {dtype}
    strength = graph.undirected().strength
    assert strength.dtype == torch.float64
    torch.testing.assert_close(strength[4:], model.a.weight.double().sum(1) + 1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_graph_lies_where_the_model_lies() -> None:
    model = Model(lambda m, x: m.a(x) + x, a=nn.Linear(4, 4)).cuda()
    graph = trace(model, torch.zeros(1, 4, device="cuda"))
    assert graph.device.type == "cuda"
    assert graph.undirected().strength.device.type == "cuda"


def test_biases_belong_to_the_layer_they_are_added_to() -> None:
    model = Model(lambda m, x: m.a(x) + m.b + m.c(x), a=nn.Linear(4, 3), b=weights(3), c=nn.Linear(4, 3))
    graph = trace(model)
    torch.testing.assert_close(graph.biases[1], (model.a.bias + model.b + model.c.bias).detach())


def test_coverage_accounts_for_every_parameter() -> None:
    model = Model(
        lambda m, x: m.a(m.slope(m.norm(m.a(x) + m.shift))) + m.table.relu(),
        a=nn.Linear(4, 4),
        slope=nn.PReLU(),
        norm=nn.LayerNorm(4, elementwise_affine=False),
        shift=weights(4),
        table=weights(1, 4),
        unused=nn.Linear(2, 2),
    )
    table = {row[0]: row[2:] for row in trace(model).coverage().rows()}
    assert table["a.weight"] == ("link", "input -> a; a -> a (2)")
    assert table["a.bias"][0] == "bias"
    assert table["shift"] == ("bias", "of layer a")
    assert table["table"][0] == "bias"
    assert table["slope.weight"] == ("left out", "the slope of an activation")
    assert table["unused.weight"] == ("left out", "the forward pass does not use it")
    assert "normalisation without parameters" in table["norm"][1]
    assert set(table) == {name for name, _ in model.named_parameters()} | {"norm"}


def test_constants_added_after_an_activation_are_left_out() -> None:
    model = Model(lambda m, x: m.b(F.relu(m.a(x)) + m.t), a=nn.Linear(4, 3), b=nn.Linear(3, 2), t=weights(3))
    graph = trace(model)
    assert graph.coverage().filter(parameter="t").row(0)[2:] == ("left out", "added to a; joins no neurons")


def test_tokens_have_one_neuron_a_feature() -> None:
    graph = trace(nn.Linear(8, 3), torch.zeros(2, 5, 8))
    assert graph.layers[0].shape == (8,)


def test_optional_arguments_keep_their_defaults() -> None:
    class Masked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Linear(4, 3)

        def forward(self, x: Tensor, mask: Tensor | None = None, double: bool = False) -> Tensor:
            if mask is not None:
                x = x * mask
            return self.a(x) * 2 if double else self.a(x)

    graph = trace(Masked())
    assert [layer.name for layer in graph.layers] == ["input", "a"]
    assert graph.sizes == (4, 3)


def test_own_subclasses_follow_their_own_forward() -> None:
    class Twice(nn.Linear):
        def forward(self, input: Tensor) -> Tensor:
            return F.linear(input, 2 * self.weight)

    class Same(nn.Linear):
        pass

    assert_same_map(nn.Sequential(Twice(4, 3), Same(3, 2)), (4,))


def test_wrapped_modules_are_unwrapped() -> None:
    model = nn.Linear(4, 3)
    assert trace(nn.DataParallel(model)).sizes == (4, 3)


def test_tracing_leaves_the_model_as_it_was() -> None:
    model = Model(lambda m, x: m.a(x) + torch.tensor([1.0, 2.0]), a=nn.Linear(3, 2)).train()
    before, state = set(vars(model)), torch.get_rng_state()
    graph = trace(model)
    assert set(vars(model)) == before
    assert model.training
    assert torch.equal(torch.get_rng_state(), state)
    torch.testing.assert_close(graph.biases[1], model.a.bias.detach() + torch.tensor([1.0, 2.0]))


def branch(model: Model, x: Tensor) -> Tensor:
    return model.a(x) if x.sum() > 0 else x


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            Model(branch, a=nn.Linear(4, 4)),
            r"control flow depends on the data.*x\.sum\(\) > 0.*sx\.graph\(\[W1",
        ),
        (
            nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2)),
            r"module '0' \(Conv2d\) of Sequential",
        ),
        (nn.Sequential(nn.BatchNorm1d(4), nn.LSTM(4, 4)), r"modules '0' \(BatchNorm1d\), '1' \(LSTM\)"),
        (nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)), r"module '1' \(LayerNorm\).*parameters"),
        (Model(lambda m, x: m.a(x.mean(1)), a=nn.Linear(4, 2)), r"operation 'mean' \(File .*test_trace"),
        (Model(lambda m, x: m.a(x)[:, :2], a=nn.Linear(4, 4)), "operation 'getitem'"),
        (
            Model(lambda m, x: m.a(x) * m.b(x), a=nn.Linear(4, 3), b=nn.Linear(4, 3)),
            "neurons of different layers",
        ),
        (
            Model(lambda m, x: m.a(x) * m.gain, a=nn.Linear(4, 3), gain=weights(3)),
            "scales neurons by a tensor",
        ),
        (Model(lambda m, x: torch.mm(m.a(x), x), a=nn.Linear(4, 4)), "activations with each other"),
        (
            Model(lambda m, x: m.b(m.a(x)), a=nn.Linear(4, 3), b=nn.Linear(6, 2)),
            "'b' reads 6 neurons, but 'a' gives 3",
        ),
        (
            Model(lambda m, x: m.a(x) + m.b(x), a=nn.Linear(4, 3), b=nn.Linear(4, 1)),
            "reads 3 neurons, but 'b' gives 1",
        ),
        (nn.Sequential(nn.ReLU()), "no layer of weights"),
        (nn.Sequential(nn.Linear(4, 3, device="meta")), "'0.weight' is on the meta device"),
        (nn.Sequential(nn.LazyLinear(3)), "'0.weight' has no shape yet"),
        (
            nn.Sequential(nn.Linear(4, 3), nn.Flatten(0), nn.Linear(6, 1)),
            "'2' reads 6 neurons, but '0' gives 3",
        ),
    ],
)
def test_what_is_not_understood_is_named(model: nn.Module, message: str) -> None:
    with pytest.raises(InvalidGraphError, match=message):
        trace(model)


def test_example_of_another_size_is_refused() -> None:
    with pytest.raises(InvalidGraphError, match=r"'0' reads 4 neurons, but example_input has shape \(1, 5\)"):
        trace(nn.Sequential(nn.Linear(4, 3)), torch.zeros(1, 5))


def test_weights_that_are_no_numbers_are_named() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    with torch.no_grad():
        model[2].weight[0, 0] = float("nan")
    with pytest.raises(InvalidGraphError, match=r"'2\.weight'.*1 NaN"):
        sx.graph(model)
