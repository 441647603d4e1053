"""A traced graph is the model's own computation: where nothing is nonlinear, its paths make the Jacobian."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune

import synaplex as sx
from synaplex.errors import IncompleteGraphError, InvalidGraphError
from synaplex.graph import IdentityLink, NeuralGraph, trace
from tests.graph.models import Model, derivative, through, weights


def assert_same_map(model: nn.Module, *shapes: tuple[int, ...]) -> NeuralGraph:
    """The model is linear up to biases; compare the graph's paths with autograd's derivative."""
    directions = tuple(torch.randn(1, *shape, dtype=torch.float64) for shape in shapes)
    expected = derivative(model, *directions)
    graph = trace(model, directions)
    made = through(graph, *(direction.flatten() for direction in directions))
    torch.testing.assert_close(torch.cat(made), torch.cat([one.flatten() for one in expected]))
    return graph


class TwoInputs(Model):
    def forward(self, x: Tensor, y: Tensor) -> object:
        return self.run(self, x, y)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


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
    "scaled by parameters": Model(lambda m, x: m.a(x) * m.gain, a=nn.Linear(4, 3), gain=weights(3)),
    "one neuron to all": Model(lambda m, x: m.a(x) + m.b(x), a=nn.Linear(4, 3), b=nn.Linear(4, 1)),
    "mean": Model(lambda m, x: m.a(x.mean(1, keepdim=True)), a=nn.Linear(1, 2), b=nn.Linear(4, 1)),
    "slices": Model(lambda m, x: m.b(m.a(x)[:, 1:]), a=nn.Linear(4, 4), b=nn.Linear(3, 2)),
    "permuted": Model(lambda m, x: m.b(m.a(x)[:, [2, 0, 1]]), a=nn.Linear(4, 3), b=nn.Linear(3, 2)),
    "halved": Model(lambda m, x: m.b(0.5 * m.a(x)), a=nn.Linear(4, 3), b=nn.Linear(3, 2)),
    "negated": Model(lambda m, x: x - 2 * m.a(x), a=nn.Linear(4, 4)),
    "doubled": Model(lambda m, x: m.b((h := m.a(x)) + h), a=nn.Linear(4, 3), b=nn.Linear(3, 2)),
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
    assert graph.links[0].dtype == dtype
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
    assert graph.coverage().filter(parameter="t").row(0)[2:] == ("left out", "a constant, added to a; joins no neurons")


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
            nn.Sequential(nn.Linear(4, 4), Model(branch, a=nn.Linear(4, 4))),
            r"control flow depends on the data, in module '1' \(Model\)",
        ),
        (
            nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2)),
            r"pass example_input.*module '0' \(Conv2d\)",
        ),
        (Model(lambda m, x: torch.mm(m.a(x), x), a=nn.Linear(4, 4)), r"pass example_input.*\[1, 4\] X \[1, 4\]"),
        (
            Model(lambda m, x: m.b(m.a(x)), a=nn.Linear(4, 3), b=nn.Linear(6, 2)),
            r"module 'b' \(Linear\).*\[1, 3\] X \[6, 2\]",
        ),
        (nn.Sequential(nn.ReLU()), "no layer of weights"),
        (nn.Sequential(nn.LazyLinear(3)), "'0.weight' has no shape yet"),
        (nn.Sequential(nn.Linear(4, 3), nn.Flatten(0), nn.Linear(6, 1)), r"module '2' \(Linear\)"),
        (
            Model(lambda m, x: x @ m.w, w=nn.Parameter(torch.zeros(4, 3, dtype=torch.complex64))),
            "'w' of the model .*complex",
        ),
    ],
)
def test_what_cannot_be_traced_is_named(model: nn.Module, message: str) -> None:
    with pytest.raises(InvalidGraphError, match=message):
        trace(model)


def test_quantised_weights_are_refused_by_name() -> None:
    class Packed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(3, 4, dtype=torch.int8), requires_grad=False)

    with pytest.raises(InvalidGraphError, match=r"module '1' \(Packed\) has quantised weights"):
        trace(nn.Sequential(nn.Linear(4, 4), Packed()))


def test_example_of_another_size_is_refused() -> None:
    with pytest.raises(
        InvalidGraphError, match=r"example_input of shape \(1, 5\), in module '0' \(Linear\).*\[1, 5\] X \[4, 3\]"
    ):
        trace(nn.Sequential(nn.Linear(4, 3)), torch.zeros(1, 5))


def test_arguments_that_the_model_does_not_take_are_named() -> None:
    with pytest.raises(InvalidGraphError, match=r"Linear does not take the example input.*'mask'"):
        trace(nn.Linear(4, 3), {"input": torch.zeros(1, 4), "mask": torch.zeros(1, 4)})


def test_weights_that_are_no_numbers_are_named() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    with torch.no_grad():
        model[2].weight[0, 0] = float("nan")
    with pytest.raises(InvalidGraphError, match=r"'2\.weight'.*1 NaN"):
        sx.graph(model)


class Sorted(nn.Module):
    """A module that no rule covers."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(3))

    def forward(self, x: Tensor) -> Tensor:
        return torch.sort(x * self.gain).values


