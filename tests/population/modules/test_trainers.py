"""Training is that of plain PyTorch, whatever the networks are trained beside."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from synaplex.networks import Activation, Normal, autoencoder
from synaplex.population import SGD, Adam
from synaplex.population.modules import TrainingSpec
from synaplex.population.modules.objectives import objective
from synaplex.population.modules.trainers import DenseTrainer, LoopTrainer, trainer
from tests.population.modules.conftest import NETWORKS

OPTIMIZERS = {
    "sgd": (SGD(learning_rate=0.1), lambda p: torch.optim.SGD(p, lr=0.1)),
    "momentum": (SGD(learning_rate=0.05, momentum=0.9), lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9)),
    "adam": (Adam(learning_rate=0.01), lambda p: torch.optim.Adam(p, lr=0.01)),
}


def make(network, optimizer, objective=None):
    return TrainingSpec(
        dataset="random",
        network=network,
        steps=5,
        optimizer=optimizer,
        objective=objective,
        initializer=Normal(std=0.2),
        biases="weights",
        dtype="float64",
    )


def batches(reconstructs, size=30):
    generator = torch.Generator().manual_seed(0)
    for _ in range(5):
        x = torch.rand(size, 64, generator=generator, dtype=torch.float64)
        yield x, x if reconstructs else torch.randint(10, (size,), generator=generator)


LOSSES = {
    "cross_entropy": functional.cross_entropy,
    "mean_squared_error": functional.mse_loss,
    "binary_cross_entropy": functional.binary_cross_entropy,
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("kind", [*NETWORKS, "binary autoencoder"])
def test_steps_are_those_of_pytorch(kind, optimizer):
    ours, theirs = OPTIMIZERS[optimizer]
    binary = "binary_cross_entropy" if kind.startswith("binary") else None
    spec = make(NETWORKS[kind.split()[-1]], ours, binary)
    seeds = (3, 8)
    runner = trainer(spec, seeds)
    assert isinstance(runner, DenseTrainer if kind.split()[-1] in ("dense", "autoencoder") else LoopTrainer)
    modules = [spec.network.build(seed, spec.initializer, biases="weights").double() for seed in seeds]
    peers = [theirs(module.parameters()) for module in modules]
    for x, y in batches(spec.reconstructs):
        score = runner.step(x, y)
        for place, (module, peer) in enumerate(zip(modules, peers, strict=True)):
            output = module(spec.network.arrange(x))
            loss = LOSSES[spec.objective](output, y)
            torch.testing.assert_close(score.loss[place] / len(x), loss.detach())
            if not spec.reconstructs:
                assert int(score.hits[place]) == int((output.argmax(1) == y).sum())
            peer.zero_grad()
            loss.backward()
            peer.step()
    for name, value in runner.parameters.items():
        for place, module in enumerate(modules):
            torch.testing.assert_close(value[place], module.get_parameter(name).detach())
    assert runner.finite().all()


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_network_does_not_depend_on_those_beside_it(kind):
    spec = TrainingSpec(
        dataset="random", network=NETWORKS[kind], steps=5, optimizer="adam", initializer=Normal(std=0.2)
    )
    together, alone = trainer(spec, (3, 8, 5)), trainer(spec, (8,))
    for x, y in batches(spec.reconstructs):
        first, second = (one.step(x.float(), y.float() if spec.reconstructs else y) for one in (together, alone))
        torch.testing.assert_close(first.loss[1:2], second.loss)
    for name, value in together.parameters.items():
        # Products of stacked matrices may round otherwise than those of a few; a loop does not.
        exact = {} if isinstance(together, DenseTrainer) else {"rtol": 0, "atol": 0}
        torch.testing.assert_close(value[1], alone.parameters[name][0], **exact)


@pytest.mark.parametrize("output", ["linear", "relu", "sigmoid", "tanh"])
@pytest.mark.parametrize("name", ["mean_squared_error", "binary_cross_entropy"])
def test_derivatives_are_those_of_the_loss(name, output: Activation):
    if name == "binary_cross_entropy" and output != "sigmoid":
        pytest.skip("needs a sigmoid")
    generator = torch.Generator().manual_seed(1)
    outputs = torch.randn(2, 5, 7, generator=generator, dtype=torch.float64, requires_grad=True)
    targets = torch.rand(7, 5, generator=generator, dtype=torch.float64)
    function = {"linear": lambda z: z, "relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}[output]
    pointwise = {"mean_squared_error": functional.mse_loss, "binary_cross_entropy": functional.binary_cross_entropy}[
        name
    ]
    loss = pointwise(function(outputs), targets.T.expand(2, 5, 7), reduction="none").mean(1).sum(1)
    (gradient,) = torch.autograd.grad(loss.sum(), outputs)
    score = objective(name, output)(outputs.detach().clone(), targets)
    torch.testing.assert_close(score.loss, loss.detach())
    torch.testing.assert_close(score.delta, gradient)


def test_parameters_come_in_the_order_and_by_the_names_of_the_module():
    for network in (*NETWORKS.values(), autoencoder(64, 20, 9, 3)):
        spec = TrainingSpec(dataset="random", network=network, steps=1)
        names = [name for name, _ in network.skeleton().named_parameters()]
        assert list(trainer(spec, (1, 2)).parameters) == names


def test_what_is_read_is_a_copy():
    spec = TrainingSpec(dataset="random", network=NETWORKS["dense"], steps=1)
    runner = trainer(spec, (1, 2))
    for value in runner.parameters.values():
        value.zero_()
    assert isinstance(spec.network.skeleton(), nn.Sequential)
    assert all(bool(value.any()) for name, value in runner.parameters.items() if name.endswith("weight"))
