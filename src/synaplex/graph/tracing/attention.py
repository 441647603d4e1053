"""Attention: without data the tokens are alike, and what remains is a link from values to outputs.

Scores are products of queries and keys, one neuron a head, fed by each factor; the output of a head is fed by the
values, whose shares add up to one however they are spread over the tokens, and by the head's score.
"""

from __future__ import annotations

import math

import torch
from torch import fx

from synaplex.graph.attention import AttentionLink
from synaplex.graph.tracing.call import Call, NotUnderstood
from synaplex.graph.tracing.products import contracted
from synaplex.graph.tracing.reductions import mean_over
from synaplex.graph.tracing.signal import Signal, condensed
from synaplex.graph.tracing.wiring import dimension, feed, mark, order_in, settled

_PASSING = ("mul", "div", "add", "sub", "masked_fill", "where", "to", "_to_copy", "dropout", "clone", "contiguous")
_PASSING_SHAPES = ("view", "reshape", "alias", "expand", "clamp", "tanh", "unsqueeze", "squeeze")


def product_of(call: Call, first: Signal, second: Signal) -> Signal:
    """The product of two tensors of activations, of which attention makes special use."""
    if first.ids.ndim < 2 or second.ids.ndim < 2:
        raise NotUnderstood("it multiplies vectors of activations")
    if first.softmax:
        return attended(call, first, second)
    if feeds_softmax(call.node):
        first, second = without_tokens(call, first, -2, "queries"), without_tokens(call, second, -1, "keys")
    return contracted(call, first, second, call.name)


def attended(call: Call, weights: Signal, values: Signal) -> Signal:
    """Values mixed by weights that add up to one over the tokens."""
    if call.unfold and values.ids.ndim - 2 in values.axes:
        return _between_tokens(call, weights, values)
    values = without_tokens(call, values, -2, "values")
    weights = without_tokens(call, weights, -2, "weights")
    return contracted(call, weights, values, call.named("context"))


def _between_tokens(call: Call, weights: Signal, values: Signal) -> Signal:
    """Attention spread evenly over tokens that are neurons of their own, from each to each."""
    values = settled(call.assembly, values, call.name)
    shape, ids = call.shape, values.ids
    axes = values.axes
    token, heads = ids.ndim - 2, [axis for axis in axes if axis < ids.ndim - 2]
    arranged = condensed(ids, axes).movedim(axes.index(token), 0)
    (source,) = values.drafts if len(values.drafts) == 1 else (None,)
    count = math.prod(shape[axis] for axis in heads)
    if source is None or order_in(arranged, source) != tuple(range(arranged.ndim)):
        source = call.assembly.add_layer(call.named("values"), arranged.shape)
        feed(call.assembly, source, arranged.reshape(-1), values)
    targets, sources, size = shape[-2], ids.shape[-2], shape[-1]
    spread = torch.full((count, targets, sources), 1 / sources, dtype=torch.float64, device=call.assembly.device)
    if call.get("is_causal"):
        spread = spread.new_ones(targets, sources).tril()
        spread = (spread / spread.sum(-1, keepdim=True)).expand(count, targets, sources)
    joined = dimension(call.assembly, values, token)
    kept = [dimension(call.assembly, values, axis) for axis in axes if axis != token]
    outer = [shape[axis] for axis in axes if axis != token]
    draft = call.assembly.add_layer(call.named("context"), (targets, *outer), [joined, *kept])
    link = AttentionLink(source=0, target=0, attention=spread, head_size=size)
    draft.incoming.append((source, link))
    order = list(range(1, draft.ids.ndim))
    order.insert(axes.index(token), 0)
    result = call.assembly.signal(draft, axes, shape, order)
    scores = without_tokens(call, weights, -2, "weights")
    scores = scores.moved(lambda x: x[..., :1].expand(shape))
    feed(call.assembly, draft, condensed(scores.ids, axes).movedim(axes.index(token), 0).reshape(-1), scores)
    return result


def without_tokens(call: Call, signal: Signal, axis: int, part: str) -> Signal:
    """The same at any one token: tokens share the weights, or are averaged where they do not."""
    axis %= signal.ids.ndim
    tokens = [axis]
    if signal.ids.ndim > 3:  # windows of an image stand beside the batch
        tokens = [*range(signal.ids.ndim - 3), axis]
    tokens = [one for one in tokens if one in signal.axes]
    if not tokens:
        return signal
    if not call.unfold:
        mark(call.assembly, signal, tokens, "tokens")
    return mean_over(call, signal, tokens, call.named(part)).expanded(signal.shape)


def feeds_softmax(node: fx.Node) -> bool:
    """Whether a product turns into weights of attention: a softmax is the next thing of consequence."""
    seen, open_nodes = set(), [node]
    while open_nodes:
        for user in open_nodes.pop().users:
            name = getattr(getattr(user.target, "overloadpacket", None), "__name__", "").rstrip("_")
            if "softmax" in name:
                return True
            if name in _PASSING + _PASSING_SHAPES and user not in seen:
                seen.add(user)
                open_nodes.append(user)
    return False
