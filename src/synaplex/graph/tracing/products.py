"""Products: with numbers and tensors they are gains, of activations with each other a layer fed by both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from synaplex.graph.link import Link
from synaplex.graph.tracing.call import Call, NotUnderstood, rule
from synaplex.graph.tracing.signal import NONE, Signal, Static, Unknown, condensed, same, varying
from synaplex.graph.tracing.sums import summarises
from synaplex.graph.tracing.wiring import diagonal, feed, gather, layer_like, order_in, owners, settled


@rule("mul", "multiply", "div", "divide", "true_divide", "__rmul__")
def _product(call: Call) -> Any:
    first, second = call["self"], call["other"]
    divides = call.operation in ("div", "divide", "true_divide")
    if isinstance(first, Signal) and isinstance(second, Signal):
        return multiply(call, first.expanded(call.shape), second.expanded(call.shape), divides=divides)
    if not isinstance(first, Signal) and not isinstance(second, Signal):
        return Unknown()
    signal, other = (first, second) if isinstance(first, Signal) else (second, first)
    if isinstance(other, Unknown) or (divides and isinstance(second, Signal)):
        return signal.expanded(call.shape).activated()
    value = torch.as_tensor(other.evaluate() if isinstance(other, Static) else other).detach()
    value = value if value.is_floating_point() else value.double()
    names = other.parameters if isinstance(other, Static) else ()
    name = "self" if other is first else "other"
    return scaled(call, signal, 1 / value if divides else value, names, call.layer_name(name), call.link_name(name))


@rule("neg", "negative")
def _negative(call: Call) -> Any:
    return call["self"].times(-1.0) if isinstance(call["self"], Signal) else Unknown()


def scaled(call: Call, signal: Signal, value: Tensor, names: Sequence[str], layer: str, link: str) -> Signal:
    """Activations times a parameter or constant.

    A parameter makes a new layer, each neuron fed by its own; so does a constant that differs from neuron to neuron. A
    number is kept pending. Along positions that share weights a parameter counts by its mean, and a constant by its
    first value, by which a rotation by the position is none.
    """
    if not names and value.numel() == 1:
        return times(call, signal.expanded(call.shape), float(value))
    wide = value.expand(call.shape)
    grows = [i for i, size in enumerate(call.shape) if size > 1 and _size(signal, i, call.shape) == 1]
    signal = signal.expanded(call.shape)
    axes = tuple(sorted({*signal.axes, *((set(grows) & set(varying(wide))) if names else ())}))
    others = [axis for axis in range(wide.ndim) if axis not in axes]
    if names and others:
        wide = wide.mean(others, keepdim=True)
    gain = condensed(wide, axes)
    if not names:
        if not bool(gain.any()):
            return Signal(torch.full((1,) * len(call.shape), NONE).expand(call.shape), frozenset())
        first = gain.reshape(-1)[0]
        if bool((gain == first).all()):
            return times(call, signal, float(first))
    signal = settled(call.assembly, signal, call.name)
    return gained(call, signal, axes, gain, names, layer, link)


def _size(signal: Signal, axis: int, shape: Sequence[int]) -> int:
    own = axis - len(shape) + signal.ids.ndim
    return signal.shape[own] if own >= 0 else 1


def gained(
    call: Call, signal: Signal, axes: Sequence[int], gain: Tensor, names: Sequence[str], layer: str, link: str
) -> Signal:
    """A new layer of neurons times their gains; `gain` broadcasts to the condensed tensor."""
    assembly = call.assembly
    ids = condensed(signal.ids, axes)
    before = owners(ids, signal, assembly)
    order = order_in(ids, before[0]) if len(before) == 1 else None
    if order is not None:
        (source,) = before
        draft = assembly.add_layer(layer, source.shape, source.axes)
        draft.incoming.append((source, diagonal(gain.expand(ids.shape).permute(order), _sizes(ids, order), link)))
        result = Signal(signal.ids + (draft.base - source.base), frozenset({draft}))
    else:
        draft = layer_like(assembly, layer, call.shape, axes, signal)
        feed(assembly, draft, ids.reshape(-1), signal, gain.expand(ids.shape).reshape(-1), link)
        result = assembly.signal(draft, axes, call.shape)
    assembly.record(names, "link", f"{' and '.join(source.name for source in before)} -> {draft.name}")
    return result


def _sizes(ids: Tensor, order: Sequence[int]) -> list[int]:
    return [ids.shape[axis] for axis in order]


def times(call: Call, signal: Signal, factor: float) -> Signal:
    """A number kept pending, or taken into links that carry one number each."""
    if len(signal.drafts) == 1 and signal.plain and factor != 1.0:
        (draft,) = signal.drafts
        if draft.product and call.exclusive(draft):
            draft.incoming = [(source, _multiplied(link, factor)) for source, link in draft.incoming]
            return signal
    return signal.times(factor)


def _multiplied(link: Link, factor: float) -> Link:
    return link.map(lambda weight: weight * factor)


def multiply(call: Call, first: Signal, second: Signal, *, divides: bool = False) -> Signal:
    """The product of two signals of one shape: a new layer that each feeds by weight 1.

    Of a layer with itself, as in x sigmoid(x), it is an activation function; with its own mean, variance or norm, a
    normalisation.
    """
    if same(first.ids, second.ids) or summarises(second, first):
        return first.activated()
    if summarises(first, second) and not divides:
        return second.activated()
    axes = varying(first.ids, second.ids)
    draft = layer_like(call.assembly, call.name, call.shape, axes, first, second)
    for one in (first, second):
        feed(call.assembly, draft, condensed(one.ids, axes).reshape(-1), one, one.weight(axes))
    return call.assembly.signal(draft, axes, call.shape)


MOST = 2**24
"""Edges of a product of activations, each of which joins two neurons of its own."""


def contracted(call: Call, first: Signal, second: Signal, name: str, weight: float = 1.0) -> Signal:
    """The matrix product of two tensors of activations.

    The neurons of a new layer are fed by all factors of their sum by `weight`; a sum over positions that share weights
    counts as their mean.
    """
    assembly, shape = call.assembly, call.shape
    first, second = (settled(assembly, one, name) if isinstance(one.scale, Tensor) else one for one in (first, second))
    rows = first.ids.expand(*shape[:-1], first.shape[-1])
    columns = second.ids.mT.expand(*shape[:-2], shape[-1], second.shape[-2])
    lead = {axis for ids in (rows, columns) for axis in varying(ids) if axis < len(shape) - 2}
    n, m = len(shape) - 2, len(shape) - 1
    axes = sorted(lead | ({n} if n in varying(rows) else set()) | ({m} if n in varying(columns) else set()))
    wide = (first.moved(lambda ids: _column(ids, -1)), second.moved(lambda ids: _column(ids, -2)))
    draft = layer_like(assembly, name, shape, axes, *(one.expanded(shape) for one in wide))
    draft.product = True
    for one, ids in ((first, rows[..., :, None, :]), (second, columns[..., None, :, :])):
        summed = ids if len(shape) in varying(ids) else ids[..., :1]
        if draft.size * summed.shape[-1] > MOST:
            raise NotUnderstood(f"a product of activations with more than {MOST:,} edges")
        groups = condensed(summed.expand(*shape, summed.shape[-1]), [*axes, len(shape)])
        gather(assembly, draft, groups.reshape(draft.size, -1), one, weight * float(one.scale))
    return assembly.signal(draft, axes, shape)


def _column(ids: Tensor, axis: int) -> Tensor:
    return ids.narrow(axis, 0, 1)
