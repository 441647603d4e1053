"""Parallel convolutions: their kernels add, and so does an identity beside a convolution."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from synaplex.graph.conv import ConvLink
from synaplex.graph.gain import GainLink
from synaplex.graph.identity import IdentityLink
from synaplex.graph.link import Link


def add_convolutions(first: Link, second: Link) -> ConvLink | None:
    """One convolution with the edges of both, or None where there is none.

    There is one if both are convolutions of one stride, padded by zeros, or one is, and the other an identity or a gain
    of its channels; or if both differ in nothing but their weights. The kernels are laid over each other.
    """
    if not isinstance(first, ConvLink):
        first, second = second, first
    if not isinstance(first, ConvLink):
        return None
    other = _as_convolution(second, first)
    if other is None or first.out_shape != other.out_shape or first.in_shape != other.in_shape:
        return None
    same = first.padding == other.padding and first.dilation == other.dilation and first.kernel == other.kernel
    if first.stride != other.stride or (first.padding_mode != other.padding_mode and not _reads_itself(other)):
        return None
    if first.padding_mode != "zeros" and not same:
        if not _reads_itself(other) or not _holds_centre(first):
            return None
        places = [-(-before // step) for (before, _), step in zip(first.padding, first.dilation, strict=True)]
        grid = replace(other, padding=first.padding, dilation=first.dilation, padding_mode=first.padding_mode)
        other = replace(grid, weight=_embed(other.weight, first.kernel, places, [1] * len(places)))
        same = True
    groups = math.gcd(first.groups, other.groups)
    first, other = _regroup(first, groups), _regroup(other, groups)
    if not same:
        first, other = _common_grid(first, other)
    return replace(first, weight=first.weight + other.weight)


def _as_convolution(link: Link, like: ConvLink) -> ConvLink | None:
    """A convolution, or a gain of the channels as one with a kernel of one place."""
    if isinstance(link, ConvLink):
        return link
    channels, *sizes = like.in_shape
    if isinstance(link, IdentityLink):
        gain = link.scale[..., None].expand(*link.scale.shape, channels)
    elif isinstance(link, GainLink) and (link.outer, link.inner) == (1, math.prod(sizes)):
        gain = link.gain
    else:
        return None
    axes = len(sizes)
    return ConvLink(
        source=link.source,
        target=link.target,
        name=link.name,
        weight=gain.reshape(*gain.shape, 1, *[1] * axes),
        in_shape=like.in_shape,
        stride=(1,) * axes,
        padding=((0, 0),) * axes,
        dilation=(1,) * axes,
        groups=channels,
    )


def _reads_itself(link: ConvLink) -> bool:
    """Whether each position reads the position it writes."""
    return set(link.kernel) == {1} and set(link.stride) == {1} and link.in_shape[1:] == link.out_shape[1:]


def _holds_centre(link: ConvLink) -> bool:
    """Whether some place of the kernel reads the position it writes."""
    axes = zip(link.kernel, link.padding, link.dilation, strict=True)
    return all(before % step == 0 and before // step < places for places, (before, _), step in axes)


def _regroup(link: ConvLink, groups: int) -> ConvLink:
    """The same convolution in fewer groups, with zeros where groups were apart."""
    if link.groups == groups:
        return link
    axes, parts = len(link.kernel), link.groups // groups
    lead, (out, *rest) = link.weight.shape[: -axes - 2], link.weight.shape[-axes - 2 :]
    split = link.weight.reshape(*lead, groups, parts, out // link.groups, *rest)
    apart = torch.eye(parts, dtype=link.dtype, device=link.device).view(1, parts, 1, parts, 1, *[1] * axes)
    joined = split.unsqueeze(-axes - 2) * apart  # (groups, parts, out, parts, channels, *kernel)
    weight = joined.flatten(-axes - 5, -axes - 3).flatten(-axes - 2, -axes - 1)
    return replace(link, weight=weight, groups=groups)


def _common_grid(first: ConvLink, second: ConvLink) -> tuple[ConvLink, ConvLink]:
    """Two convolutions with kernels of the same places, zeros where a kernel has none."""
    padding, dilation, kernel = [], [], []
    links = (first, second)
    starts: tuple[list[int], list[int]] = ([], [])
    steps: tuple[list[int], list[int]] = ([], [])
    for axis, size in enumerate(first.in_shape[1:]):
        offsets = [
            [place * link.dilation[axis] - link.padding[axis][0] for place in range(link.kernel[axis])]
            for link in links
        ]
        low, high = min(map(min, offsets)), max(map(max, offsets))
        step = math.gcd(*(offset - low for group in offsets for offset in group)) or 1
        kernel.append((high - low) // step + 1)
        dilation.append(step)
        reach = (first.out_shape[axis + 1] - 1) * first.stride[axis] + high
        padding.append((-low, reach + 1 - size))
        for number, group in enumerate(offsets):
            starts[number].append((group[0] - low) // step)
            steps[number].append((group[1] - group[0]) // step if len(group) > 1 else 1)
    laid = [
        replace(
            link,
            weight=_embed(link.weight, tuple(kernel), starts[number], steps[number]),
            padding=tuple(padding),
            dilation=tuple(dilation),
        )
        for number, link in enumerate(links)
    ]
    return laid[0], laid[1]


def _embed(weight: Tensor, kernel: tuple[int, ...], starts: list[int], steps: list[int]) -> Tensor:
    """A kernel in a larger one of zeros."""
    axes = len(kernel)
    larger = weight.new_zeros(*weight.shape[:-axes], *kernel)
    places: tuple[Any, ...] = tuple(
        slice(start, start + (size - 1) * step + 1, step)
        for start, step, size in zip(starts, steps, weight.shape[-axes:], strict=True)
    )
    larger[(..., *places)] = weight
    return larger
