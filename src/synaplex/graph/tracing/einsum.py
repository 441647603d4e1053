"""Einstein sums of two factors, brought into the form of a matrix product."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from synaplex.graph.tracing.attention import product_of
from synaplex.graph.tracing.call import Call, NotUnderstood, rule
from synaplex.graph.tracing.linear import contract
from synaplex.graph.tracing.signal import Signal, Static


@rule("einsum")
def _einsum(call: Call) -> Any:
    """Two factors, of which at most one depends on the input, or both as in attention."""
    left, _, result = call["equation"].replace(" ", "").partition("->")
    names, operands = left.split(","), call["tensors"]
    if len(operands) != 2 or "." in left:
        raise NotUnderstood("a product of other than two factors without ellipses")
    if isinstance(operands[0], Static):
        names, operands = names[::-1], operands[::-1]
    (first, second), (one, two) = names, operands
    if not isinstance(one, Signal):
        raise NotUnderstood("it reads no activations")
    summed = [axis for axis in first if axis in second and axis not in result]
    batch = [axis for axis in first if axis in second and axis in result]
    free = [axis for axis in second if axis not in first]
    rest = [axis for axis in first if axis not in second]
    if not set(rest + free) <= set(result) or len(set(first)) < len(first) or len(set(second)) < len(second):
        raise NotUnderstood("it sums over an axis of one factor alone")
    sizes = dict(
        zip(first + second, [*one.shape, *call.recorded["tensors"][call["tensors"].index(two)].shape], strict=True)
    )
    signal = one.moved(
        lambda ids: ids.permute([first.index(axis) for axis in batch + rest + summed]).reshape(
            *(sizes[axis] for axis in batch + rest), math.prod(sizes[axis] for axis in summed)
        )
    )
    order = [second.index(axis) for axis in batch + summed + free]
    if isinstance(two, Static):
        shape = [sizes[axis] for axis in batch] + [1] * (len(rest) - 1 if batch else 0)
        matrix = two.evaluate().detach().permute(order)
        matrix = matrix.reshape(*shape, math.prod(sizes[a] for a in summed), math.prod(sizes[a] for a in free))
        part = replace(call, arguments={**call.arguments, "weight": two})
        if batch and not rest:
            signal = signal.moved(lambda ids: ids[..., None, :])
        made = contract(part, signal, matrix.mT, "weight")
    else:
        other = two.moved(
            lambda ids: ids.permute(order).reshape(
                *(sizes[axis] for axis in batch),
                math.prod(sizes[axis] for axis in summed),
                math.prod(sizes[axis] for axis in free),
            )
        )
        flat = signal.moved(
            lambda ids: ids.reshape(*(sizes[axis] for axis in batch), math.prod(sizes[a] for a in rest), ids.shape[-1])
        )
        made = product_of(call.giving((*flat.shape[:-1], other.shape[-1])), flat, other)
    now = batch + rest + free
    return made.moved(
        lambda ids: ids.reshape([sizes[axis] for axis in now]).permute([now.index(axis) for axis in result])
    )
