"""A module is watched whatever it is made of, and left as it was."""

import pickle
import weakref

import polars as pl
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from synaplex.errors import SpecificationError, UndefinedMeasureError, UnknownNameError
from synaplex.measures.activity import activity, neurons_activation, neurons_strength
from synaplex.measures.activity.functions import FUNCTIONS


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class Plain(nn.Module):
    """Two dense layers with any function of the tensor between them."""

    def __init__(self, function):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.first, self.second = nn.Linear(4, 6), nn.Linear(6, 2)
        self.function = function

    def forward(self, x):
        return self.second(self.function(self.first(x)))


class Square(nn.Module):
    """An activation function of its own making."""

    def forward(self, x):
        return x**2


CASES = {
    "module": (nn.ReLU(), torch.relu, "relu"),
    "in place": (nn.ReLU(inplace=True), torch.relu, "relu"),
    "function": (functional.relu, torch.relu, "relu"),
    "torch": (torch.sigmoid, torch.sigmoid, "sigmoid"),
    "method": (lambda x: x.tanh(), torch.tanh, "tanh"),
    "method in place": (lambda x: x.relu_(), torch.relu, "relu"),
    "by keyword": (lambda x: functional.gelu(input=x), functional.gelu, "gelu"),
    "own module": (Square(), torch.square, "square"),
    "through dropout": (nn.Sequential(nn.Dropout(0.5), nn.SiLU()), functional.silu, "silu"),
    "with parameters": (nn.PReLU(), lambda x: functional.prelu(x, torch.tensor([0.25])), "prelu"),
    "identity": (nn.Identity(), lambda x: x, None),
    "of another tensor": (lambda x: torch.relu(x + 1), lambda x: x, None),
    "leaky": (nn.LeakyReLU(0.1), lambda x: functional.leaky_relu(x, 0.1), "leaky_relu"),
}


@pytest.mark.parametrize("case", CASES)
def test_activation_functions_are_noticed_however_they_are_called(case):
    function, expected, name = CASES[case]
    module, x = Plain(function), random(9, 4)
    strength = module.first(x).detach()
    row = activity(module, x).layers().row(1, named=True)
    assert row["function"] == name
    torch.testing.assert_close(neurons_strength(module, x, "first")[:, 0], strength)
    torch.testing.assert_close(neurons_activation(module, x, "first")[:, 0], expected(strength.clone()))


def test_every_function_with_bounds_or_a_floor_is_known():
    known = set(FUNCTIONS.values())
    assert {"relu", "relu6", "sigmoid", "tanh", "hardtanh", "hardsigmoid", "softsign", "gelu", "elu"} <= known


def test_a_module_is_left_as_it_was():
    module = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Dropout(0.5), nn.Linear(5, 2))
    module.train()
    module[3].eval()
    modes = [one.training for one in module.modules()]
    state = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    drawn = torch.random.get_rng_state()
    activity(module, random(20, 4), batch_size=7)
    assert [one.training for one in module.modules()] == modes
    assert torch.equal(torch.random.get_rng_state(), drawn)
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, state[name])
    for one in module.modules():
        assert not one._forward_hooks
        assert not one._forward_pre_hooks
    assert module(random(3, 4)).requires_grad
    assert all(parameter.grad is None for parameter in module.parameters())


def test_a_module_that_fails_is_named_and_left_as_it_was():
    module = nn.Sequential(nn.Linear(4, 5), nn.Sequential(nn.ReLU(), nn.Linear(6, 2)))
    module.train()
    with pytest.raises(SpecificationError, match=r"inputs of shapes \[\(1, 4\)\]; in submodule '1.1'") as caught:
        activity(module, random(3, 4))
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert all(one.training and not one._forward_hooks and not one._forward_pre_hooks for one in module.modules())


def test_memory_does_not_grow_with_the_sample():
    module = nn.Sequential(nn.Linear(4, 30), nn.ReLU(), nn.Linear(30, 2))
    small, large = (len(pickle.dumps(activity(module, random(n, 4), batch_size=16))) for n in (32, 3200))
    assert large <= small + 100


