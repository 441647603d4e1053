"""Normalisations: batch normalisation is its Jacobian, the others are their gain alone, as stated."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from synaplex.errors import InvalidGraphError
from synaplex.graph import GainLink, batch_norm, group_norm, layer_norm, rms_norm
from tests.graph.operators import assert_is_matrix, assert_measured_as_edges, generator, jacobian

SHAPES = st.sampled_from([(3,), (2, 4), (3, 2, 2), (2, 2, 1, 3)])
MODULES = {1: nn.BatchNorm1d, 2: nn.BatchNorm1d, 3: nn.BatchNorm2d, 4: nn.BatchNorm3d}


@given(SHAPES, st.booleans(), st.integers(0, 99))
def test_batch_norm_at_evaluation_is_its_jacobian(shape: tuple[int, ...], affine: bool, seed: int) -> None:
    module = MODULES[len(shape)](shape[0], affine=affine, eps=1e-3).double().eval()
    module.running_var.copy_(torch.rand(shape[0], generator=generator(seed)) + 0.1)
    if affine:
        with torch.no_grad():
            module.weight.copy_(torch.randn(shape[0], generator=generator(seed)))
            module.bias.zero_()
    module.running_mean.zero_()
    weight = module.weight.detach() if affine else None
    link = batch_norm(shape, weight=weight, running_var=module.running_var, eps=1e-3)
    assert_is_matrix(link, jacobian(module, shape))


@given(SHAPES, st.integers(1, 3))
def test_other_norms_are_their_gain(shape: tuple[int, ...], networks: int) -> None:
    gain = torch.arange(1.0, shape[0] + 1).double() - 2
    rest = torch.ones(shape[1:]).double()
    per_channel = (gain.view(-1, *[1] * (len(shape) - 1)) * rest).flatten()
    assert_is_matrix(group_norm(shape, weight=gain), torch.diag(per_channel))
    assert_is_matrix(batch_norm(shape, weight=gain), torch.diag(per_channel))
    last = torch.arange(1.0, shape[-1] + 1).double() - 2
    per_feature = (torch.ones(shape).double() * last).flatten()
    assert_is_matrix(layer_norm(shape, weight=last), torch.diag(per_feature))
    assert_is_matrix(rms_norm(shape, weight=last), torch.diag(per_feature))
    whole = torch.randn(shape, generator=generator(0)).double()
    assert_is_matrix(layer_norm(shape, weight=whole), torch.diag(whole.flatten()))
    batch = torch.stack([last * k for k in range(networks)])
    expected = torch.stack([torch.diag(per_feature * k) for k in range(networks)])
    assert_is_matrix(layer_norm(shape, weight=batch, networks=networks), expected)


@given(SHAPES)
def test_no_gain_is_a_gain_of_one(shape: tuple[int, ...]) -> None:
    eye = torch.eye(torch.Size(shape).numel(), dtype=torch.float64)
    for link in (layer_norm(shape), group_norm(shape), batch_norm(shape)):
        assert_is_matrix(link, eye)
    assert_is_matrix(layer_norm(shape, networks=2), eye.expand(2, -1, -1))


def test_measures_are_those_of_the_edges() -> None:
    gain = torch.tensor([[2.0, -1.0], [0.5, 3.0]]).double()
    assert_measured_as_edges(GainLink(source=0, target=1, gain=gain, outer=3, inner=2))
    assert_measured_as_edges(GainLink(source=0, target=1, gain=gain[0], outer=3, inner=2))


def test_a_gain_of_another_size_is_refused() -> None:
    with pytest.raises(InvalidGraphError, match="does not fit 3 channels"):
        group_norm((3, 4), weight=torch.ones(4))
