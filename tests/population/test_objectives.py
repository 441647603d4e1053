"""The two losses over classes, beside autograd."""

import pytest
import torch

from synaplex.datasets import load
from synaplex.networks import mlp
from synaplex.population import PopulationSpec, Trainer
from synaplex.population.objectives import CLIPPED, IMPOSSIBLE, clipped_cross_entropy, cross_entropy

GENERATOR = torch.Generator().manual_seed(0)
TARGETS = torch.randint(0, 5, (40,), generator=GENERATOR)


def outputs(size: float) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return (size * torch.randn(3, 5, 40, generator=generator, dtype=torch.float64)).requires_grad_()


@pytest.mark.parametrize("size", [0.1, 3.0, 30.0, 300.0])
def test_exact_and_clipped_losses_are_those_of_autograd(size: float) -> None:
    for objective, clip in ((cross_entropy, False), (clipped_cross_entropy, True)):
        values = outputs(size)
        index = TARGETS.expand(3, 1, 40)
        if clip:
            chosen = values.softmax(1).gather(1, index).clamp(CLIPPED, 1 - CLIPPED).log()
        else:
            chosen = values.log_softmax(1).gather(1, index)
        (-chosen).sum().backward()
        found = objective(values.detach().clone(), TARGETS)
        torch.testing.assert_close(found.loss, -chosen.detach().sum((1, 2)))
        torch.testing.assert_close(found.delta, values.grad, rtol=1e-6, atol=1e-12)
        assert found.hits is not None
        assert torch.equal(found.hits, (values.argmax(1) == TARGETS).sum(1))


def test_what_is_clipped_teaches_nothing_and_the_rest_as_before() -> None:
    values = outputs(30.0).detach()
    chosen = values.log_softmax(1).gather(1, TARGETS.expand(3, 1, 40))[:, 0].exp()
    beyond = (chosen < CLIPPED) | (chosen > 1 - CLIPPED)
    assert 0 < int(beyond.sum()) < beyond.numel()
    exact, clipped = cross_entropy(values, TARGETS), clipped_cross_entropy(values, TARGETS)
    for network in range(3):
        assert not clipped.delta[network][:, beyond[network]].any()
        inside = ~beyond[network]
        assert torch.equal(clipped.delta[network][:, inside], exact.delta[network][:, inside])


def test_impossible_classes_are_exactly_zero_and_no_number_is_subnormal() -> None:
    values = torch.tensor([[[0.0], [IMPOSSIBLE - 20.0], [-3.0]]])
    delta = cross_entropy(values, torch.tensor([0])).delta[0, :, 0]
    assert delta[1] == 0
    assert all(value == 0 or abs(value) >= torch.finfo(torch.float32).tiny for value in delta.tolist())


def test_the_specification_chooses_the_loss_and_the_exact_one_is_the_default() -> None:
    data = load("digits")
    wide = {"network": mlp(64, 16, 10), "dataset": "digits", "initializer": {"kind": "uniform", "low": -3, "high": 3}}
    exact, clipped = PopulationSpec(**wide), PopulationSpec(**wide, loss="clipped_cross_entropy")
    assert exact.loss == "cross_entropy"
    assert list(exact.differences(clipped)) == ["loss"]
    moved = []
    for spec in (exact, clipped):
        trainer = Trainer(spec, data, range(2))
        before = [weight.clone() for weight in trainer.weights]
        trainer.epoch()
        moved.append(sum(float((a - b).abs().mean()) for a, b in zip(trainer.weights, before, strict=True)))
    assert moved[1] < 0.5 * moved[0]
