"""The batched, hand-written training equals single networks trained with autograd."""

import pytest
import torch

from synaplex.datasets import load
from synaplex.errors import SpecificationError
from synaplex.networks import Kaiming, mlp
from synaplex.population import SGD, Adam, PopulationSpec, Trainer
from tests.population.reference import regression, train_single

SEEDS = (3, 17, 5)
PLAIN = (SGD(), lambda parameters: torch.optim.SGD(parameters, lr=0.01))
MOMENTUM = (
    SGD(learning_rate=0.02, momentum=0.9),
    lambda parameters: torch.optim.SGD(parameters, lr=0.02, momentum=0.9),
)
ADAM = (Adam(learning_rate=0.005), lambda parameters: torch.optim.Adam(parameters, lr=0.005))


@pytest.fixture(scope="module")
def digits():
    return load("digits").subset(train=230, test=90)


def trained(spec, data, seeds):
    """The trainer after all epochs, and its scores, ``(networks, epochs, 4)``."""
    trainer = Trainer(spec, data, seeds)
    history = []
    for _ in range(spec.epochs):
        scores = trainer.epoch()
        kinds = (scores.train_loss, scores.train_accuracy, scores.test_loss, scores.test_accuracy)
        history.append(torch.stack([torch.zeros(len(seeds)) if kind is None else kind for kind in kinds], dim=1))
    return trainer, torch.stack(history, dim=1)


def assert_same_networks(trainer, history, spec, data, make_optimizer, *, rtol, atol):
    for k, seed in enumerate(SEEDS):
        single, expected = train_single(spec, data, seed, make_optimizer)
        linears = [module for module in single if isinstance(module, torch.nn.Linear)]
        for weight, linear in zip(trainer.weights, linears, strict=True):
            torch.testing.assert_close(weight[k], linear.weight.detach(), rtol=rtol, atol=atol)
        for bias, linear in zip(trainer.biases, linears if spec.network.bias else [], strict=True):
            torch.testing.assert_close(bias[k], linear.bias.detach(), rtol=rtol, atol=atol)
        torch.testing.assert_close(history[k].double(), expected, rtol=rtol, atol=atol)


@pytest.mark.parametrize(("optimizer", "make_optimizer"), [PLAIN, MOMENTUM, ADAM], ids=["sgd", "momentum", "adam"])
@pytest.mark.parametrize("bias", [False, True], ids=["no bias", "bias"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "linear"])
def test_equals_single_networks_in_float64(digits, activation, bias, optimizer, make_optimizer):
    # 230 samples in batches of 50: the last batch of an epoch is not full.
    spec = PopulationSpec(
        dataset="digits",
        network=mlp(64, 12, 9, 10, activation=activation, bias=bias),
        optimizer=optimizer,
        epochs=3,
        batch_size=50,
        dtype="float64",
    )
    trainer, history = trained(spec, digits, SEEDS)
    assert_same_networks(trainer, history, spec, digits, make_optimizer, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(("optimizer", "make_optimizer"), [PLAIN, MOMENTUM, ADAM], ids=["sgd", "momentum", "adam"])
def test_equals_single_networks_in_float32(digits, optimizer, make_optimizer):
    spec = PopulationSpec(
        dataset="digits",
        network=mlp(64, 12, 9, 10),
        optimizer=optimizer,
        epochs=3,
        batch_size=50,
        shared_stream=True,
    )
    trainer, history = trained(spec, digits, SEEDS)
    assert_same_networks(trainer, history, spec, digits, make_optimizer, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("widths", [(6, 2), (6, 5, 2), (6, 5, 4, 3, 2)])
def test_regression_equals_single_networks(widths):
    data = regression()
    spec = PopulationSpec(
        dataset="random",
        network=mlp(*widths, activation="tanh", bias=True),
        initializer=Kaiming(),
        epochs=4,
        batch_size=16,
        dtype="float64",
    )
    trainer, history = trained(spec, data, SEEDS)
    assert_same_networks(trainer, history, spec, data, PLAIN[1], rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("optimizer", [PLAIN[0], MOMENTUM[0], ADAM[0]], ids=["sgd", "momentum", "adam"])
@pytest.mark.parametrize("company", [[], [1], range(20, 40)], ids=["alone", "beside one", "in a crowd"])
def test_a_network_is_the_same_whatever_it_is_trained_beside(digits, optimizer, company):
    spec = PopulationSpec(dataset="digits", network=mlp(64, 32, 16, 10, bias=True), optimizer=optimizer, epochs=2)
    reference, expected = trained(spec, digits, [17, 4, 99])
    trainer, history = trained(spec, digits, [*company, 17])
    for weight, other in zip(trainer.weights, reference.weights, strict=True):
        torch.testing.assert_close(weight[-1], other[0], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(history[-1], expected[0], rtol=1e-5, atol=1e-6)


def test_the_order_of_batches_is_part_of_the_specification(digits):
    def final(data_seed):
        spec = PopulationSpec(dataset="digits", network=mlp(64, 8, 10), epochs=1, data_seed=data_seed)
        return trained(spec, digits, [1])[0].weights[0]

    assert torch.equal(final(0), final(0))
    assert not torch.equal(final(0), final(1))


def test_the_untrained_network_is_scored_on_all_data(digits):
    spec = PopulationSpec(dataset="digits", network=mlp(64, 8, 10))
    scores = Trainer(spec, digits, [6]).untrained()
    module = mlp(64, 8, 10).build(6)
    with torch.no_grad():
        for loss, accuracy, x, y in (
            (scores.train_loss, scores.train_accuracy, digits.x_train, digits.y_train),
            (scores.test_loss, scores.test_accuracy, digits.x_test, digits.y_test),
        ):
            outputs = module(x)
            assert loss.item() == pytest.approx(torch.nn.functional.cross_entropy(outputs, y).item(), rel=1e-5)
            assert accuracy.item() == pytest.approx((outputs.argmax(1) == y).double().mean().item())


def test_equal_outputs_count_as_the_first_class(digits):
    spec = PopulationSpec(dataset="digits", network=mlp(64, 8, 10))
    trainer = Trainer(spec, digits, [6, 7])
    for weight in trainer.weights:
        weight.zero_()
    expected = (digits.y_test == 0).double().mean().item()
    assert trainer.untrained().test_accuracy.tolist() == pytest.approx([expected] * 2)


def test_training_leaves_the_global_random_state_alone(digits):
    before = torch.random.get_rng_state()
    trained(PopulationSpec(dataset="digits", network=mlp(64, 8, 10), epochs=1), digits, [1, 2])
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_network_that_does_not_fit_the_data_is_refused(digits):
    with pytest.raises(SpecificationError, match=r"64-8-9 does not fit .* needs 64 inputs and 10 outputs"):
        Trainer(PopulationSpec(dataset="digits", network=mlp(64, 8, 9)), digits, [1])
