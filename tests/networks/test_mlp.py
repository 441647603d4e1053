import pytest
import torch
from torch import nn

from synaplex.errors import SpecificationError
from synaplex.networks import mlp


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(
    ("activation", "function"), [("relu", torch.relu), ("tanh", torch.tanh), ("linear", lambda x: x)]
)
def test_the_module_computes_what_its_matrices_say(bias, activation, function):
    network = mlp(4, 3, 2, activation=activation, bias=bias)
    generator = torch.Generator().manual_seed(0)
    weights = [torch.randn(3, 4, generator=generator), torch.randn(2, 3, generator=generator)]
    biases = [torch.randn(3, generator=generator), torch.randn(2, generator=generator)] if bias else None
    x = torch.randn(5, 4, generator=generator)
    first, second = biases or (0.0, 0.0)
    expected = function(x @ weights[0].T + first) @ weights[1].T + second
    torch.testing.assert_close(network.to_module(weights, biases)(x), expected)


def test_the_module_owns_its_weights():
    weights = [torch.ones(2, 3)]
    module = mlp(3, 2).to_module(weights)
    weights[0].zero_()
    assert module[0].weight.detach().eq(1).all()


def test_building_leaves_the_global_random_state_alone():
    before = torch.random.get_rng_state()
    mlp(64, 32, 10, bias=True).build(seed=3)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_parameters_are_counted_as_torch_counts_them():
    for bias in (False, True):
        network = mlp(7, 5, 3, bias=bias)
        assert network.parameters == sum(p.numel() for p in network.build().parameters())


def test_only_layers_and_activations_in_their_order():
    kinds = [type(module) for module in mlp(4, 3, 3, 2, activation="sigmoid").build()]
    assert kinds == [nn.Linear, nn.Sigmoid, nn.Linear, nn.Sigmoid, nn.Linear]


def test_weights_of_other_shapes_are_refused():
    with pytest.raises(SpecificationError, match=r"\(2, 3\)"):
        mlp(3, 2).to_module([torch.ones(3, 2)])
    with pytest.raises(SpecificationError, match="no biases"):
        mlp(3, 2).to_module([torch.ones(2, 3)], [torch.ones(2)])
