"""Convolutions, plain and transposed, are the matrices that autograd finds in torch's modules."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from synaplex.errors import InvalidGraphError, SpecificationError
from synaplex.graph import ConvLink, ConvTransposeLink, conv_link, conv_transpose_link
from tests.graph.operators import assert_is_matrix, assert_measured_as_edges, jacobian, weights

CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}


@dataclass(frozen=True)
class Drawn:
    """A convolution as torch describes it."""

    seed: int
    channels: tuple[int, int]
    sizes: tuple[int, ...]
    kernel: tuple[int, ...]
    options: dict[str, Any]

    @property
    def in_shape(self) -> tuple[int, ...]:
        return (self.channels[0], *self.sizes)

    def module(self, classes: dict[int, type[nn.Module]], seed: int | None = None) -> nn.Module:
        try:
            made = classes[len(self.sizes)](*self.channels, self.kernel, bias=False, **self.options).double()
            made(torch.zeros(1, *self.in_shape, dtype=torch.float64))
        except (RuntimeError, ValueError):  # torch refuses it too
            assume(False)
        with torch.no_grad():
            made.weight.copy_(weights(self.seed if seed is None else seed, *made.weight.shape))
        return made


@st.composite
def convolutions(draw: st.DrawFn, *, transposed: bool = False) -> Drawn:
    axes = draw(st.sampled_from([1, 2, 2, 3]))
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    largest = {1: 8, 2: 6, 3: 3}[axes]

    def each(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.lists(st.integers(low, high), min_size=axes, max_size=axes)))

    options: dict[str, Any] = {
        "stride": each(1, 3),
        "padding": each(0, 3),
        "dilation": each(1, 2),
        "groups": groups,
    }
    if transposed:
        options["output_padding"] = each(0, 2)
    else:
        options["padding_mode"] = draw(st.sampled_from(["zeros", "reflect", "replicate", "circular"]))
    channels = (groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2)))
    return Drawn(draw(st.integers(0, 999)), channels, each(1, largest), each(1, 4), options)


@given(convolutions())
@settings(max_examples=120)
def test_convolution_is_its_jacobian(drawn: Drawn) -> None:
    module = drawn.module(CONVOLUTIONS)
    link = conv_link(module.weight.detach(), drawn.in_shape, **drawn.options)
    assert_is_matrix(link, jacobian(module, drawn.in_shape))
    out = module(torch.zeros(1, *drawn.in_shape, dtype=torch.float64))
    assert link.out_shape == out.shape[1:]


@given(convolutions(transposed=True))
@settings(max_examples=80)
def test_transposed_convolution_is_its_jacobian(drawn: Drawn) -> None:
    module = drawn.module(TRANSPOSED)
    link = conv_transpose_link(module.weight.detach(), drawn.in_shape, **drawn.options)
    assert_is_matrix(link, jacobian(module, drawn.in_shape))
    out = module(torch.zeros(1, *drawn.in_shape, dtype=torch.float64))
    assert link.out_shape == out.shape[1:]


@given(convolutions(), st.integers(1, 3))
@settings(max_examples=40)
def test_batch_of_networks_is_each_of_them(drawn: Drawn, networks: int) -> None:
    modules = [drawn.module(CONVOLUTIONS, drawn.seed + k) for k in range(networks)]
    kernels = torch.stack([module.weight.detach() for module in modules])
    link = conv_link(kernels, drawn.in_shape, **drawn.options)
    assert_is_matrix(link, torch.stack([jacobian(module, drawn.in_shape) for module in modules]))


@given(convolutions())
@settings(max_examples=60)
def test_measures_are_those_of_the_edges(drawn: Drawn) -> None:
    module = drawn.module(CONVOLUTIONS)
    assert_measured_as_edges(conv_link(module.weight.detach(), drawn.in_shape, **drawn.options))


@given(convolutions(transposed=True))
@settings(max_examples=20)
def test_measures_of_transposed_ones_are_those_of_the_edges(drawn: Drawn) -> None:
    module = drawn.module(TRANSPOSED)
    assert_measured_as_edges(conv_transpose_link(module.weight.detach(), drawn.in_shape, **drawn.options))


def test_measures_of_a_batch_are_those_of_the_edges() -> None:
    kernels = weights(0, 3, 4, 1, 3, 3)
    assert_measured_as_edges(conv_link(kernels, (2, 5, 5), padding=1, padding_mode="circular", groups=2))
    assert_measured_as_edges(conv_link(kernels, (2, 2, 2), padding=1, padding_mode="circular", groups=2))


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize(("size", "dilation"), [(2, 1), (4, 3), (5, 1)])
def test_same_padding_is_that_of_torch(size: int, dilation: int) -> None:
    weight = weights(1, 2, 3, size, size)

    def convolve(x: Tensor) -> Tensor:
        return nn.functional.conv2d(x, weight, padding="same", dilation=dilation)

    link = conv_link(weight, (3, 6, 7), padding="same", dilation=dilation)
    assert link.out_shape == (2, 6, 7)
    assert_is_matrix(link, jacobian(convolve, (3, 6, 7)))


@pytest.mark.parametrize("padding", [((0, 2), (3, 1)), ((-1, 0), (2, -2))])
def test_padding_may_differ_between_ends_and_crop(padding: tuple[tuple[int, int], ...]) -> None:
    weight = weights(2, 2, 1, 2, 3)

    def convolve(x: Tensor) -> Tensor:
        (top, bottom), (left, right) = padding
        return nn.functional.conv2d(nn.functional.pad(x, (left, right, top, bottom)), weight, stride=2)

    link = ConvLink(
        source=0,
        target=1,
        weight=weight,
        in_shape=(1, 5, 6),
        stride=(2, 2),
        padding=padding,
        dilation=(1, 1),
    )
    assert_is_matrix(link, jacobian(convolve, (1, 5, 6)))


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_images_that_repeat_are_convolved_all_the_same(mode: Any, stride: int) -> None:
    """Constant images, and images that are constant up to borders and stripes, take the path of distinct windows."""
    weight = weights(3, 4, 3, 3, 3)
    link = conv_link(weight, (3, 20, 17), padding=2, padding_mode=mode, stride=stride)
    matrix = link.to_dense()
    x = weights(4, 3, 1, 1).expand(3, 20, 17).clone()
    x[:, 0] = 7
    x[:, :, ::3] += 1
    x[1, 4, 5] = -2
    y = weights(5, 4, 1, 1).expand(link.out_shape).clone()
    y[:, ::2, :] = 3
    torch.testing.assert_close(link.forward(x.flatten()), matrix @ x.flatten())
    torch.testing.assert_close(link.backward(y.flatten()), matrix.T @ y.flatten())


def test_one_channel_that_differs_is_not_overlooked() -> None:
    """Repeats are looked for in a few channels and must hold in all."""
    link = conv_link(weights(6, 2, 40, 3, 3), (40, 16, 16), padding=1)
    x = torch.ones(40, 16, 16, dtype=torch.float64)
    x[1, 8, 8] = 5
    torch.testing.assert_close(link.forward(x.flatten()), link.to_dense() @ x.flatten())


def test_images_larger_than_a_band_are_convolved_in_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synaplex.graph.convolve._BAND", 100)
    link = conv_link(weights(7, 3, 2, 3, 2), (2, 9, 8), padding=1, stride=2, dilation=2)
    matrix = link.to_dense()
    x, y = torch.randn(2, link.in_size).double(), torch.randn(2, link.out_size).double()
    torch.testing.assert_close(link.forward(x), x @ matrix.T)
    torch.testing.assert_close(link.backward(y), y @ matrix)


def test_taps_on_the_same_neuron_are_one_edge() -> None:
    link = conv_link(torch.tensor([[[1.0, 10.0, 100.0]]]), (1, 2), padding=1, padding_mode="circular")
    assert link.to_dense().tolist() == [[10.0, 101.0], [101.0, 10.0]]
    assert link.map(torch.square).to_dense().tolist() == [[100.0, 10201.0], [10201.0, 100.0]]
    assert sorted(link.weights.tolist()) == [10.0, 101.0]


def test_taps_that_cancel_are_no_edge() -> None:
    link = conv_link(torch.tensor([[[1.0, 0.0, -1.0]]]), (1, 2), padding=1, padding_mode="circular")
    assert link.edge_count == 0


def test_a_tap_at_the_border_has_fewer_edges() -> None:
    link = conv_link(torch.ones(1, 1, 3, 3), (1, 4, 4), padding=1)
    assert link.multiplicity.tolist() == [9, 12, 9, 12, 16, 12, 9, 12, 9]


def test_products_are_differentiable() -> None:
    weight = weights(8, 2, 2, 3, 3).requires_grad_()
    link = conv_link(weight, (2, 12, 12), padding=1)
    x = torch.randn(link.in_size, dtype=torch.float64)
    for values in (x, torch.ones_like(x)):
        (ours,) = torch.autograd.grad(link.forward(values).square().sum(), weight)
        image = nn.functional.conv2d(values.view(1, 2, 12, 12), weight, padding=1)
        (theirs,) = torch.autograd.grad(image.square().sum(), weight)
        torch.testing.assert_close(ours, theirs)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InvalidGraphError, match=r"'c1' with kernel .* reads 3 channels"):
        conv_link(torch.ones(2, 3, 3), (2, 8), name="c1")
    with pytest.raises(InvalidGraphError, match="does not fit images of shape"):
        conv_link(torch.ones(2, 3), (3, 8, 8))
    with pytest.raises(InvalidGraphError, match="kernel of 9 with dilation 1 does not fit an axis of 4"):
        conv_link(torch.ones(1, 1, 9), (1, 4)).forward(torch.ones(4))
    with pytest.raises(InvalidGraphError, match="reflect padding"):
        conv_link(torch.ones(1, 1, 3), (1, 2), padding=2, padding_mode="reflect").forward(torch.ones(2))
    with pytest.raises(SpecificationError, match="2 spatial axes"):
        conv_link(torch.ones(1, 1, 3, 3), (1, 4, 4), stride=(1, 1, 1))
    with pytest.raises(InvalidGraphError, match="does not fit an image"):
        conv_transpose_link(torch.ones(2, 1, 3), (3, 8))


def test_repr_says_the_sizes() -> None:
    link = conv_link(torch.ones(2, 1, 3), (1, 4), padding=1, name="c")
    assert repr(link) == "ConvLink(4 -> 8 'c')"
    assert isinstance(conv_transpose_link(torch.ones(1, 2, 2), (1, 4)), ConvTransposeLink)
    assert math.prod(link.out_shape) == link.out_size
