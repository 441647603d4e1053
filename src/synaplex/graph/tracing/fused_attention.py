"""Attention in one operation: the same graph as its products give one by one."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from synaplex.graph.tracing.attention import attended, without_tokens
from synaplex.graph.tracing.call import Call, rule
from synaplex.graph.tracing.linear import contract
from synaplex.graph.tracing.products import contracted
from synaplex.graph.tracing.signal import NONE, Signal, Static


@rule("scaled_dot_product_attention")
def _scaled_dot_product(call: Call) -> Any:
    query, keys, values = call["query"], call["key"], call.signal("value")
    query, keys = (
        one if isinstance(one, Static) else call.signal(name) for one, name in ((query, "query"), (keys, "key"))
    )
    scale = call.get("scale")
    scale = 1 / math.sqrt(call.recorded["query"].shape[-1]) if scale is None else float(scale)
    heads = call.recorded["query"].shape[-3] if call.get("enable_gqa") else None
    keys, values = (_repeated(one, heads) for one in (keys, values))
    rows = (*call.recorded["query"].shape[:-1], call.recorded["key"].shape[-2])
    call = replace(call.giving(rows), scores=True)
    if isinstance(query, Static):
        if isinstance(keys, Static):
            scores = Signal(torch.full((1,) * len(rows), NONE).expand(rows), frozenset())
        else:
            scores = _by_constant(call, keys, "query", scale, None).moved(lambda ids: ids.mT)
    elif isinstance(keys, Static):
        scores = _by_constant(call, query, "key", scale, heads)
    else:
        query, keys = without_tokens(call, query, -2, "queries"), without_tokens(call, keys, -2, "keys")
        scores = contracted(call, query, keys.moved(lambda ids: ids.mT), call.named("scores"), scale)
    return attended(call.giving((*rows[:-1], values.shape[-1])), scores.activated(), values)


def _by_constant(call: Call, signal: Signal, constant: str, scale: float, heads: int | None) -> Signal:
    """Scores of queries and keys one of which the model has learned: a link whose weights are the other."""
    value = _repeated(call[constant], heads).evaluate().detach() * scale
    scores = contract(call, signal, value, constant)
    for draft in scores.drafts:
        call.assembly.rename(draft, call.named("scores"))
    return scores


def _repeated(value: Any, heads: int | None) -> Any:
    """Keys or values of grouped queries, one for each query."""
    if heads is None:
        return value

    def repeat(tensor: Tensor) -> Tensor:
        return tensor.repeat_interleave(heads // tensor.shape[-3], -3)

    if isinstance(value, Static):
        return Static(lambda: repeat(value.evaluate()), value.parameters)
    return value.moved(repeat)
