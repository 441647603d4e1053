"""Transposed convolution links: each input position writes a kernel, as in the up-sampling half of a U-Net."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from jaxtyping import Float, Int
from torch import Tensor

from synaplex.errors import InvalidGraphError
from synaplex.graph.conv import ConvLink
from synaplex.graph.images import per_axis
from synaplex.graph.link import Elementwise, Link
from synaplex.graph.sparse import SparseLink


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class ConvTransposeLink(Link):
    """A transposed convolution: the link whose transpose is a convolution from its target to its source.

    Attributes
    ----------
    weight
        ``(*networks, in channels, out channels // groups, *kernel)``, as torch stores it.
    in_shape
        ``(in channels, *sizes)`` of the source layer.
    stride, dilation, output_padding
        One number per spatial axis, as in torch.
    padding
        Per spatial axis how much is taken off before and after.
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
    output_padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int = 1

    def __post_init__(self) -> None:
        axes = len(self.in_shape) - 1
        if self.weight.ndim not in (axes + 2, axes + 3) or self.weight.shape[-axes - 2] != self.in_shape[0]:
            raise InvalidGraphError(
                f"{self.name!r} with kernel {tuple(self.weight.shape)} does not fit an image of shape {self.in_shape}"
            )
        if min(self.out_shape[1:]) < 1:
            raise InvalidGraphError(f"{self.name!r} would make an image of shape {self.out_shape}")

    @property
    def out_shape(self) -> tuple[int, ...]:
        """``(out channels, *sizes)`` of the target layer."""
        axes = len(self.in_shape) - 1
        kernel = self.weight.shape[-axes:]
        sizes = (
            (size - 1) * stride - before - after + dilation * (places - 1) + extra + 1
            for size, places, stride, (before, after), extra, dilation in zip(
                self.in_shape[1:], kernel, self.stride, self.padding, self.output_padding, self.dilation, strict=True
            )
        )
        return (self.weight.shape[-axes - 1] * self.groups, *sizes)

    @cached_property
    def convolution(self) -> ConvLink:
        """The convolution from target to source whose transpose this is."""
        padding = zip(self.padding, self.output_padding, strict=True)
        return ConvLink(
            source=self.target,
            target=self.source,
            name=self.name,
            weight=self.weight,
            in_shape=self.out_shape,
            stride=self.stride,
            padding=tuple((before, after - extra) for (before, after), extra in padding),
            dilation=self.dilation,
            groups=self.groups,
        )

    @property
    def in_size(self) -> int:
        return self.convolution.out_size

    @property
    def out_size(self) -> int:
        return self.convolution.in_size

    @property
    def networks(self) -> int | None:
        return self.convolution.networks

    @property
    def weights(self) -> Tensor:
        return self.convolution.weights

    @property
    def multiplicity(self) -> Int[Tensor, " count"]:
        return self.convolution.multiplicity

    def forward(self, x: Float[Tensor, "*batch source"]) -> Float[Tensor, "*batch2 target"]:
        return self.convolution.backward(x)

    def backward(self, y: Float[Tensor, "*batch target"]) -> Float[Tensor, "*batch2 source"]:
        return self.convolution.forward(y)

    def map(self, function: Elementwise) -> ConvTransposeLink:
        return replace(self, weight=function(self.weight))

    def entries(self, row: Int[Tensor, " pairs"], column: Int[Tensor, " pairs"]) -> Float[Tensor, "*networks pairs"]:
        return self.convolution.entries(column, row)

    def to_dense(self) -> Float[Tensor, "*networks target source"]:
        return self.convolution.to_dense().mT

    def to_sparse(self) -> SparseLink:
        return self.convolution.to_sparse().transpose()

    def transpose(self) -> ConvLink:
        return self.convolution

    def network(self, index: int) -> ConvTransposeLink:
        return replace(self, weight=self.weight[index])

    def subset(self, start: int, stop: int) -> ConvTransposeLink:
        return replace(self, weight=self.weight[start:stop])


def conv_transpose_link(
    weight: Float[Tensor, ...],
    in_shape: tuple[int, ...],
    *,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    source: int = 0,
    target: int = 0,
    name: str = "",
) -> ConvTransposeLink:
    """A `ConvTransposeLink` from arguments as torch takes them: one number for all axes or one each.

    Examples
    --------
    >>> import torch
    >>> conv_transpose_link(torch.ones(1, 2, 2, 2), (1, 4, 4), stride=2).out_shape
    (2, 8, 8)
    """
    axes = len(in_shape) - 1
    return ConvTransposeLink(
        source=source,
        target=target,
        name=name,
        weight=weight,
        in_shape=tuple(in_shape),
        stride=per_axis(stride, axes),
        padding=tuple((pad, pad) for pad in per_axis(padding, axes)),
        output_padding=per_axis(output_padding, axes),
        dilation=per_axis(dilation, axes),
        groups=groups,
    )
