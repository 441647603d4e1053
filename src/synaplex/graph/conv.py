"""Convolution links: a kernel that every output position shares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.errors import InvalidGraphError
from synaplex.graph.conv_pattern import PatternConvLink
from synaplex.graph.convolve import convolve, spread
from synaplex.graph.images import as_images, as_vectors, grouped_kernel, kernel_edges, per_axis
from synaplex.graph.link import Elementwise, Link
from synaplex.graph.sparse import SparseLink
from synaplex.graph.taps import PaddingMode, Taps
from synaplex.graph.transposed import TransposedLink

Padding = int | Sequence[int] | Literal["same", "valid"]
"""Padding as torch takes it."""


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class ConvLink(Link):
    """A convolution in one, two or three dimensions, answered by convolving; exact at the borders.

    Attributes
    ----------
    weight
        ``(*networks, out channels, in channels // groups, *kernel)``, as torch stores it.
    in_shape
        ``(in channels, *sizes)`` of the source layer.
    stride, dilation
        One number per spatial axis.
    padding
        Per spatial axis how much is added before and after.
    padding_mode
        ``"zeros"``, ``"reflect"``, ``"replicate"`` or ``"circular"``. In the last three several places of the
        kernel may read the same neuron: they are one edge with the sum of their weights.
    groups
        Number of groups of channels.

    Raises
    ------
    InvalidGraphError
        If kernel, padding and groups do not fit the image.
    """

    weight: Float[Tensor, ...]
    in_shape: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    padding_mode: PaddingMode = "zeros"
    dilation: tuple[int, ...]
    groups: int = 1

    def __post_init__(self) -> None:
        axes = len(self.in_shape) - 1
        if axes < 1 or self.weight.ndim not in (axes + 2, axes + 3):
            raise InvalidGraphError(
                f"a kernel of shape {tuple(self.weight.shape)} does not fit images of shape {self.in_shape}"
            )
        if not len(self.stride) == len(self.padding) == len(self.dilation) == axes:
            raise InvalidGraphError(f"stride, padding and dilation of {self.name!r} need one entry per spatial axis")
        channels, kept = self.weight.shape[-axes - 1] * self.groups, self.weight.shape[-axes - 2]
        if channels != self.in_shape[0] or kept % self.groups:
            raise InvalidGraphError(
                f"{self.name!r} with kernel {tuple(self.weight.shape)} and {self.groups} groups reads {channels} "
                f"channels and gives {kept}, but the image has {self.in_shape[0]} channels"
            )

    @cached_property
    def taps(self) -> tuple[Taps, ...]:
        """What the kernel reads, per spatial axis."""
        axes = zip(self.in_shape[1:], self.kernel, self.stride, self.padding, self.dilation, strict=True)
        return tuple(Taps.of_convolution(*axis, self.padding_mode) for axis in axes)

    @property
    def kernel(self) -> tuple[int, ...]:
        """Size of the kernel per spatial axis."""
        return tuple(self.weight.shape[-len(self.in_shape) + 1 :])

    @property
    def out_shape(self) -> tuple[int, ...]:
        """``(out channels, *positions)`` of the target layer."""
        return (self.weight.shape[-len(self.in_shape) - 1], *(one.positions for one in self.taps))

    @property
    def in_size(self) -> int:
        return math.prod(self.in_shape)

    @property
    def out_size(self) -> int:
        return math.prod(self.out_shape)

    @property
    def networks(self) -> int | None:
        return self.weight.shape[0] if self.weight.ndim == len(self.in_shape) + 2 else None

    @cached_property
    def merged(self) -> PatternConvLink | None:
        """The same edges with those of the same two neurons summed; None where all places read their own neuron."""
        if not any(one.collide for one in self.taps):
            return None
        return PatternConvLink.of_convolution(self)

    @property
    def weights(self) -> Tensor:
        if self.merged is not None:
            return self.merged.weights
        return self.weight.flatten(-len(self.in_shape) - 1)

    @property
    def multiplicity(self) -> Int[Tensor, " count"]:
        if self.merged is not None:
            return self.merged.multiplicity
        counts = torch.ones((), dtype=torch.long)
        for one in self.taps:
            counts = counts[..., None] * one.counts
        pairs = self.weight.shape[-len(self.in_shape) - 1] * self.weight.shape[-len(self.in_shape)]
        return counts.flatten().repeat(pairs).to(self.weight.device)

    @property
    def stored(self) -> int:
        return self.weight.numel()

    @property
    def dtype(self) -> torch.dtype:
        return self.weight.dtype

    @property
    def device(self) -> torch.device:
        return self.weight.device

    def to(self, dtype: torch.dtype) -> ConvLink:
        return self if self.dtype == dtype else replace(self, weight=self.weight.to(dtype))

    def forward(self, x: Float[Tensor, "*batch source"]) -> Float[Tensor, "*batch2 target"]:
        images = as_images(x, self.in_shape, self.networks)
        return as_vectors(convolve(images, self._grouped, self.taps), x, self.networks)

    def backward(self, y: Float[Tensor, "*batch target"]) -> Float[Tensor, "*batch2 source"]:
        images = as_images(y, self.out_shape, self.networks)
        return as_vectors(spread(images, self._grouped, self.taps), y, self.networks)

    @property
    def _grouped(self) -> Tensor:
        return grouped_kernel(self.weight, self.groups, len(self.taps))

    def map(self, function: Elementwise) -> Link:
        if self.merged is not None:
            return self.merged.map(function)
        return replace(self, weight=function(self.weight))

    def entries(self, row: Int[Tensor, " pairs"], column: Int[Tensor, " pairs"]) -> Float[Tensor, "*networks pairs"]:
        """The weight between target neurons `row` and source neurons `column`, 0 where there is no edge."""
        out, into = torch.unravel_index(row, self.out_shape), torch.unravel_index(column, self.in_shape)
        per_group = self.weight.shape[-len(self.in_shape)]
        group = out[0] // (self.out_shape[0] // self.groups)
        inside = group == into[0] // per_group
        lead = () if self.networks is None else (slice(None),)
        kernels = self.weight[(*lead, out[0], into[0] % per_group)] * inside.view(-1, *[1] * len(self.taps))
        for axis, one in reversed(list(enumerate(self.taps, 1))):
            reads = one.table.to(row.device)[out[axis]] == into[axis][:, None]
            kernels = (kernels * reads.view(len(row), *[1] * (axis - 1), one.kernel)).sum(-1)
        return kernels

    def to_dense(self) -> Float[Tensor, "*networks target source"]:
        return self.to_sparse().to_dense()

    def to_sparse(self) -> SparseLink:
        everywhere = [(one.table, torch.arange(one.positions)) for one in self.taps]
        edges = kernel_edges(self._grouped, everywhere, self.in_shape, self.out_shape, self.networks)
        return edges.between(self.source, self.target).to_sparse()

    def transpose(self) -> Link:
        return TransposedLink.of(self)

    def network(self, index: int) -> ConvLink:
        return replace(self, weight=self.weight[index])

    def subset(self, start: int, stop: int) -> ConvLink:
        return replace(self, weight=self.weight[start:stop])


def conv_link(
    weight: Float[Tensor, ...],
    in_shape: tuple[int, ...],
    *,
    stride: int | Sequence[int] = 1,
    padding: Padding = 0,
    padding_mode: PaddingMode = "zeros",
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    source: int = 0,
    target: int = 0,
    name: str = "",
) -> ConvLink:
    """A `ConvLink` from arguments as torch takes them: one number for all axes or one each, or ``"same"``.

    Examples
    --------
    >>> link = conv_link(torch.ones(2, 1, 3, 3), (1, 4, 4), padding="same")
    >>> link.out_shape, link.forward(torch.ones(16)).view(2, 4, 4)[0, 0].tolist()
    ((2, 4, 4), [4.0, 6.0, 6.0, 4.0])
    """
    axes = len(in_shape) - 1
    steps = per_axis(dilation, axes)
    pads: list[tuple[int, int]]
    if padding == "same":
        totals = [step * (size - 1) for step, size in zip(steps, weight.shape[-axes:], strict=True)]
        pads = [(total // 2, total - total // 2) for total in totals]
    else:
        pads = [(pad, pad) for pad in per_axis(0 if padding == "valid" else padding, axes)]
    return ConvLink(
        source=source,
        target=target,
        name=name,
        weight=weight,
        in_shape=tuple(in_shape),
        stride=per_axis(stride, axes),
        padding=tuple(pads),
        padding_mode=padding_mode,
        dilation=steps,
        groups=groups,
    )
