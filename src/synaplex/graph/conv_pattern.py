"""Convolutions whose kernel depends on where it lies.

Where padding repeats inputs, several places of a kernel read the same neuron: they are one edge with the sum of
their weights. Which places those are depends on the position, along each axis alone, and takes few forms: one in the
middle of the image, others near its borders. Each combination of forms has a kernel of summed weights.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.graph.convolve import convolve, spread
from synaplex.graph.images import as_images, as_vectors, grouped_kernel, kernel_edges
from synaplex.graph.link import Elementwise, Link
from synaplex.graph.sparse import SparseLink
from synaplex.graph.taps import Pattern
from synaplex.graph.transposed import TransposedLink

if TYPE_CHECKING:
    from synaplex.graph.conv import ConvLink


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class PatternConvLink(Link):
    """A convolution with one kernel for each combination of patterns; made by `ConvLink.map`.

    Attributes
    ----------
    kernels
        ``(*networks, out channels, in channels // groups, *distinct places)`` for each combination, the last axis
        fastest.
    patterns
        Per spatial axis.
    in_shape, out_shape
        Of the source and target layers.
    groups
        Number of groups of channels.
    """

    kernels: tuple[Float[Tensor, ...], ...]
    patterns: tuple[tuple[Pattern, ...], ...]
    in_shape: tuple[int, ...]
    out_shape: tuple[int, ...]
    groups: int

    @classmethod
    def of_convolution(cls, link: ConvLink) -> PatternConvLink:
        """The same edges as those of a convolution, in float64; edges of the same two neurons summed."""
        patterns = tuple(tuple(one.patterns()) for one in link.taps)
        kernels = []
        for combination in product(*patterns):
            kernel = link.weight.double()
            for axis, pattern in enumerate(combination):
                merge = pattern.merge.to(kernel.device)
                kernel = torch.tensordot(kernel, merge, dims=([axis - len(combination)], [1])).movedim(
                    -1, axis - len(combination)
                )
            kernels.append(kernel)
        return cls(
            source=link.source,
            target=link.target,
            name=link.name,
            kernels=tuple(kernels),
            patterns=patterns,
            in_shape=link.in_shape,
            out_shape=link.out_shape,
            groups=link.groups,
        )

    @property
    def _parts(self) -> Iterator[tuple[Tensor, tuple[Pattern, ...]]]:
        return zip(self.kernels, product(*self.patterns), strict=True)

    @property
    def in_size(self) -> int:
        return math.prod(self.in_shape)

    @property
    def out_size(self) -> int:
        return math.prod(self.out_shape)

    @property
    def networks(self) -> int | None:
        return self.kernels[0].shape[0] if self.kernels[0].ndim == len(self.in_shape) + 2 else None

    @property
    def weights(self) -> Tensor:
        return torch.cat([kernel.flatten(-len(self.in_shape) - 1) for kernel in self.kernels], -1)

    @property
    def multiplicity(self) -> Int[Tensor, " count"]:
        counts = []
        for kernel, combination in self._parts:
            positions = math.prod(len(pattern.positions) for pattern in combination)
            count = math.prod(kernel.shape[-len(self.in_shape) - 1 :])
            counts.append(torch.full((count,), positions, device=kernel.device))
        return torch.cat(counts)

    def forward(self, x: Float[Tensor, "*batch source"]) -> Float[Tensor, "*batch2 target"]:
        images = as_images(x, self.in_shape, self.networks)
        channels = self.out_shape[0] * (self.networks or 1)
        total = images.new_zeros(channels, images.shape[1], *self.out_shape[1:])
        for kernel, combination in self._parts:
            read = images[_box([pattern.inputs for pattern in combination], images)]
            taps = [pattern.taps for pattern in combination]
            write = _box([pattern.positions for pattern in combination], images)
            total[write] = convolve(read, self._grouped(kernel), taps)
        return as_vectors(total, x, self.networks)

    def backward(self, y: Float[Tensor, "*batch target"]) -> Float[Tensor, "*batch2 source"]:
        images = as_images(y, self.out_shape, self.networks)
        channels = self.in_shape[0] * (self.networks or 1)
        total = images.new_zeros(channels, images.shape[1], *self.in_shape[1:])
        for kernel, combination in self._parts:
            read = images[_box([pattern.positions for pattern in combination], images)]
            taps = [pattern.taps for pattern in combination]
            write = _box([pattern.inputs for pattern in combination], images)
            total[write] += spread(read, self._grouped(kernel), taps)
        return as_vectors(total, y, self.networks)

    def _grouped(self, kernel: Tensor) -> Tensor:
        return grouped_kernel(kernel, self.groups, len(self.patterns))

    def map(self, function: Elementwise) -> PatternConvLink:
        return replace(self, kernels=tuple(function(kernel) for kernel in self.kernels))

    def to_dense(self) -> Float[Tensor, "*networks target source"]:
        return self.to_sparse().to_dense()

    def to_sparse(self) -> SparseLink:
        parts = [
            kernel_edges(
                self._grouped(kernel),
                [(pattern.table, pattern.positions) for pattern in combination],
                self.in_shape,
                self.out_shape,
                self.networks,
            )
            for kernel, combination in self._parts
        ]
        return SparseLink.total(parts).between(self.source, self.target).to_sparse()

    def transpose(self) -> Link:
        return TransposedLink.of(self)

    def network(self, index: int) -> PatternConvLink:
        return replace(self, kernels=tuple(kernel[index] for kernel in self.kernels))

    def subset(self, start: int, stop: int) -> PatternConvLink:
        return replace(self, kernels=tuple(kernel[start:stop] for kernel in self.kernels))


def _box(index: list[Tensor], images: Tensor) -> tuple[slice | Tensor, ...]:
    """The part of all images at some places along each axis."""
    axes = len(index)
    places = [one.view(-1, *[1] * (axes - axis - 1)).to(images.device) for axis, one in enumerate(index)]
    return (slice(None), slice(None), *places)
