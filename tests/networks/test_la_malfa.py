import math

import pytest
import torch
from torch import nn

from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.networks import (
    CNN,
    MLP,
    Normal,
    Uniform,
    la_malfa_2021,
    la_malfa_2021_initializer,
    la_malfa_2024,
    la_malfa_2024_initializer,
)


def kinds(network):
    return [type(module) for module in network.build() if next(module.parameters(), None) is not None]


@pytest.mark.parametrize("parameters", [10_000, 100_000])
@pytest.mark.parametrize("dataset", ["digits", "mnist", "cifar10"])
def test_families_of_2021_have_their_layers_and_orders_of_parameters(parameters, dataset):
    dense, convolutional = la_malfa_2021("dense", parameters, dataset), la_malfa_2021("cnn", parameters, dataset)
    assert kinds(dense) == [nn.Linear] * 4
    assert kinds(convolutional) == [nn.Conv2d] * 2 + [nn.Linear] * 2
    for network in (dense, convolutional):
        assert network.bias
        assert network.activation == "relu"
        assert abs(network.parameters / parameters - 1) < 0.15


@pytest.mark.parametrize("dataset", ["digits", "cifar10"])
def test_the_network_of_the_individual_analysis_has_six_layers(dataset):
    network = la_malfa_2021("cnn", 100_000, dataset, convolutions=4)
    assert kinds(network) == [nn.Conv2d] * 4 + [nn.Linear] * 2
    assert isinstance(network, CNN)


@pytest.mark.parametrize("dataset", ["mnist", "cifar10"])
def test_networks_of_2024_have_comparable_numbers_of_parameters(dataset):
    for architecture, depths in (
        ("dense", (3, 5, 7, 9)),
        ("autoencoder", (3, 5, 7, 9)),
        ("cnn", (3, 5)),
        ("rnn", (3,)),
    ):
        for depth in depths:
            network = la_malfa_2024(architecture, depth, "sigmoid", dataset)
            assert abs(network.parameters / 100_000 - 1) < 0.05
            assert network.activation == "sigmoid"
            if architecture in ("dense", "autoencoder"):
                assert len(network.widths) == depth
            if architecture == "autoencoder":
                assert network.widths == network.widths[::-1]
                assert min(network.widths) == network.widths[depth // 2]
                assert network.output_activation == "sigmoid"
            if architecture == "cnn":
                assert kinds(network) == [nn.Conv2d] * (depth - 2) + [nn.Linear]
    assert la_malfa_2024("autoencoder", 3, "relu").output_activation == "linear"
    assert isinstance(la_malfa_2024("dense", 3, "linear"), MLP)


def test_initializers_are_on_the_stated_scales():
    assert la_malfa_2021_initializer("normal", 0.5) == Normal(std=0.5)
    assert la_malfa_2021_initializer("uniform", 0.05) == Uniform(low=-0.05, high=0.05)
    assert la_malfa_2024_initializer("mnist").std == math.sqrt(0.05)
    assert la_malfa_2024_initializer("cifar10-grey").std == math.sqrt(0.5)
    assert la_malfa_2024_initializer("cifar10", reading="std").std == 0.5
    weights = la_malfa_2024("dense").build(0, la_malfa_2024_initializer("mnist"))[0].weight.detach()
    torch.testing.assert_close(float(weights.var()), 0.05, rtol=0.02, atol=0)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: la_malfa_2021("fc"), UnknownNameError, "unknown architecture 'fc'"),
        (lambda: la_malfa_2021("dense", dataset="cifar-10"), UnknownNameError, "did you mean 'cifar10"),
        (lambda: la_malfa_2021("cnn", convolutions=3), SpecificationError, "2 or 4 convolutions"),
        (lambda: la_malfa_2021("cnn", 100), SpecificationError, "no such network has about 100 parameters"),
        (lambda: la_malfa_2021_initializer("normal", 0.0), SpecificationError, "std"),
        (lambda: la_malfa_2021_initializer("gauss", 1.0), UnknownNameError, "gauss"),
        (lambda: la_malfa_2024("dense", 2), SpecificationError, "at least 3"),
        (lambda: la_malfa_2024("autoencoder", 4), SpecificationError, "odd number of layers"),
        (lambda: la_malfa_2024("rnn", 5), SpecificationError, "one recurrent layer"),
        (lambda: la_malfa_2024("lstm"), UnknownNameError, "lstm"),
        (lambda: la_malfa_2024_initializer("mnist", reading="sd"), UnknownNameError, "sd"),
    ],
)
def test_what_cannot_be_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_states_of_recurrent_networks_of_2024_stay_in_bounds():
    for activation, recurrence in (("linear", "orthogonal"), ("relu", "orthogonal"), ("sigmoid", "drawn")):
        network = la_malfa_2024("rnn", 3, activation, "cifar10")
        assert network.recurrence == recurrence
        x = network.arrange(torch.rand(4, network.inputs, generator=torch.Generator().manual_seed(0)))
        outputs = network.build(0, la_malfa_2024_initializer("cifar10"))(x).detach()
        assert float(outputs.abs().max()) < 1e5  # drawn at this variance: some 1e30 after 32 steps
