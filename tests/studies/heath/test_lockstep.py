"""Networks in lockstep: each takes the steps that it would take by itself."""

import pytest
import torch
from torch import nn

from synaplex.sparse import SparseLinear
from synaplex.studies.heath.batches import batches
from synaplex.studies.heath.lockstep import Lockstep, side_by_side
from synaplex.studies.heath.member import make_member
from synaplex.studies.heath.recipe import GRID, MLP, RELEASED, STATED, STATIC
from synaplex.studies.heath.srelu import srelu
from tests.studies.heath.networks import CPU, HYPER, course

WIDTHS = (64, 24, 16, 12, 10)
SAMPLES = course().samples


def members(methods, recipe, seeds=(0, 1, 2)):
    return [make_member(method, WIDTHS, recipe, HYPER, seed, 3, CPU) for method in methods for seed in seeds]


def by_itself(member, steps):
    """Plain training of one network, layer by layer."""
    losses = []
    for batch in steps:
        h = batch.x.T
        for i, link in enumerate(member.links):
            h = link(h)
            if i < len(member.links) - 1:
                h = srelu(h.T, member.slopes[i]).T if member.slopes else h.relu()
                h = h * batch.masks[i].T
        loss = nn.functional.cross_entropy(h, batch.y)
        member.optimizer.zero_grad()
        loss.backward()
        member.optimizer.step()
        losses.append(float(loss.detach()))
    return losses


@pytest.mark.parametrize("recipe", [RELEASED, STATED], ids=lambda one: one.name)
@pytest.mark.parametrize("method", [STATIC, MLP], ids=lambda one: one.name)
def test_each_network_takes_its_own_steps(recipe, method):
    group, alone = members([method], recipe), members([method], recipe)
    steps = list(batches(SAMPLES, HYPER, WIDTHS[1:-1], 0, 1))
    together = Lockstep(group, HYPER, restart=False)
    losses = torch.stack([together.step(batch)[0] for batch in steps])
    together.give_back(group)
    for k, (one, other) in enumerate(zip(group, alone, strict=True)):
        assert losses[:, k].tolist() == pytest.approx(by_itself(other, steps), rel=1e-4)
        for name, parameter in one.parameters().items():
            torch.testing.assert_close(parameter, other.parameters()[name], rtol=1e-3, atol=1e-5)
            torch.testing.assert_close(
                one.momentum(parameter), other.momentum(other.parameters()[name]), rtol=1e-3, atol=1e-5
            )


def test_momentum_goes_on_or_starts_again():
    steps = list(batches(SAMPLES, HYPER, WIDTHS[1:-1], 0, 1))
    group = members([STATIC], GRID)
    first = Lockstep(group, HYPER, restart=False)
    for batch in steps:
        first.step(batch)
    first.give_back(group)
    for restart in (False, True):
        again = Lockstep(group, HYPER, restart=restart)
        for name, value in again.momentum.items():
            assert torch.equal(value, torch.zeros_like(value) if restart else first.momentum[name]), name


def test_a_network_that_diverges_leaves_the_others_alone():
    group, sound = members([STATIC], RELEASED), members([STATIC], RELEASED, seeds=(0, 2))
    with torch.no_grad():
        group[1].links[0].weight.fill_(float("nan"))
    steps = list(batches(SAMPLES, HYPER, WIDTHS[1:-1], 0, 1))
    both = [Lockstep(one, HYPER, restart=True) for one in (group, sound)]
    losses = [torch.stack([one.step(batch)[0] for batch in steps]) for one in both]
    assert losses[0][:, 1].isnan().all()
    torch.testing.assert_close(losses[0][:, [0, 2]], losses[1])


def test_accuracy_and_loss_are_those_of_the_networks():
    group = members([STATIC], RELEASED)
    loss, accuracy = Lockstep(group, HYPER, restart=True).evaluate(SAMPLES.x_test, SAMPLES.y_test)
    for k, member in enumerate(group):
        logits = member.model(SAMPLES.x_test).detach()
        assert float(loss[k]) == pytest.approx(float(nn.functional.cross_entropy(logits, SAMPLES.y_test)), rel=1e-5)
        assert float(accuracy[k]) == pytest.approx(float((logits.argmax(1) == SAMPLES.y_test).double().mean()))


@pytest.mark.parametrize("shared", [True, False])
def test_patterns_side_by_side(shared):
    random = torch.Generator().manual_seed(0)
    layers = [SparseLinear(5, 4, torch.randperm(20, generator=random)[:n].sort().values) for n in (7, 0, 12)]
    pattern = side_by_side([layer.pattern for layer in layers], shared=shared)
    weight = torch.cat([layer.weight for layer in layers]).detach()
    joined = SparseLinear(pattern.shape[1], pattern.shape[0], pattern.keys)
    with torch.no_grad():
        joined.weight.copy_(weight)
    dense = [layer.to_dense() for layer in layers]
    assert torch.equal(joined.to_dense(), torch.cat(dense) if shared else torch.block_diag(*dense))
    assert torch.equal(pattern.order, joined.pattern.order)


def test_members_of_a_seed_begin_alike():
    sparse, other, full = members([STATIC, STATIC, MLP], STATED, seeds=(0,))
    for name, parameter in sparse.parameters().items():
        assert torch.equal(parameter, other.parameters()[name])
    assert all(isinstance(link, SparseLinear) for link in sparse.links[:-1])
    assert isinstance(sparse.links[-1], nn.Linear)
    assert not any(isinstance(link, SparseLinear) for link in full.links)
    bound = (6 / (64 + 24)) ** 0.5
    assert 0.9 * bound < float(sparse.links[0].weight.detach().abs().max()) <= bound
    assert not any(bool(link.bias.any()) for link in sparse.links)
