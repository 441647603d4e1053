"""Pooling links: each output neuron gathers a window of its own channel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.errors import SpecificationError
from synaplex.graph.images import kernel_edges, per_axis
from synaplex.graph.link import Elementwise, Link
from synaplex.graph.sparse import SparseLink
from synaplex.graph.taps import Taps
from synaplex.graph.transposed import TransposedLink

Convention = Literal["share", "one"]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class PoolLink(Link):
    """Windows over the spatial axes of each channel, all edges into one position with the same weight.

    Made by `average_pool`, `max_pool`, `adaptive_average_pool` and `adaptive_max_pool`.

    Attributes
    ----------
    in_shape
        ``(channels, *sizes)`` of the source layer.
    taps
        Per spatial axis the inputs in the window of each position.
    gain
        ``(*networks, *positions)``: the weight of each edge into a position.
    """

    in_shape: tuple[int, ...]
    taps: tuple[Taps, ...]
    gain: Float[Tensor, ...]

    @property
    def out_shape(self) -> tuple[int, ...]:
        """``(channels, *positions)`` of the target layer."""
        return (self.in_shape[0], *(one.positions for one in self.taps))

    @property
    def in_size(self) -> int:
        return math.prod(self.in_shape)

    @property
    def out_size(self) -> int:
        return math.prod(self.out_shape)

    @property
    def networks(self) -> int | None:
        return self.gain.shape[0] if self.gain.ndim > len(self.taps) else None

    @property
    def weights(self) -> Tensor:
        return self.gain.flatten(-len(self.taps))

    @property
    def multiplicity(self) -> Int[Tensor, " count"]:
        counts = torch.full((), self.in_shape[0])
        for one in self.taps:
            counts = counts[..., None] * one.inside
        return counts.flatten().to(self.gain.device)

    @property
    def _gain(self) -> Tensor:
        return self.gain.unsqueeze(-len(self.taps) - 1)

    def forward(self, x: Float[Tensor, "*batch source"]) -> Float[Tensor, "*batch2 target"]:
        images = x.reshape(-1, *self.in_shape)
        for axis, one in enumerate(self.taps, 2):
            images = one.summed(images, axis)
        images = images.reshape(*x.shape[:-1], *self.out_shape)
        return (images * self._gain.to(x.dtype)).flatten(-len(self.in_shape))

    def backward(self, y: Float[Tensor, "*batch target"]) -> Float[Tensor, "*batch2 source"]:
        scaled = y.reshape(*y.shape[:-1], *self.out_shape) * self._gain.to(y.dtype)
        images = scaled.reshape(-1, *self.out_shape)
        for axis, one in enumerate(self.taps, 2):
            images = one.spread(images, axis)
        return images.reshape(*scaled.shape[: -len(self.in_shape)], -1)

    def map(self, function: Elementwise) -> PoolLink:
        return replace(self, gain=function(self.gain))

    def to_dense(self) -> Float[Tensor, "*networks target source"]:
        return self.to_sparse().to_dense()

    def to_sparse(self) -> SparseLink:
        places = [one.kernel for one in self.taps]
        groups = self.in_shape[0] * (self.networks or 1)
        ones = torch.ones(groups, 1, 1, *places, dtype=self.gain.dtype, device=self.gain.device)
        tables = [(one.table, torch.arange(one.positions)) for one in self.taps]
        edges = kernel_edges(ones, tables, self.in_shape, self.out_shape, self.networks)
        position = edges.row % math.prod(self.out_shape[1:])
        gain = self.weights.reshape(self.networks or 1, -1)[edges.edge_network, position]
        return replace(edges, weight=gain, source=self.source, target=self.target, name=self.name).to_sparse()

    def transpose(self) -> Link:
        return TransposedLink.of(self)

    def network(self, index: int) -> PoolLink:
        return replace(self, gain=self.gain[index])

    def subset(self, start: int, stop: int) -> PoolLink:
        return replace(self, gain=self.gain[start:stop])


def average_pool(
    in_shape: tuple[int, ...],
    kernel: int | Sequence[int],
    *,
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor: int | None = None,
    networks: int | None = None,
    source: int = 0,
    target: int = 0,
    name: str = "",
) -> PoolLink:
    """Average pooling, the linear map that it is; arguments as in torch, `divisor` its ``divisor_override``."""
    axes = len(in_shape) - 1
    kernels, pads = per_axis(kernel, axes), per_axis(padding, axes)
    steps = kernels if stride is None else per_axis(stride, axes)
    taps, shares = [], []
    for size, places, step, pad in zip(in_shape[1:], kernels, steps, pads, strict=True):
        one = _taps(size, places, step, pad, 1, ceil_mode)
        length = (size + 2 * pad - torch.arange(one.positions) * step).clamp(max=places)
        taps.append(one)
        shares.append((length if count_include_pad else one.inside).double() ** (divisor is None))
    gain = 1 / (_outer(shares) * (divisor or 1))
    return _link(in_shape, taps, gain, networks, source, target, name)


def max_pool(
    in_shape: tuple[int, ...],
    kernel: int | Sequence[int],
    *,
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    convention: Convention = "share",
    networks: int | None = None,
    source: int = 0,
    target: int = 0,
    name: str = "",
) -> PoolLink:
    """Maximum pooling by a stated convention; arguments as in torch.

    The maximum passes one input of the window, which one the data decide. Without data any of the k inputs in the
    window (padding left out) may be it: by ``convention="share"`` each passes with weight 1/k, the Jacobian averaged
    over which input is the largest. ``"one"`` gives each weight 1: where an input can go.
    """
    axes = len(in_shape) - 1
    kernels = per_axis(kernel, axes)
    steps = kernels if stride is None else per_axis(stride, axes)
    rest = zip(in_shape[1:], kernels, steps, per_axis(padding, axes), per_axis(dilation, axes), strict=True)
    taps = [_taps(*axis, ceil_mode) for axis in rest]
    return _link(in_shape, taps, _share(taps, convention), networks, source, target, name)


def adaptive_average_pool(
    in_shape: tuple[int, ...],
    out_size: int | Sequence[int | None] | None,
    *,
    networks: int | None = None,
    source: int = 0,
    target: int = 0,
    name: str = "",
) -> PoolLink:
    """Average pooling to a given size; None keeps the size of an axis."""
    taps = _adaptive(in_shape, out_size)
    return _link(in_shape, taps, _share(taps, "share"), networks, source, target, name)


def adaptive_max_pool(
    in_shape: tuple[int, ...],
    out_size: int | Sequence[int | None] | None,
    *,
    convention: Convention = "share",
    networks: int | None = None,
    source: int = 0,
    target: int = 0,
    name: str = "",
) -> PoolLink:
    """Maximum pooling to a given size, by the convention of `max_pool`."""
    taps = _adaptive(in_shape, out_size)
    return _link(in_shape, taps, _share(taps, convention), networks, source, target, name)


def _link(
    in_shape: tuple[int, ...],
    taps: Sequence[Taps],
    gain: Tensor,
    networks: int | None,
    source: int,
    target: int,
    name: str,
) -> PoolLink:
    if networks is not None:
        gain = gain.expand(networks, *gain.shape)
    return PoolLink(source=source, target=target, name=name, in_shape=tuple(in_shape), taps=tuple(taps), gain=gain)


def _taps(size: int, places: int, step: int, pad: int, dilation: int, ceil_mode: bool) -> Taps:
    """The windows of one axis."""
    span = size + 2 * pad - dilation * (places - 1) - 1
    count = (-(-span // step) if ceil_mode else span // step) + 1
    if ceil_mode and (count - 1) * step >= size + pad:  # a window must start inside the image or before it
        count -= 1
    after = (count - 1) * step + dilation * (places - 1) + 1 - size - pad
    return Taps.of_convolution(size, places, step, (pad, after), dilation, "zeros")


def _adaptive(in_shape: tuple[int, ...], out_size: int | Sequence[int | None] | None) -> list[Taps]:
    axes = len(in_shape) - 1
    wanted = [out_size] * axes if out_size is None or isinstance(out_size, int) else list(out_size)
    if len(wanted) != axes:
        raise SpecificationError(f"out_size {out_size!r} must be one number or one for each of {axes} spatial axes")
    return [
        Taps.of_windows(size, size if count is None else count)
        for size, count in zip(in_shape[1:], wanted, strict=True)
    ]


def _share(taps: Sequence[Taps], convention: Convention) -> Tensor:
    """The weight of each edge into a position: one over the window's inputs, or 1."""
    if convention not in ("share", "one"):
        raise SpecificationError(f"convention={convention!r} is neither 'share' nor 'one'")
    counts = _outer([one.inside.double() for one in taps])
    return torch.ones_like(counts) if convention == "one" else 1 / counts


def _outer(factors: Sequence[Tensor]) -> Tensor:
    total = torch.ones((), dtype=torch.float64)
    for factor in factors:
        total = total[..., None] * factor
    return total