def gapped() -> NeuralGraph:
    parts = [nn.Linear(4, 5), nn.Linear(5, 3), Sorted(), nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 6)]
    return trace(nn.Sequential(*parts))


def test_a_step_that_is_not_understood_is_a_gap_with_a_name() -> None:
    graph = gapped()
    (gap,) = graph.gaps
    assert gap.module == "2: sort"
    assert [graph.layers[i].name for i in (*gap.sources, *gap.targets)] == ["2.gain", "2.sort"]
    row = graph.coverage().filter(parameter="2: sort")
    assert row["outcome"].to_list() == ["not understood"]
    assert "not understood: 2: sort" in repr(graph)


def test_only_measures_that_need_the_edges_across_a_gap_are_refused() -> None:
    graph = gapped()
    with pytest.raises(IncompleteGraphError, match="2: sort"):
        sx.measures.strength(graph)
    with pytest.raises(IncompleteGraphError, match="2: sort"):
        sx.measures.subgraph_centrality(graph, neurons=[0])
    chosen = torch.arange(graph.offsets[2])
    plain = sx.graph([graph.links[0].to_dense(), graph.links[1].to_dense()])
    torch.testing.assert_close(sx.measures.strength(graph, neurons=chosen), sx.measures.strength(plain, neurons=chosen))
    table = sx.measure(graph, ["strength", "laplacian_centrality", "maximal_cliques"], undefined="null", edges="signed")
    by_layer = {name: part for (name,), part in table.group_by("layer_name", maintain_order=True)}
    empty = {name: part["strength"].null_count() == len(part) for name, part in by_layer.items()}
    assert empty == {"input": False, "0": False, "1": False, "2.gain": True, "2.sort": True, "3": False, "5": False}
    assert by_layer["1"]["laplacian_centrality"].null_count() == 3
    assert by_layer["0"]["laplacian_centrality"].null_count() == 0
    assert table["maximal_cliques"].null_count() == len(table)
    assert "2: sort" in by_layer["2.sort"]["reason"][0]


def test_a_normalisation_has_its_gain_and_its_bias() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3))
    graph = trace(model)
    torch.testing.assert_close(graph.links[1].to_dense(), torch.diag(model[1].weight.detach()))
    torch.testing.assert_close(graph.biases[2], model[1].bias.detach())


def test_composed_normalisations_are_their_gain() -> None:
    def layer_norm(m: Model, x: Tensor) -> Tensor:
        x = m.a(x)
        mean = x.mean(-1, keepdim=True)
        scale = (x - mean).pow(2).mean(-1, keepdim=True)
        return (x - mean) / torch.sqrt(scale + 1e-5) * m.w + m.b

    def rms_norm(m: Model, x: Tensor) -> Tensor:
        x = m.a(x)
        return m.w * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5)) + m.b

    def unit_length(m: Model, x: Tensor) -> Tensor:
        return F.normalize(m.a(x), dim=-1) * m.w + m.b

    for run in (layer_norm, rms_norm, unit_length):
        model = Model(run, a=nn.Linear(4, 3), w=weights(3), b=weights(3))
        graph = trace(model)
        assert [layer.name for layer in graph.layers] == ["input", "a", "w"]
        torch.testing.assert_close(graph.links[1].to_dense(), torch.diag(model.w.detach()))
        torch.testing.assert_close(graph.biases[2], model.b.detach())


def test_a_product_of_layers_passes_each_by_weight_one() -> None:
    graph = trace(Model(lambda m, x: m.a(x) * m.b(x).sigmoid(), a=nn.Linear(4, 3), b=nn.Linear(4, 3)))
    assert [layer.name for layer in graph.layers] == ["input", "a", "b", "mul"]
    for link in graph.links[2:]:
        torch.testing.assert_close(link.to_dense(), torch.eye(3, dtype=torch.float64))


def test_arguments_may_be_given_by_name() -> None:
    model = TwoInputs(lambda m, x, y: m.a(x) + m.b(y), a=nn.Linear(4, 3), b=nn.Linear(2, 3))
    by_name = trace(model, {"y": torch.zeros(1, 2), "x": torch.zeros(1, 4)})
    assert [layer.name for layer in by_name.layers] == ["x", "y", "a + b"]


def test_tracing_runs_on_tensors_without_values() -> None:
    seen = []

    def run(model: Model, x: Tensor) -> Tensor:
        seen.extend([type(x).__name__, type(model.a.weight).__name__])
        return model.a(x)

    model = Model(run, a=nn.Linear(4, 3))
    graph = trace(model)
    assert set(seen) == {"FakeTensor"}
    assert graph.links[0].to_dense().data_ptr() == model.a.weight.data_ptr()
