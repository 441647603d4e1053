"""Embeddings: links from a layer with one neuron a word, or, where positions look them up, constants."""

from __future__ import annotations

from typing import Any

import torch

from synaplex.graph.embedding import embedding_link
from synaplex.graph.repeated import RepeatedLink
from synaplex.graph.tracing.axis import Axis
from synaplex.graph.tracing.call import Call, NotUnderstood, rule
from synaplex.graph.tracing.draft import Draft
from synaplex.graph.tracing.signal import Tokens, Unknown, same


@rule("embedding", "embedding_renorm")
def _embedding(call: Call) -> Any:
    words, weight = call["indices"], call.tensor("weight")
    names = call.parameters("weight")
    if not isinstance(words, Tokens):
        call.assembly.record(names, "left out", "a table looked up by position or by numbers computed from the input")
        return Unknown()
    assert weight is not None
    source = word_layer(call, words, len(weight))
    lead = list(range(words.places.ndim)) if call.unfold else []
    lead = [axis for axis in lead if axis and call.shape[axis] > 1]
    sizes = [call.shape[axis] for axis in lead]
    axes = [*(Axis() for _ in sizes), Axis(kind="feature")]
    draft = call.assembly.add_layer(call.layer_name("weight"), (*sizes, weight.shape[1]), axes)
    link: Any = embedding_link(weight, name=call.link_name("weight"))
    if lead:
        link = RepeatedLink(source=0, target=0, name=link.name, link=link, times=source.size // len(weight))
    draft.incoming.append((source, link))
    call.assembly.record(names, "link", f"{source.name} -> {draft.name}")
    return call.assembly.signal(draft, [*lead, len(call.shape) - 1], call.shape)


def word_layer(call: Call, words: Tokens, vocabulary: int) -> Draft:
    """The input layer with one neuron a word; the same for all that read the same numbers."""
    sizes = [size for axis, size in enumerate(words.places.shape) if axis and size > 1] if call.unfold else []
    known = call.assembly.words.setdefault(words.name, [])
    for places, count, draft in known:
        alike = same(words.places, places) if sizes else bool(torch.isin(words.places, places).any())
        if count == vocabulary and alike:
            return draft
    draft = call.assembly.add_layer(words.name, (*sizes, vocabulary), is_input=True)
    known.append((words.places, vocabulary, draft))
    return draft


@rule("embedding_bag", "_embedding_bag", "_embedding_bag_forward_only")
def _bag(call: Call) -> Any:
    """The mean, sum or maximum of a bag of words: each word by weight 1."""
    words, weight = call["indices"], call.tensor("weight")
    if not isinstance(words, Tokens) or weight is None:
        raise NotUnderstood("its words are computed from the input")
    source = word_layer(call, words, len(weight))
    draft = call.assembly.add_layer(call.layer_name("weight"), (weight.shape[1],))
    draft.incoming.append((source, embedding_link(weight, name=call.link_name("weight"))))
    call.assembly.record(call.parameters("weight"), "link", f"{source.name} -> {draft.name}")
    made = call.result[0] if isinstance(call.result, tuple | list) else call.result
    result = call.assembly.signal(draft, [made.ndim - 1], made.shape)
    return [result, Unknown(), Unknown(), Unknown()] if isinstance(call.result, tuple | list) else result


@rule("one_hot")
def _one_hot(call: Call) -> Any:
    words = call["self"]
    if not isinstance(words, Tokens):
        return Unknown()
    source = word_layer(call, words, call.shape[-1])
    return call.assembly.signal(source, [len(call.shape) - 1], call.shape)
