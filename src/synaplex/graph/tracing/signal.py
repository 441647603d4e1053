"""What flows through a model while it is walked: which neuron stands at each place of a tensor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from synaplex.graph.tracing.draft import Draft

NONE = 0
"""The number of no neuron, as of a constant or of padding."""


@dataclass(frozen=True, eq=False)
class Signal:
    """A tensor of activations, as the numbers of the neurons whose activations it holds.

    Axes along which the numbers do not differ hold the batch, or positions that share their weights.

    Attributes
    ----------
    ids
        The number of the neuron at each place, `NONE` for none.
    drafts
        Layers that these belong to, and possibly others.
    scale
        What the activations have been multiplied by since they left their layers: one number, or one a place.
    linear
        Whether no activation function has touched them since.
    softmax
        Whether they are the softmax over the last axis.
    """

    ids: Int[Tensor, ...]
    drafts: frozenset[Draft]
    scale: float | Tensor = 1.0
    linear: bool = True
    softmax: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensor."""
        return tuple(self.ids.shape)

    def moved(self, move: Callable[[Tensor], Any]) -> Signal:
        """The same activations in other places."""
        scale = self.scale if isinstance(self.scale, float) else move(self.scale)
        return replace(self, ids=move(self.ids), scale=scale, softmax=self.softmax and self.ids.ndim > 1)

    def expanded(self, shape: Sequence[int]) -> Signal:
        """Broadcast to a shape."""
        return self if self.shape == tuple(shape) else self.moved(lambda x: x.expand(tuple(shape)))

    def activated(self) -> Signal:
        """After an activation function; a number that multiplied its argument is part of the function."""
        return replace(self, scale=1.0, linear=False, softmax=False)

    def times(self, factor: float) -> Signal:
        """Multiplied by a number."""
        return replace(self, scale=self.scale * factor, softmax=False)

    def weight(self, axes: Sequence[int]) -> float | Tensor:
        """The factor, or one for each neuron of the tensor condensed to some axes."""
        return self.scale if isinstance(self.scale, float) else condensed(self.scale, axes).reshape(-1)

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes along which neurons differ."""
        return varying(self.ids)

    @property
    def plain(self) -> bool:
        """Whether nothing but the layers' own sums has happened."""
        return self.linear and isinstance(self.scale, float) and self.scale == 1.0


@dataclass(frozen=True, eq=False)
class Tokens:
    """Whole numbers from outside, such as the indices of words, moved around but not changed.

    Attributes
    ----------
    name
        The input's name.
    places
        Which element of the input stands at each place.
    """

    name: str
    places: Int[Tensor, ...]


class Unknown:
    """A value computed from the input that carries no activations: a mask, an index, a comparison.

    Attributes
    ----------
    draft
        The layer it became where weights read it after all.
    """

    def __init__(self) -> None:
        self.draft: Draft | None = None


class Static:
    """A value that does not depend on the input: a parameter, a table, a constant, a mask.

    Parameters
    ----------
    evaluate
        Computes the value.
    parameters
        Names of the parameters it is computed from.
    table
        Whether it was looked up in a table, as the embedding of a position is.
    """

    def __init__(self, evaluate: Callable[[], Any], parameters: tuple[str, ...] = (), *, table: bool = False) -> None:
        self.evaluate = evaluate
        self.parameters = parameters
        self.table = table


def varying(*tensors: Tensor) -> tuple[int, ...]:
    """The axes along which any of some tensors of one shape differs."""
    return tuple(axis for axis in range(tensors[0].ndim) if any(_varies(tensor, axis) for tensor in tensors))


def _varies(ids: Tensor, axis: int) -> bool:
    if ids.shape[axis] < 2 or ids.stride(axis) == 0 or not ids.numel():
        return False
    if ids.is_meta:
        return True
    line = condensed(ids, [axis])
    return bool((line != line[0]).any()) or not bool((ids == ids.narrow(axis, 0, 1)).all())


def firsts(tensor: Tensor, axes: Sequence[int], *, keep: bool = False) -> Tensor:
    """A tensor at the first place of some axes, which go, or keep size 1."""
    first: int | slice = slice(0, 1) if keep else 0
    index = [first if axis in axes else slice(None) for axis in range(tensor.ndim)]
    return tensor[tuple(index)]


def condensed(tensor: Tensor, axes: Sequence[int]) -> Tensor:
    """A tensor at the first place of all axes but the given ones."""
    return firsts(tensor, [axis for axis in range(tensor.ndim) if axis not in axes])


def spread(tensor: Tensor, axes: Sequence[int], shape: Sequence[int]) -> Tensor:
    """The reverse of `condensed`: the tensor repeated along all other axes of a shape."""
    wide = [1] * len(shape)
    for axis, size in zip(axes, tensor.shape, strict=True):
        wide[axis] = size
    return tensor.reshape(wide).expand(tuple(shape))


def same(first: Tensor, second: Tensor) -> bool:
    """Whether two tensors of numbers are equal."""
    return first is second or (first.shape == second.shape and torch.equal(first, second))