def test_outputs_are_not_held_while_the_pass_goes_on():
    class Forgetful(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
            self.freed = []

        def forward(self, x):
            signal = self.first(x)
            gone = weakref.ref(signal)
            signal = self.second(torch.relu(signal))
            self.freed.append(gone() is None)
            return signal

    module = Forgetful()
    activity(module, random(8, 4))
    assert all(module.freed)


def test_what_is_not_a_number_is_named():
    module = nn.Sequential(nn.Linear(2, 4, bias=False), nn.ReLU(), nn.Linear(4, 3))
    with torch.no_grad():
        module[0].weight.copy_(torch.tensor([[1.0, 0], [0, float("inf")], [1, 1], [0, 1]]))
        module[2].weight.fill_(0.0)
    x = torch.tensor([[1.0, 1], [1, 2], [0, 3]])
    with pytest.raises(UndefinedMeasureError, match="layer '0': the strength of neuron 1 is nan, first for sample 0"):
        activity(module, torch.zeros(3, 2), batch_size=2)
    with pytest.raises(UndefinedMeasureError, match="layer '0': the strength of neuron 1 is inf, first for sample 0"):
        activity(module, x, batch_size=2)
    with pytest.raises(UndefinedMeasureError, match="first for sample 2"):
        activity(module, torch.tensor([[1.0, 1], [1, 1], [1, 1]]).float().index_fill(0, torch.tensor(2), torch.nan))
    seen = activity(module, x, undefined="null")
    table = seen.neurons().filter(pl.col("layer") == 1)
    assert table["reason"].is_not_null().to_list() == [False, True, False, False]
    assert table["strength_mean"].is_null().to_list() == [False, True, False, False]
    assert table["dead"].is_null().to_list() == [False, True, False, False]
    assert table["strength_mean"].to_list()[0] == pytest.approx(2 / 3)
    layer = seen.layers().row(1, named=True)
    assert "not finite" in layer["reason"]
    assert layer["strength_mean"] is None


def test_dead_and_saturated_units():
    module = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3), nn.Sigmoid())
    with torch.no_grad():
        module[0].weight.copy_(torch.tensor([[1.0, 0], [-1, -1], [0, 1], [1, -1]]))
        module[0].bias.copy_(torch.tensor([0.0, 0, -5, 0]))
        module[2].weight.copy_(torch.tensor([[100.0, 0, 0, 0], [0.1, 0, 0, 0], [-100, 0, 0, 0]]))
        module[2].bias.zero_()
    x = torch.rand(100, 2, generator=torch.Generator().manual_seed(0)) + 0.1
    table = activity(module, x, batch_size=30).neurons()
    first, second = (table.filter(pl.col("layer") == layer) for layer in (1, 2))
    assert first["dead"].to_list() == [False, True, True, False]
    assert first["zeros"].to_list()[:3] == [0, 1, 1]
    assert first["saturated"].null_count() == 4
    assert second["saturated"].to_list() == [True, False, True]
    assert second["high"].to_list()[0] == 1
    assert second["low"].to_list()[2] == 1
    assert second["dead"].null_count() == 3
    layers = activity(module, x).layers()
    assert layers["dead"].to_list() == [None, 2, None]
    assert layers["saturated"].to_list() == [None, None, 2]


