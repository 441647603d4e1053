"""Convolutions and pooling: links between images, whose places are neurons."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from synaplex.graph.conv import conv_link
from synaplex.graph.conv_transpose import conv_transpose_link
from synaplex.graph.dense import DenseLink
from synaplex.graph.link import Link
from synaplex.graph.pool import adaptive_average_pool, adaptive_max_pool, average_pool, max_pool
from synaplex.graph.repeated import RepeatedLink
from synaplex.graph.sparse import SparseLink
from synaplex.graph.tracing.axis import Axis
from synaplex.graph.tracing.call import Call, NotUnderstood, rule
from synaplex.graph.tracing.draft import Draft
from synaplex.graph.tracing.signal import NONE, Signal, Static, Unknown, condensed, firsts
from synaplex.graph.tracing.sums import plus_constant
from synaplex.graph.tracing.wiring import copied, mark, owners, settled


@rule("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "convolution")
def _convolution(call: Call) -> Any:
    weight = call.tensor("weight")
    if weight is None or not isinstance(call["input"], Signal):
        raise NotUnderstood("it convolves with activations, or something other than activations")
    axes = weight.ndim - 2
    transposed = call.operation.startswith("conv_transpose") or bool(call.get("transposed"))
    signal, groups = call.settled("input"), call["groups"]
    lead = signal.ids.ndim - axes - 1
    _mark(call, signal, lead, weight.shape[2:], call["stride"])
    blocks = _images(call, signal, lead, one=groups > 1)
    name, options = call.link_name("weight"), {key: call[key] for key in ("stride", "dilation")}
    options = {key: _each(value, axes) for key, value in options.items()}
    incoming: list[tuple[Draft, Link]] = []
    for source, place, shape in blocks:
        if transposed:
            part = weight if place == slice(0, len(weight)) else weight[place]
            link: Link = conv_transpose_link(
                part,
                shape,
                padding=_each(call["padding"], axes),
                output_padding=_each(call["output_padding"], axes),
                groups=groups,
                name=name,
                **options,
            )
        else:
            part = weight if groups > 1 or place == slice(0, weight.shape[1]) else weight[:, place]
            link = _convolve(part, shape, call["padding"], options, groups, name)
        incoming.append((source, link))
    draft = _image_layer(call, call.layer_name("weight"), lead)
    draft.incoming += incoming
    joined = " and ".join(dict.fromkeys(source.name for source, _, _ in blocks))
    call.assembly.record(call.parameters("weight"), "link", f"{joined} -> {draft.name}")
    result = call.assembly.signal(draft, range(lead, signal.ids.ndim), call.shape)
    bias = call["bias"]
    if bias is None:
        return result
    wide = Static(lambda: bias.evaluate().reshape(-1, *[1] * axes), bias.parameters)
    return plus_constant(call, result, wide, exact=True)


def _convolve(
    weight: Tensor, shape: tuple[int, ...], padding: Any, options: dict[str, Any], groups: int, name: str
) -> Link:
    """A convolution; one whose kernel covers the whole image is a dense link."""
    pads: Any = _each(padding, len(shape) - 1)
    if groups == 1 and tuple(weight.shape[2:]) == shape[1:] and not (set(pads) - {0} and padding != "valid"):
        return DenseLink(source=0, target=0, name=name, weight=weight.flatten(1))
    return conv_link(weight, shape, padding=pads, groups=groups, name=name, **options)


def _each(value: Any, axes: int) -> Any:
    """One number for each axis."""
    if isinstance(value, str) or value is None:
        return value
    return tuple(value) * axes if len(value) == 1 else tuple(value)


def _mark(call: Call, signal: Signal, lead: int, kernel: Sequence[int], stride: Any) -> None:
    """Channels are mixed, and so are places that windows of more than one place, or steps of more than one, read."""
    mark(call.assembly, signal, [lead], "mixed")
    steps = _each(stride, len(kernel)) or tuple(kernel)
    for axis, (size, step) in enumerate(zip(kernel, steps, strict=True), lead + 1):
        if size > 1 or step > 1:
            mark(call.assembly, signal, [axis], "windows")


def _images(call: Call, signal: Signal, lead: int, *, one: bool) -> list[tuple[Draft, slice, tuple[int, ...]]]:
    """The layers side by side along the channels, each a whole image; all in one new layer where that is not so."""
    axes = range(lead, signal.ids.ndim)
    ids = condensed(signal.ids, axes)
    found = _side_by_side(ids, owners(ids, signal, call.assembly))
    if found is None or (one and [shape for *_, shape in found] != [tuple(ids.shape)]):
        (draft,) = copied(call.assembly, signal, axes, call.named("input")).drafts
        return [(draft, slice(0, ids.shape[0]), tuple(ids.shape))]
    return found


def _side_by_side(ids: Tensor, sources: Sequence[Draft]) -> list[tuple[Draft, slice, tuple[int, ...]]] | None:
    found = []
    positions = max(math.prod(ids.shape[1:]), 1)
    starts = ids.reshape(ids.shape[0], -1)[:, 0]
    for source in sources:
        start = (starts == source.base).nonzero()[:, 0]
        if len(start) != 1 or source.size % positions:
            return None
        place = slice(int(start[0]), int(start[0]) + source.size // positions)
        image = ids[place]
        if image.numel() != source.size or not torch.equal(image.reshape(-1), source.ids.view(-1)):
            return None
        found.append((source, place, tuple(image.shape)))
    held = int((ids != NONE).sum())
    return found if found and held == sum(source.size for source, *_ in found) else None


def _image_layer(call: Call, name: str, lead: int, shape: Sequence[int] | None = None) -> Draft:
    """A new layer for the image that comes out, all of its dimensions new."""
    sizes = tuple(call.shape[lead:]) if shape is None else tuple(shape)
    kinds: Any = ("feature", *["position"] * (len(sizes) - 1))
    births = [Axis((call.node, lead + place), kind) for place, kind in enumerate(kinds)]
    return call.assembly.add_layer(name, sizes, births)


_AVERAGE = ("avg_pool1d", "avg_pool2d", "avg_pool3d")
_MAXIMUM = tuple(f"max_pool{n}d{rest}" for n in (1, 2, 3) for rest in ("", "_with_indices"))
_ADAPTIVE = tuple(f"adaptive_{kind}_pool{n}d" for n in (1, 2, 3) for kind in ("avg", "max"))


@rule(*_AVERAGE, *_MAXIMUM, *_ADAPTIVE, *(f"_adaptive_avg_pool{n}d" for n in (2, 3)))
def _pool(call: Call) -> Any:
    """Pooling within each channel; along positions that share weights there is nothing to pool."""
    signal = call["self"]
    if not isinstance(signal, Signal):
        return Unknown()
    result = call.result[0] if isinstance(call.result, tuple | list) else call.result
    call = call.giving(result.shape)
    axes = int(call.operation.removesuffix("_with_indices")[-2])
    lead = signal.ids.ndim - axes - 1
    if not set(signal.axes) & set(range(lead + 1, signal.ids.ndim)):
        pooled: Any = signal.moved(
            lambda ids: firsts(ids, range(lead + 1, ids.ndim), keep=True).expand(call.shape)
        ).activated()
    else:
        pooled = _windows(call, settled(call.assembly, signal, call.name), lead, axes)
    return [pooled, Unknown()] if isinstance(call.node.meta["val"], tuple | list) else pooled


def _windows(call: Call, signal: Signal, lead: int, axes: int) -> Signal:
    adaptive = "adaptive" in call.operation
    if adaptive:
        _mark(call, signal, lead, [2] * axes, [1])
    else:
        _mark(call, signal, lead, _each(call["kernel_size"], axes), call["stride"])
    blocks = _images(call, signal, lead, one=True)
    source, _, shape = blocks[0]
    maximum = "max" in call.operation
    if adaptive:
        make = adaptive_max_pool if maximum else adaptive_average_pool
        link: Link = make(shape, call.shape[lead + 1 :], name="")
    else:
        common = {"stride": _each(call["stride"], axes) or None, "padding": _each(call["padding"], axes)}
        common["ceil_mode"] = call["ceil_mode"]
        kernel = _each(call["kernel_size"], axes)
        if maximum:
            link = max_pool(shape, kernel, dilation=_each(call["dilation"], axes), **common)
        else:
            rest = {"count_include_pad": call["count_include_pad"], "divisor": call.get("divisor_override")}
            link = average_pool(shape, kernel, **common, **rest)
    draft = _image_layer(call, call.module or call.operation, lead)
    draft.incoming.append((source, link))
    result = call.assembly.signal(draft, range(lead, signal.ids.ndim), call.shape)
    return result.activated() if maximum else result


_UPSAMPLING = (
    *("upsample_linear1d", "upsample_bilinear2d", "upsample_bicubic2d", "upsample_trilinear3d"),
    *("_upsample_bilinear2d_aa", "_upsample_bicubic2d_aa"),
)


@rule(*_UPSAMPLING)
def _resample(call: Call) -> Any:
    """Interpolation: the weights it has by geometry, the same for all channels."""
    if not isinstance(call.first, Signal):
        return Unknown()
    signal = settled(call.assembly, call.first, call.name)
    lead = 1
    axes = signal.ids.ndim - 2
    if not set(signal.axes) & set(range(lead + 1, signal.ids.ndim)):
        return signal.moved(lambda ids: firsts(ids, range(lead + 1, ids.ndim), keep=True).expand(call.shape))
    _mark(call, signal, lead, [2] * axes, [1])
    ((source, _, shape),) = _images(call, signal, lead, one=True)
    operation = cast("Callable[..., Tensor]", call.node.target)
    rest = {name: value for name, value in call.arguments.items() if value is not call.first}
    edges = [_along(operation, rest, shape, axis) for axis in range(axes)]
    once = _kron(edges)
    draft = _image_layer(call, call.module or call.operation, lead)
    draft.incoming.append((source, RepeatedLink(source=0, target=0, link=once, times=shape[0])))
    return call.assembly.signal(draft, range(lead, signal.ids.ndim), call.shape)


def _along(operation: Callable[..., Tensor], rest: dict[str, Any], shape: tuple[int, ...], axis: int) -> Tensor:
    """The matrix (out, in) of an interpolation along one axis: what it makes of unit images one place wide."""
    size = shape[1 + axis]
    wide = [1] * len(shape)
    wide[1 + axis] = size
    made = operation(torch.eye(size, dtype=torch.float64).view(size, *wide), **rest)
    return condensed(made, [0, 2 + axis]).mT


def _kron(matrices: Sequence[Tensor]) -> SparseLink:
    """The sparse link whose matrix is the Kronecker product of small matrices."""
    row, column = torch.zeros(1, dtype=torch.long), torch.zeros(1, dtype=torch.long)
    weight, out_size, in_size = torch.ones(1, dtype=torch.float64), 1, 1
    for matrix in matrices:
        rows, columns = matrix.nonzero(as_tuple=True)
        row = (row[:, None] * matrix.shape[0] + rows).flatten()
        column = (column[:, None] * matrix.shape[1] + columns).flatten()
        weight = (weight[:, None] * matrix[rows, columns]).flatten()
        out_size, in_size = out_size * matrix.shape[0], in_size * matrix.shape[1]
    return SparseLink.from_edges(row, column, weight, (out_size, in_size), source=0, target=0)
