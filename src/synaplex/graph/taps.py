"""Taps: which inputs the places of a kernel read as it slides along one axis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from synaplex.errors import InvalidGraphError

PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]


@dataclass(frozen=True, eq=False)
class Taps:
    """One spatial axis of a convolution.

    Place k of the kernel at output position p reads input ``source[p * stride + k * dilation]``; -1 reads a zero.
    Every kind of padding is a `source`.

    Attributes
    ----------
    size
        Number of inputs along the axis.
    source
        The inputs in the order in which the padded axis holds them.
    kernel, stride, dilation
        As in torch.
    """

    size: int
    source: Int[Tensor, " padded"]
    kernel: int
    stride: int = 1
    dilation: int = 1

    @staticmethod
    @lru_cache(maxsize=512)
    def of_convolution(
        size: int, kernel: int, stride: int, padding: tuple[int, int], dilation: int, mode: PaddingMode
    ) -> Taps:
        """The taps of a convolution with `padding` inputs before and after the axis, of the given kind.

        Raises
        ------
        InvalidGraphError
            If the padding does not fit the axis, or the kernel does not fit into the padded axis.
        """
        before, after = padding
        place = torch.arange(-before, size + after)
        if mode != "zeros":
            limit = size - 1 if mode == "reflect" else size
            if mode != "replicate" and max(before, after) > limit:
                raise InvalidGraphError(f"{mode} padding {padding} does not fit an axis of {size}")
            if min(before, after) < 0:
                raise InvalidGraphError(f"{mode} padding cannot be negative: {padding}")
        if mode == "reflect":
            place = (size - 1) - ((size - 1) - place.abs()).abs()
        elif mode == "replicate":
            place = place.clamp(0, size - 1)
        elif mode == "circular":
            place = place.remainder(max(size, 1))
        else:
            place = torch.where((place >= 0) & (place < size), place, -1)
        taps = Taps(size, place, kernel, stride, dilation)
        if taps.positions < 1:
            raise InvalidGraphError(
                f"a kernel of {kernel} with dilation {dilation} does not fit an axis of {size} padded by {padding}"
            )
        return taps

    @classmethod
    def of_windows(cls, size: int, count: int) -> Taps:
        """The taps of adaptive pooling: `count` windows, as even as they come, that cover an axis."""
        position = torch.arange(count)
        start, stop = position * size // count, -(-(position + 1) * size // count)
        kernel = int((stop - start).max())
        if kernel * count == size:
            return cls(size, torch.arange(size), kernel, stride=kernel)
        window = start[:, None] + torch.arange(kernel)
        return cls(size, torch.where(window < stop[:, None], window, -1).flatten(), kernel, stride=kernel)

    @property
    def positions(self) -> int:
        """Number of output positions."""
        return (len(self.source) - self.dilation * (self.kernel - 1) - 1) // self.stride + 1

    @cached_property
    def table(self) -> Int[Tensor, "positions kernel"]:
        """The input that each place of the kernel reads at each position, or -1."""
        positions, places = torch.arange(self.positions), torch.arange(self.kernel)
        return self.source[positions[:, None] * self.stride + places * self.dilation]

    @cached_property
    def readers(self) -> Int[Tensor, "padded kernel"]:
        """The position that reads each element of the padded axis by each place of the kernel, or -1."""
        start = torch.arange(len(self.source))[:, None] - torch.arange(self.kernel) * self.dilation
        position = start.div(self.stride, rounding_mode="floor")
        reads = (start >= 0) & (start % self.stride == 0) & (position < self.positions)
        return torch.where(reads, position, -1)

    @cached_property
    def input_readers(self) -> Int[Tensor, "size kernel"] | None:
        """The same for each input, where `source` holds none twice; else None."""
        inside = self.source >= 0
        inputs = self.source[inside]
        if len(torch.unique(inputs)) < len(inputs):
            return None
        table = torch.full((self.size, self.kernel), -1)
        table[inputs] = self.readers[inside]
        return table

    @cached_property
    def counts(self) -> Int[Tensor, " kernel"]:
        """At how many positions each place of the kernel reads an input."""
        return (self.table >= 0).sum(0)

    @cached_property
    def inside(self) -> Int[Tensor, " positions"]:
        """How many inputs the kernel reads at each position."""
        return (self.table >= 0).sum(1)

    @cached_property
    def first(self) -> Int[Tensor, "positions kernel"]:
        """For each place of the kernel the first one that reads the same input there, or -1 for a zero."""
        same = self.table[:, :, None] == self.table[:, None, :]
        return torch.where(self.table >= 0, same.int().argmax(-1), -1)

    @property
    def collide(self) -> bool:
        """Whether two places of the kernel read the same input at some position."""
        places = torch.arange(self.kernel)
        return bool(((self.first >= 0) & (self.first != places)).any())

    def patterns(self) -> list[Pattern]:
        """Positions grouped by which places of the kernel read the same input; for padding that is not zeros."""
        kinds, kind = torch.unique(self.first, dim=0, return_inverse=True)
        groups = []
        for number, first in enumerate(kinds):
            positions = (kind == number).nonzero()[:, 0]
            places = torch.unique(first[first >= 0])
            merge = (first == places[:, None]).double()
            taps = self._gathered(positions, places)
            inputs, source = torch.unique(taps.source, return_inverse=True)
            groups.append(Pattern(positions, inputs, replace(taps, size=len(inputs), source=source), merge))
        return groups

    def _gathered(self, positions: Tensor, places: Tensor) -> Taps:
        """Taps that read only some positions and places."""
        run, step = progression(positions), progression(places)
        if run == 1 and step is not None:
            start = int(positions[0]) * self.stride + int(places[0]) * self.dilation
            dilation = self.dilation * step
            length = (len(positions) - 1) * self.stride + (len(places) - 1) * dilation + 1
            return Taps(self.size, self.source[start : start + length], len(places), self.stride, dilation)
        source = self.table[positions][:, places].flatten()
        return Taps(self.size, source, len(places), stride=len(places))

    @cached_property
    def _middle(self) -> tuple[int, int, int] | None:
        """Zeros before, zeros after and the first input, where `source` is a run of inputs between zeros."""
        inside = (self.source >= 0).nonzero()[:, 0]
        if not len(inside):
            return None
        first, last = int(inside[0]), int(inside[-1])
        run = self.source[first : last + 1]
        if not bool((run.diff() == 1).all()):
            return None
        return first, len(self.source) - 1 - last, int(run[0])

    def padded(self, x: Tensor, axis: int) -> Tensor:
        """The values along an axis in the order of `source`."""
        if self._middle is None:
            return take(x, axis, self.source)
        before, after, start = self._middle
        inner = x.narrow(axis, start, len(self.source) - before - after)
        if not before and not after:
            return inner
        zeros = [(inner.shape[:axis], count, inner.shape[axis + 1 :]) for count in (before, after)]
        head, tail = (x.new_zeros(*lead, count, *rest) for lead, count, rest in zeros)
        return torch.cat([head, inner, tail], axis)

    def folded(self, x: Tensor, axis: int) -> Tensor:
        """The adjoint of `padded`: values along the padded axis, summed where they belong."""
        lead, rest = x.shape[:axis], x.shape[axis + 1 :]
        if self._middle is None:
            inside = (self.source >= 0).nonzero()[:, 0].to(x.device)
            zeros = x.new_zeros(*lead, self.size, *rest)
            return zeros.index_add(axis, self.source.to(x.device)[inside], x.index_select(axis, inside))
        before, after, start = self._middle
        length = len(self.source) - before - after
        inner = x.narrow(axis, before, length)
        if length == self.size:
            return inner
        head, tail = x.new_zeros(*lead, start, *rest), x.new_zeros(*lead, self.size - start - length, *rest)
        return torch.cat([head, inner, tail], axis)

    def summed(self, x: Float[Tensor, ...], axis: int) -> Float[Tensor, ...]:
        """What all places of the kernel read, summed: ``size`` values along an axis to ``positions``."""
        padded = self.padded(x, axis)
        total = self.read(padded, axis, 0).clone()
        for place in range(1, self.kernel):
            total += self.read(padded, axis, place)
        return total

    def spread(self, y: Float[Tensor, ...], axis: int) -> Float[Tensor, ...]:
        """The adjoint of `summed`."""
        padded = y.new_zeros(*y.shape[:axis], len(self.source), *y.shape[axis + 1 :])
        for place in range(self.kernel):
            self.read(padded, axis, place).add_(y)
        return self.folded(padded, axis)

    def read(self, padded: Float[Tensor, ...], axis: int, place: int) -> Float[Tensor, ...]:
        """The part of a padded axis that one place of the kernel reads, as a view."""
        start = place * self.dilation
        where = slice(start, start + (self.positions - 1) * self.stride + 1, self.stride)
        return padded[(slice(None),) * axis + (where,)]


@dataclass(frozen=True, eq=False)
class Pattern:
    """Positions of an axis at which the same places of a kernel read the same input.

    Attributes
    ----------
    positions
        Those positions.
    inputs
        The inputs that are read at any of them.
    taps
        What they read there, in terms of `inputs`.
    merge
        1 where a place of the kernel belongs to a distinct input: kernels are summed by it.
    """

    positions: Int[Tensor, " positions"]
    inputs: Int[Tensor, " inputs"]
    taps: Taps
    merge: Float[Tensor, "distinct kernel"]

    @property
    def table(self) -> Int[Tensor, "positions distinct"]:
        """The input that each distinct place of the kernel reads at each position."""
        return self.inputs[self.taps.table]


def progression(values: Tensor) -> int | None:
    """The common difference of values, 1 where there is but one; None where they differ."""
    steps = torch.unique(values.diff())
    return int(steps[0]) if len(steps) == 1 else 1 if not len(steps) and len(values) else None


def take(x: Float[Tensor, ...], axis: int, index: Int[Tensor, " index"]) -> Float[Tensor, ...]:
    """The slices of `x` at `index` along an axis; -1 gives zeros."""
    axis, index = axis % x.ndim, index.to(x.device)
    missing: Bool[Tensor, " index"] = index < 0
    if not bool(missing.any()):
        return x.index_select(axis, index)
    picked = x.index_select(axis, index.clamp(min=0))
    return picked.masked_fill(missing.view(-1, *[1] * (x.ndim - axis - 1)), 0)
