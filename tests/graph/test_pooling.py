"""Pooling: averages are torch's own matrices, maxima follow the stated convention."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from synaplex.errors import SpecificationError
from synaplex.graph import PoolLink, adaptive_average_pool, adaptive_max_pool, average_pool, max_pool
from tests.graph.operators import assert_is_matrix, assert_measured_as_edges, jacobian

AVERAGES = {1: nn.AvgPool1d, 2: nn.AvgPool2d, 3: nn.AvgPool3d}
MAXIMA = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}
ADAPTIVE = {1: nn.AdaptiveAvgPool1d, 2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}
SHAPES = st.sampled_from([(2, 7), (1, 9), (2, 5, 4), (3, 6, 6), (1, 3, 4, 3)])


@st.composite
def windows(draw: st.DrawFn, *, dilated: bool = False) -> tuple[tuple[int, ...], dict[str, Any]]:
    """An image's shape and the arguments of a pooling that torch takes."""
    shape = draw(SHAPES)
    axes = len(shape) - 1

    def each(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.lists(st.integers(low, high), min_size=axes, max_size=axes)))

    kernel = each(1, 4)
    padding = tuple(min(pad, size // 2) for pad, size in zip(each(0, 2), kernel, strict=True))
    options: dict[str, Any] = {"stride": each(1, 3), "padding": padding, "ceil_mode": draw(st.booleans())}
    if dilated:
        options["dilation"] = each(1, 2)
    return shape, {"kernel": kernel, **options}


def refused(module: nn.Module, shape: tuple[int, ...]) -> bool:
    try:
        return 0 in module(torch.zeros(1, *shape, dtype=torch.float64)).shape
    except RuntimeError:
        return True


def torch_pool(classes: dict[int, type[nn.Module]], shape: tuple[int, ...], options: dict[str, Any]) -> nn.Module:
    rest = {key: value for key, value in options.items() if key != "kernel"}
    module = classes[len(shape) - 1](options["kernel"], **rest)
    assume(not refused(module, shape))
    return module


@given(windows(), st.booleans(), st.sampled_from([None, None, 3]))
def test_average_pooling_is_its_jacobian(drawn: Any, include: bool, divisor: int | None) -> None:
    shape, options = drawn
    theirs = {**options, "count_include_pad": include}
    if len(shape) > 2:
        theirs["divisor_override"] = divisor
    module = torch_pool(AVERAGES, shape, theirs)
    link = average_pool(shape, **options, count_include_pad=include, divisor=divisor if len(shape) > 2 else None)
    assert_is_matrix(link, jacobian(module, shape))


@given(SHAPES, st.integers(1, 8), st.booleans())
def test_adaptive_average_pooling_is_its_jacobian(shape: tuple[int, ...], size: int, keep_last: bool) -> None:
    axes = len(shape) - 1
    wanted = (size,) * (axes - 1) + ((None,) if keep_last and axes > 1 else (size,))
    module = ADAPTIVE[axes](wanted)
    link = adaptive_average_pool(shape, wanted)
    assert_is_matrix(link, jacobian(module, shape))


def inputs_of(pool: nn.Module, shape: tuple[int, ...]) -> Tensor:
    """1 where the maximum at a position is the input, if that input is the largest of all."""
    size = torch.Size(shape).numel()
    one_high = torch.eye(size, dtype=torch.float64).reshape(size, *shape)
    return (pool(one_high - 1).reshape(size, -1) == 0).double().T


@given(windows(dilated=True))
def test_any_input_of_a_window_may_be_the_maximum(drawn: Any) -> None:
    shape, options = drawn
    member = inputs_of(torch_pool(MAXIMA, shape, options), shape)
    assert_is_matrix(max_pool(shape, **options, convention="one"), member)
    assert_is_matrix(max_pool(shape, **options), member / member.sum(1, keepdim=True))


def test_shared_convention_is_the_jacobian_averaged_over_which_input_is_largest() -> None:
    generator = torch.Generator().manual_seed(0)
    pool, shape = nn.MaxPool2d(2, stride=1), (1, 3, 3)
    draws = torch.rand(4000, 1, 3, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    counts = torch.zeros(4, 9, dtype=torch.float64)
    for position in range(4):
        (gradient,) = torch.autograd.grad(pool(draws).flatten(1)[:, position].sum(), draws)
        counts[position] = gradient.reshape(-1, 9).mean(0)
    torch.testing.assert_close(counts, max_pool(shape, 2, stride=1).to_dense(), atol=0.03, rtol=0)


def test_adaptive_maximum_has_the_windows_of_the_adaptive_average() -> None:
    shape = (2, 5, 7)
    average = adaptive_average_pool(shape, (2, 3)).to_dense()
    assert torch.equal(adaptive_max_pool(shape, (2, 3)).to_dense(), average)
    assert torch.equal(adaptive_max_pool(shape, (2, 3), convention="one").to_dense(), (average > 0).double())


@given(windows(dilated=True), st.sampled_from([None, 2]))
@settings(max_examples=40)
def test_measures_are_those_of_the_edges(drawn: Any, networks: int | None) -> None:
    shape, options = drawn
    torch_pool(MAXIMA, shape, options)
    assert_measured_as_edges(max_pool(shape, **options, networks=networks))


def test_batch_of_networks_shares_the_windows() -> None:
    link = average_pool((2, 4, 4), 2, networks=3)
    assert_is_matrix(link, average_pool((2, 4, 4), 2).to_dense().expand(3, -1, -1))
    assert isinstance(link, PoolLink)
    assert link.out_shape == (2, 2, 2)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(SpecificationError, match="out_size"):
        adaptive_average_pool((1, 4, 4), (2,))
