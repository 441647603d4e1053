"""Means, sums and other summaries over axes: links that fold neurons together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from synaplex.graph.fold import FoldLink
from synaplex.graph.tracing.call import Call, NotUnderstood, rule
from synaplex.graph.tracing.signal import Signal, Unknown, condensed, firsts
from synaplex.graph.tracing.wiring import dimension, gather, order_in, settled

_LINEAR = ("mean", "sum")


@rule("mean", "sum", "amax", "amin", "var", "std", "norm", "linalg_vector_norm", "logsumexp", "max", "min", "median")
def _summary(call: Call) -> Any:
    """A summary of neurons; along positions that share weights, that of one position.

    Means and sums are the links they are. A maximum passes each of n neurons by 1/n; so does every other summary.
    """
    value = call.first
    if not isinstance(value, Signal):
        return [Unknown(), Unknown()] if isinstance(call.result, tuple | list) else Unknown()
    dims = _axes(call, value)
    linear = call.operation in _LINEAR
    result = fold(call, value, dims, call.name, total=call.operation == "sum", summary=True)
    result = result if linear else result.activated()
    if not call.get("keepdim", False):
        result = result.moved(lambda ids: firsts(ids, dims))
    return [result, Unknown()] if isinstance(call.result, tuple | list) else result


@rule("var_mean", "std_mean")
def _both(call: Call) -> Any:
    value = call.signal("self")
    dims = _axes(call, value)
    mean = fold(call, value, dims, call.name, total=False, summary=True)
    if not call.get("keepdim", False):
        mean = mean.moved(lambda ids: firsts(ids, dims))
    return [mean.activated(), mean]


@rule("cumsum", "cumprod", "logcumsumexp", "cummax", "cummin")
def _running(call: Call) -> Any:
    value = call["self"]
    if not isinstance(value, Signal):
        return Unknown()
    if call["dim"] % value.ids.ndim in value.axes:
        raise NotUnderstood("it sums up neurons one after the other")
    return value.activated()


def _axes(call: Call, value: Signal) -> list[int]:
    dims = call.get("dim")
    every = list(range(value.ids.ndim))
    if dims is None or dims == []:
        return every
    return sorted(axis % max(len(every), 1) for axis in (dims if isinstance(dims, tuple | list) else [dims]))


def mean_over(call: Call, signal: Signal, axes: Sequence[int], name: str) -> Signal:
    """The mean over axes, which keep size 1."""
    return fold(call, signal, axes, name, total=False, summary=False)


def fold(call: Call, signal: Signal, dims: Sequence[int], name: str, *, total: bool, summary: bool) -> Signal:
    """The mean or total over axes of a signal, which keep size 1.

    Along axes where neurons do not differ the mean is the neuron, the total as many times that. Else a new layer.
    """
    assembly, axes = call.assembly, signal.axes
    shape = tuple(1 if axis in dims else size for axis, size in enumerate(signal.shape))
    folded = [axis for axis in dims if axis in axes]
    positions = math.prod(signal.shape[axis] for axis in dims if axis not in folded)
    first = signal.moved(lambda ids: firsts(ids, [axis for axis in dims if axis not in folded], keep=True))
    first = first.times(float(positions)) if total and positions != 1 else first
    if not folded:
        return first
    before = signal.drafts
    first = settled(assembly, first, call.name)
    axes = first.axes
    kept = [axis for axis in axes if axis not in folded]
    ids = condensed(first.ids, axes)
    count = math.prod(first.shape[axis] for axis in folded)
    weight = 1.0 if total else 1.0 / count
    order = order_in(ids, *first.drafts) if len(first.drafts) == 1 else None
    layout = [axes[place] for place in order] if order is not None else list(axes)
    target = [axis for axis in layout if axis in kept]
    draft = assembly.add_layer(
        name,
        [first.shape[axis] for axis in target],
        [dimension(assembly, first, axis) for axis in target],
    )
    run = [place for place, axis in enumerate(layout) if axis in folded]
    if order is not None and run == list(range(run[0], run[-1] + 1)):
        sizes = [first.shape[axis] for axis in layout]
        scale = torch.tensor(weight, dtype=torch.float64, device=assembly.device)
        outer, inner = math.prod(sizes[: run[0]]), math.prod(sizes[run[-1] + 1 :])
        link = FoldLink(source=0, target=0, outer=outer, positions=count, inner=inner, scale=scale)
        (source,) = first.drafts
        draft.incoming.append((source, link))
    else:
        places = [axes.index(axis) for axis in (*target, *folded)]
        gather(assembly, draft, ids.permute(places).reshape(draft.size, -1), first, weight)
    if summary:
        draft.summary_of = before | first.drafts
    back = [target.index(axis) for axis in kept]
    return replace(assembly.signal(draft, kept, shape, back if kept else ()), linear=True)