class Attentive(nn.Module):
    """Tokens, attention, norms, a module called twice, one that is never called, and a table of its own."""

    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.zeros(7, 8))
        self.embedding = nn.Embedding(11, 8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm = nn.LayerNorm(8)
        self.shared = nn.Linear(8, 8)
        self.spare = nn.Linear(3, 3)
        self.weighted = parametrizations.weight_norm(nn.Linear(8, 5))

    def forward(self, tokens):
        x = self.embedding(tokens) + self.table
        x = self.norm(x + self.attention(x, x, x)[0])
        x = torch.relu(self.shared(torch.tanh(self.shared(x))))
        return self.weighted(x.mean(1))


def test_any_module_is_read_and_every_parameter_accounted_for():
    module = Attentive()
    tokens = torch.randint(11, (6, 7), generator=torch.Generator().manual_seed(0))
    seen = activity(module, tokens)
    assert seen.layers().select("layer_name", "neurons", "steps", "function").rows() == [
        ("embedding", 8, None, None),
        ("attention", 8, None, None),
        ("norm", 8, None, None),
        ("shared", 8, 2, "tanh, relu"),
        ("weighted", 5, None, None),
    ]
    calls = seen.neurons().filter(pl.col("layer_name") == "shared")
    assert calls["dead"].null_count() == calls["saturated"].null_count() == 8
    assert set(seen.neurons().filter(pl.col("layer_name") == "norm")["samples"]) == {42}
    coverage = {row["parameter"]: row for row in seen.coverage().iter_rows(named=True)}
    assert set(coverage) == {name for name, _ in module.named_parameters()}
    assert coverage["attention.in_proj_weight"]["layer"] == "attention"
    assert coverage["weighted.parametrizations.weight.original0"]["layer"] == "weighted"
    assert coverage["table"]["layer"] is None
    assert all((row["layer"] is None) == (row["reason"] is not None) for row in coverage.values())


class Moody(nn.Module):
    """Does one thing to small samples and another to large ones."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x):
        return torch.relu(self.layer(x)) if float(x.abs().max()) < 1 else torch.tanh(self.layer(x))


def test_a_module_that_changes_its_mind_is_refused():
    with pytest.raises(SpecificationError, match="'layer' has the activation function relu for one sample and tanh"):
        activity(Moody(), torch.arange(9.0).view(3, 3) / 4, batch_size=1)


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.ones(3))
        self.shared, self.last, self.spare = nn.Linear(3, 3), nn.Linear(3, 2), nn.Linear(3, 3)

    def forward(self, x):
        return self.last(torch.relu(self.shared(torch.relu(self.shared(x * self.table)))))


def test_a_module_called_twice_has_two_steps_and_one_that_returns_anothers_output_is_no_layer():
    module, x = Twice(), random(5, 3)
    seen = activity(module, x)
    assert seen.layer_names == ("input", "shared", "last")
    assert seen.layers()["steps"].to_list() == [None, 2, None]
    assert seen.neurons().filter(pl.col("layer_name") == "shared")["step"].to_list() == [0, 0, 0, 1, 1, 1]
    first = module.shared(x)
    torch.testing.assert_close(neurons_strength(module, x, "shared")[:, 1], module.shared(first.relu()).detach())
    reasons = dict(seen.coverage().select("parameter", "reason").rows())
    assert reasons["table"] == "gives what 'last' gives"
    assert "not called" in reasons["spare.weight"]
    assert reasons["shared.bias"] is None


def test_images_and_positions():
    module = nn.Sequential(nn.Conv2d(1, 3, 2), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(27, 2))
    x = random(8, 1, 4, 4)
    seen, pooled = (activity(module, x, positions=positions) for positions in ("neurons", "pool"))
    assert seen.layers()["shape"].to_list() == ["1x4x4", "3x3x3", "3x3x3", "2"]
    assert pooled.layers()["shape"].to_list() == ["1x4x4", "3", "3", "2"]
    channels = neurons_strength(module, x, "0").view(8, 3, 9).double()
    means = pooled.neurons().filter(pl.col("layer_name") == "0")["strength_mean"].to_numpy()
    torch.testing.assert_close(torch.from_numpy(means.copy()), channels.mean((0, 2)))
    assert seen.layers()["strength_mean"].to_numpy() == pytest.approx(pooled.layers()["strength_mean"].to_numpy())
    assert seen.layers()["function"].to_list() == [None, None, "relu", None]


def test_several_inputs_and_inputs_by_keyword():
    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 2)

        def forward(self, a, b):
            return {"out": self.layer(a + b)}

    module, a, b = Sum(), random(4, 3), random(4, 3, seed=1)
    in_order, by_name = activity(module, [a, b]).neurons(), activity(module, {"a": a, "b": b}).neurons()
    assert in_order.equals(by_name)
    torch.testing.assert_close(
        torch.tensor(in_order["strength_mean"].to_list()), module.layer(a + b).mean(0).detach(), check_dtype=False
    )


def test_half_precision_is_summed_in_double():
    module = nn.Linear(300, 4).to(torch.bfloat16)
    x = random(500, 300).to(torch.bfloat16)
    table = activity(module, x).neurons().filter(pl.col("layer") == 1)
    expected = module(x).detach().double()
    assert table["strength_variance"].to_numpy() == pytest.approx(expected.var(0, correction=0).numpy(), rel=1e-12)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"layers": ["frist"]}, UnknownNameError, "unknown layer 'frist'; did you mean 'first'"),
        ({"sample": 10}, SpecificationError, "10 samples asked, 9 there"),
        ({"batch_size": 0}, SpecificationError, "batch_size is at least 1"),
        ({"inputs": torch.zeros(0, 4)}, SpecificationError, "inputs need samples"),
        ({"inputs": [torch.zeros(3, 4), torch.zeros(2, 4)]}, SpecificationError, "as many in each"),
        ({"inputs": torch.zeros(3, 5)}, SpecificationError, "in submodule 'first'"),
    ],
)
def test_what_makes_no_sense_is_refused(change, error, message):
    arguments = {"inputs": random(9, 4), **change}
    with pytest.raises(error, match=message):
        activity(Plain(nn.ReLU()), **arguments)


def test_values_are_kept_only_if_asked_for_and_few(monkeypatch):
    module, x = Plain(nn.ReLU()), random(9, 4)
    with pytest.raises(SpecificationError, match="were not kept"):
        activity(module, x).values("first")
    with pytest.raises(UnknownNameError, match="unknown layer 'third'"):
        activity(module, x).values("third")
    monkeypatch.setattr("synaplex.measures.activity.collect.LARGEST_KEPT", 100)
    with pytest.raises(SpecificationError, match="would keep 144 values"):
        activity(module, x, keep_values=True)


def test_parameters_without_values_are_refused():
    with pytest.raises(SpecificationError, match=r"parameter '0.weight' has no values"):
        activity(nn.Sequential(nn.Linear(4, 2, device="meta")), random(3, 4))
    with pytest.raises(SpecificationError, match="has no values"):
        activity(nn.Sequential(nn.LazyLinear(2)), random(3, 4))
