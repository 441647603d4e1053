"""Linear maps: one link for all positions that share their weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from synaplex.graph.conv import conv_link
from synaplex.graph.dense import DenseLink
from synaplex.graph.link import Link
from synaplex.graph.matrix import link_from_matrix
from synaplex.graph.repeated import RepeatedLink
from synaplex.graph.tracing.assembly import common_shape
from synaplex.graph.tracing.attention import feeds_softmax, product_of
from synaplex.graph.tracing.axis import Axis
from synaplex.graph.tracing.call import Call, NotUnderstood, rule
from synaplex.graph.tracing.draft import Draft
from synaplex.graph.tracing.products import MOST, gained, times
from synaplex.graph.tracing.signal import NONE, Signal, Static, condensed
from synaplex.graph.tracing.sums import add, plus_constant
from synaplex.graph.tracing.wiring import axis_of, copied, dimension, mark, order_in, owners, weigh


@rule("linear")
def _linear(call: Call) -> Any:
    if not isinstance(call["weight"], Static):
        raise NotUnderstood("its weights depend on the input")
    return _biased(call, linear_from_right(call, call.settled("input"), "weight", turned=True), call["bias"])


@rule("addmm", "baddbmm", "addbmm")
def _added(call: Call) -> Any:
    first = "mat1" if "mat1" in call.arguments else "batch1"
    second = "mat2" if "mat2" in call.arguments else "batch2"
    if call["beta"] not in (0, 1):
        raise NotUnderstood("its factor beta is not 1")
    result = product(call, first, second)
    result = result if call["alpha"] == 1 else times(call, result, float(call["alpha"]))
    return _biased(call, result, call["self"] if call["beta"] else None)


def _biased(call: Call, result: Signal, bias: Any) -> Signal:
    if isinstance(bias, Signal):
        return add(call, result, bias.expanded(call.shape))
    return result if bias is None else plus_constant(call, result, bias, exact=True)


@rule("matmul", "bmm", "mm", "mv")
def _product(call: Call) -> Any:
    first, second = list(call.arguments)[:2]
    return product(call, first, second)


def product(call: Call, first: str, second: str) -> Signal:
    """A matrix product of two arguments, of which at least one depends on the input."""
    if isinstance(call[second], Static):
        return linear_from_right(call, call.settled(first), second)
    if isinstance(call[first], Static):
        return linear_from_left(call, first, call.settled(second))
    return product_of(call, call.signal(first), call.signal(second))


def linear_from_right(call: Call, signal: Signal, weight: str, *, turned: bool = False) -> Signal:
    """Activations times weights ``(in, out)``, or ``(out, in)`` where `turned`."""
    matrix = _matrix(call, weight)
    if matrix.ndim == 1:
        wide = contract(call, signal, matrix[None], weight)
        return wide.moved(lambda ids: ids[..., 0])
    return contract(call, signal, matrix if turned else matrix.mT, weight)


def linear_from_left(call: Call, weight: str, signal: Signal) -> Signal:
    """Weights ``(out, in)`` times activations, which they mix along the last axis but one."""
    matrix = _matrix(call, weight)
    if signal.ids.ndim == 1 or matrix.ndim == 1:
        turned = signal.moved(lambda ids: ids.mT) if signal.ids.ndim > 1 else signal
        made = contract(call, turned, matrix.reshape(-1, matrix.shape[-1]), weight)
        return made.moved(lambda ids: ids.reshape(call.shape))
    return contract(call, signal.moved(lambda ids: ids.mT), matrix, weight).moved(lambda ids: ids.mT)


def _matrix(call: Call, weight: str) -> Tensor:
    matrix = call.tensor(weight)
    if matrix is None or not matrix.is_floating_point():
        raise NotUnderstood("its weights are not floating-point numbers")
    while matrix.ndim > 2 and matrix.shape[0] == 1:
        matrix = matrix[0]
    return matrix


def contract(call: Call, signal: Signal, matrix: Tensor, weight: str) -> Signal:
    """The last axis of a signal replaced by that of a new layer, which it feeds by a matrix ``(out, in)``.

    Positions along which neurons do not differ share one link. Other positions are neurons themselves and stay so: the
    same link repeated, or a convolution of kernel 1 where features come before positions.
    """
    if matrix.ndim > 2:
        return _batched(call, signal, matrix, weight)
    assembly, last = call.assembly, signal.ids.ndim - 1
    rows = [axis for axis in signal.axes if axis != last]
    mark(assembly, signal, [last], "mixed")
    mark(assembly, signal, rows, "rows")
    if last not in signal.axes and signal.shape[-1] > 1:
        return _mixed_positions(call, signal, matrix, weight)
    ids = condensed(signal.ids, [*rows, last])
    blocks = _blocks(ids, signal, call)
    if blocks is None:
        signal = copied(assembly, signal, [*rows, last], call.named("input"))
        ids = condensed(signal.ids, [*rows, last])
        blocks = _blocks(ids, signal, call)
        assert blocks is not None
    name = call.link_name(weight)
    sizes = [signal.shape[axis] for axis in rows]
    features_first = bool(rows) and blocks[0][2]
    inner = {axis.root() for axis in axis_of(assembly, signal, last)}
    row_axes = [_row_axis(call, signal, axis, inner) for axis in rows]
    own = Axis(kind="feature")
    shape, axes = [*sizes, len(matrix)], [*row_axes, own]
    if features_first:
        shape, axes = [len(matrix), *sizes], [own, *row_axes]
    draft = assembly.add_layer(call.layer_name(weight), shape, axes)
    for source, place, _ in blocks:
        block = matrix if place == slice(0, matrix.shape[1]) else matrix[:, place]
        draft.incoming.append((source, _link(block, math.prod(sizes), bool(rows), features_first, name)))
    joined = " and ".join(dict.fromkeys(source.name for source, _, _ in blocks))
    assembly.record(call.parameters(weight), "link", f"{joined} -> {draft.name}")
    order = [*range(1, len(shape)), 0] if features_first else ()
    wide = (*signal.shape[:-1], len(matrix))
    kept = [*rows, last] if len(matrix) > 1 or rows else [last]
    return assembly.signal(draft, kept, wide, order)


def _row_axis(call: Call, signal: Signal, axis: int, inner: set[Axis]) -> Axis:
    """The dimension of a row: that of the layers read, but for patches, whose rows and columns cut one in two."""
    along = axis_of(call.assembly, signal, axis)
    if inner & {one.root() for one in along}:
        return Axis((call.node, axis), "position")
    return Axis.merged(along)


def _link(matrix: Tensor, times: int, repeated: bool, features_first: bool, name: str) -> Link:
    if not repeated:
        return link_from_matrix(matrix, source=0, target=0, name=name)
    if features_first:
        return conv_link(matrix[..., None], (matrix.shape[1], times), name=name)
    once = DenseLink(source=0, target=0, name=name, weight=matrix)
    return RepeatedLink(source=0, target=0, name=name, link=once, times=times)


Block = tuple[Draft, slice | Tensor, bool]
"""A layer, the columns that read it, and whether its features come before its positions."""


def _blocks(ids: Tensor, signal: Signal, call: Call) -> list[Block] | None:
    """Whole layers side by side along the last axis, in an order that one link can read; None if that is not so."""
    top = ids.reshape(-1, ids.shape[-1])[0]
    found: list[Block] = []
    for source in owners(ids, signal, call.assembly):
        own = ((top >= source.base) & (top < source.base + source.size)).nonzero()[:, 0]
        if not len(own):
            return None
        place = slice(int(own[0]), int(own[-1]) + 1)
        inside = ids[..., place]
        whole = len(own) == inside.shape[-1]
        order = order_in(inside, source) if whole else None
        if order is None and ids.ndim == 1 and len(own) == source.size:  # the same neurons in another order
            local = ids[own] - source.base
            if torch.equal(local.sort().values, torch.arange(source.size)):
                found.append((source, own[local.argsort()], False))
                continue
        if order is None:
            return None
        dims = inside.ndim
        if order == tuple(range(dims)):
            found.append((source, place, False))
        elif order == (dims - 1, *range(dims - 1)):
            found.append((source, place, True))
        else:
            return None
    if not found or len({turned for *_, turned in found}) > 1:
        return None
    return found if _only_whole(ids, found) else None


def _only_whole(ids: Tensor, found: Sequence[Block]) -> bool:
    """Whether constants, where there are any, fill whole columns."""
    zero = ids.reshape(-1, ids.shape[-1]) == NONE
    return bool((zero.any(0) == zero.all(0)).all()) and bool(found)


def _batched(call: Call, signal: Signal, matrices: Tensor, weight: str) -> Signal:
    """The last axis of a signal replaced by that of a new layer, by a matrix ``(..., out, in)`` for each place before.

    Where a softmax follows, the new axis holds tokens and the matrices are keys for their places: scores have one
    neuron a head, and what differs from place to place counts by its mean.
    """
    last, out = signal.ids.ndim - 1, matrices.shape[-2]
    lead = common_shape(signal.shape[:-2], matrices.shape[:-2])
    if len(lead) != last - 1:
        raise NotUnderstood(f"its weights have shape {tuple(matrices.shape)}, with more axes than what they read")
    mark(call.assembly, signal, [last], "mixed")
    wide = signal.expanded((*lead, *signal.shape[-2:]))
    made, count = (*wide.shape[:-1], out), wide.shape[-1]
    weights = matrices[..., None, :, :].expand(*made, count)
    kept = {axis for axis in wide.axes if axis != last}
    places = {axis for axis in range(last - 1) if lead[axis] > 1 and weights.stride(axis)}
    if call.scores or feeds_softmax(call.node):
        weights = weights.mean([*(places - kept), last], keepdim=True).expand(*made, count)
        axes = sorted(kept)
    else:
        axes = [*sorted(kept | places), last]
    size = math.prod(made[axis] for axis in axes)
    if size * count > MOST:
        raise NotUnderstood(f"a matrix for each place of a batch, with more than {MOST:,} weights in all")
    joined = [Axis() if axis == last else dimension(call.assembly, wide, axis) for axis in axes]
    draft = call.assembly.add_layer(call.layer_name(weight), [made[axis] for axis in axes], joined)
    ids = condensed(wide.ids[..., None, :].expand(*made, count), [*axes, last + 1]).reshape(size, count)
    each = condensed(weights, [*axes, last + 1]).reshape(size, count)
    sources = weigh(call.assembly, draft, ids, wide, each, call.link_name(weight))
    read = " and ".join(source.name for source in sources)
    call.assembly.record(call.parameters(weight), "link", f"{read} -> {draft.name}")
    return call.assembly.signal(draft, axes, made)


def _mixed_positions(call: Call, signal: Signal, matrix: Tensor, weight: str) -> Signal:
    """A mixing of positions that share their neurons: each neuron passes to itself by the mean row sum."""
    share = matrix.double().sum(-1).mean()
    narrow = signal.moved(lambda ids: ids[..., :1].expand(*ids.shape[:-1], len(matrix)))
    names = call.parameters(weight)
    if not names:
        return narrow.times(float(share))
    shaped = replace(call, result=torch.empty(narrow.shape, device="meta"))
    gain = share.reshape((1,) * len(narrow.axes))
    return gained(shaped, narrow, narrow.axes, gain, names, call.layer_name(weight), call.link_name(weight))
