"""Sums: residual additions are identity links, constants are biases or left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from synaplex.graph.tracing.call import Call, NotUnderstood, rule
from synaplex.graph.tracing.draft import Draft
from synaplex.graph.tracing.signal import NONE, Signal, Static, Unknown, condensed, same, varying
from synaplex.graph.tracing.wiring import feed, join_axes, layer_like, order_in


@rule("add", "sub", "rsub", "subtract", "__radd__", "__rsub__")
def _sum(call: Call) -> Any:
    first, second = call["self"], call["other"]
    factor = call.get("alpha", 1)
    if not isinstance(factor, int | float):
        raise NotUnderstood("its factor alpha is computed")
    factor = float(factor) if call.operation == "add" else -float(factor)
    if call.operation == "rsub":
        first, second = second, first
        if call.get("alpha", 1) != 1:
            raise NotUnderstood("its factor alpha is not 1")
    if isinstance(first, Signal) and isinstance(second, Signal):
        first, second = first.expanded(call.shape), second.expanded(call.shape)
        if factor < 0 and summarises(second, first):  # centring, a part of a normalisation
            return first.activated()
        return add(call, first, second.times(factor))
    if not isinstance(first, Signal) and not isinstance(second, Signal):
        return Unknown()
    signal, other = (first, second) if isinstance(first, Signal) else (second.times(factor), first)
    return plus_constant(call, signal.expanded(call.shape), other, exact=isinstance(first, Signal) and factor == 1)


def summarises(summary: Signal, signal: Signal) -> bool:
    """Whether one holds means, variances or the like of the other."""
    return bool(summary.drafts) and all(
        draft.summary_of and draft.summary_of <= signal.drafts for draft in summary.drafts
    )


def plus_constant(call: Call, signal: Signal, other: Any, *, exact: bool) -> Signal:
    """A constant added to activations: a bias of a layer of plain sums that nothing else reads, or left out."""
    names = other.parameters if isinstance(other, Static) else ()
    found = _as_bias(call, signal, other) if exact else None
    if found is not None:
        draft, bias = found
        call.add_bias(draft, bias, names)
        return signal
    where = " and ".join(sorted(draft.name for draft in signal.drafts))
    kind = "a table looked up by position" if isinstance(other, Static) and other.table else "a constant"
    call.assembly.record(names, "left out", f"{kind}, added to {where}; joins no neurons")
    return signal


def _as_bias(call: Call, signal: Signal, other: Any) -> tuple[Draft, Tensor] | None:
    """The layer that a constant is a bias of, and the bias in the layer's order."""
    if not signal.plain or len(signal.drafts) != 1 or (isinstance(other, Static) and other.table):
        return None
    value = torch.as_tensor(other.evaluate() if isinstance(other, Static) else other if _number(other) else torch.nan)
    (draft,) = signal.drafts
    if not value.is_floating_point() or draft.is_input:
        return None
    if not value.is_meta and not bool(torch.isfinite(value).all()):
        return None
    if not (isinstance(other, Static) and (other.parameters or value.numel() > 1)) or not call.exclusive(draft):
        return None
    axes = signal.axes
    order = order_in(condensed(signal.ids, axes), draft)
    wide = value.detach().expand(call.shape)
    if order is None or not set(varying(wide)) <= set(axes):
        return None
    return draft, condensed(wide, axes).permute(order).reshape(-1)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def add(call: Call, first: Signal, second: Signal) -> Signal:
    """The sum of two signals of one shape, kept in the layer of one where nothing else reads it.

    Preferred is a layer of plain sums, then the later one. The other joins it by identity or selection, or, being a
    layer of plain sums that nothing else reads, by its own links. Where both are read elsewhere the sum is a new layer.
    """
    if same(first.ids, second.ids):
        return _same_neurons(first, second)
    if not bool((second.ids != NONE).any()):
        return first
    if not bool((first.ids != NONE).any()):
        return second
    axes = varying(first.ids, second.ids)
    holders = [one for one in ((first, second), (second, first)) if _holder(call, one[0], axes) is not None]
    if not holders:
        return _new_sum(call, first, second, axes)
    place = {draft: i for i, draft in enumerate(call.assembly.drafts)}
    holders.sort(key=lambda pair: (pair[0].linear, place[_only(pair[0])]))
    held, other = holders[-1]
    draft, order = _only(held), order_in(condensed(held.ids, axes), _only(held)) or ()
    ids = condensed(other.ids, axes).permute(order).reshape(-1)
    join_axes(call.assembly, draft, axes, order, other)
    if len(holders) == 2 and other.linear and same(ids, _only(other).ids.reshape(-1)):
        call.assembly.absorb(draft, _only(other))
    else:
        weight = other.weight(axes)
        if isinstance(weight, Tensor):
            weight = condensed(torch.as_tensor(other.scale).expand(other.shape), axes).permute(order).reshape(-1)
        sources = feed(call.assembly, draft, ids, other, weight)
        if any(place[source] > place[draft] for source in sources):
            call.assembly.move_last(draft)
    return replace(held, softmax=False)


def _only(signal: Signal) -> Draft:
    (draft,) = signal.drafts
    return draft


def _holder(call: Call, signal: Signal, axes: tuple[int, ...]) -> Draft | None:
    """The layer that can take a sum: one that is this operand, whole and times 1, and that nothing else reads."""
    if len(signal.drafts) != 1 or not isinstance(signal.scale, float) or signal.scale != 1.0:
        return None
    draft = _only(signal)
    if draft.is_input or draft.summary_of or not call.exclusive(draft):
        return None
    return draft if order_in(condensed(signal.ids, axes), draft) is not None else None


def _same_neurons(first: Signal, second: Signal) -> Signal:
    if not (first.linear and second.linear):
        return first.activated()
    return replace(first, scale=first.scale + second.scale, softmax=False)


def _new_sum(call: Call, first: Signal, second: Signal, axes: tuple[int, ...]) -> Signal:
    draft = layer_like(call.assembly, call.name, call.shape, axes, first, second)
    for one in (first, second):
        feed(call.assembly, draft, condensed(one.ids, axes).reshape(-1), one, one.weight(axes))
    return call.assembly.signal(draft, axes, call.shape)
