"""Recurrent layers: one step that feeds itself, or one layer a step; see `synaplex.graph.recurrence`."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from synaplex.graph.recurrence import Recurrence, recurrence
from synaplex.graph.tracing.axis import Axis
from synaplex.graph.tracing.call import Call, NotUnderstood, rule
from synaplex.graph.tracing.draft import Draft
from synaplex.graph.tracing.reductions import mean_over
from synaplex.graph.tracing.signal import Signal, Static, condensed, spread
from synaplex.graph.tracing.wiring import copied, feed, mark, order_in, settled


@rule("lstm", "gru", "rnn_tanh", "rnn_relu")
def _recurrent(call: Call) -> Any:
    module, values = call.owner, call.get("input")
    if not isinstance(module, nn.RNN | nn.LSTM | nn.GRU) or not isinstance(values, Signal):
        raise NotUnderstood("a recurrent layer called without its module, or on a packed sequence")
    values = settled(call.assembly, values, call.named("input"))
    time = 1 if call.get("batch_first") else 0
    if call.unfold:
        steps = [values.moved(partial(torch.select, dim=time, index=t)) for t in range(values.shape[time])]
    else:
        if time in values.axes:
            mark(call.assembly, values, [time], "tokens")
            values = mean_over(call, values, [time], f"{call.name} (mean over steps)")
        steps = [values.moved(lambda ids: ids.select(time, 0))]
    one = recurrence(module, call.module)
    drafts = [step_layers(call, one, step, t if call.unfold else None) for t, step in enumerate(steps)]
    for t, layers in enumerate(drafts):
        for link, delay in zip(one.links, one.delays, strict=True):
            source = t - delay if call.unfold else 0
            if 0 <= source < len(drafts):
                layers[link.target].incoming.append((drafts[source][link.source], link))
    _record(call, one, drafts[0])
    suffixes = _suffixes(module)
    _initial(call, drafts, suffixes)
    return _results(call, drafts, one, suffixes, time)


def step_layers(call: Call, one: Recurrence, values: Signal, step: int | None) -> list[Draft]:
    """The layers of one step, the one that it reads first."""
    label = "" if step is None else f" at {step}"
    layers = [features_of(call, values, call.named(f"input{label}"))]
    for index, layer in enumerate(one.layers[1:], 1):
        draft = call.assembly.add_layer(call.named(layer.name + label), layer.shape, [Axis(kind="feature")])
        if index in one.biases:
            call.assembly.add_bias(draft, one.biases[index])
        layers.append(draft)
    return layers


def features_of(call: Call, values: Signal, name: str) -> Draft:
    """The layer that a tensor's last axis lists, or a new one that copies it."""
    axes = [values.ids.ndim - 1] if values.shape[-1] > 1 else []
    (source,) = values.drafts if len(values.drafts) == 1 else (None,)
    if source is None or order_in(condensed(values.ids, axes), source) is None:
        (source,) = copied(call.assembly, values, axes, name).drafts
    return source


def _record(call: Call, one: Recurrence, layers: list[Draft]) -> None:
    for link in one.links:
        if link.name:
            joined = f"{layers[link.source].name} -> {layers[link.target].name}"
            call.assembly.record([link.name], "link", joined)
    for name, _ in call.owner.named_parameters():
        if name.startswith("bias"):
            suffix = name.partition("_l")[2]
            part = "hidden" if isinstance(call.owner, nn.RNN) else "gates"
            call.assembly.record([call.named(name)], "bias", f"of layer {call.named(f'{part}_l{suffix}')}")


def _suffixes(module: nn.RNN | nn.LSTM | nn.GRU) -> list[str]:
    directions = ("", "_reverse") if module.bidirectional else ("",)
    return [f"_l{number}{direction}" for number in range(module.num_layers) for direction in directions]


def _named(call: Call, layers: list[Draft], one_of: tuple[str, ...], suffix: str) -> Draft:
    wanted = [call.named(f"{part}{suffix}") for part in one_of]
    for name in wanted:
        for draft in layers[1:]:
            if draft.name.partition(" at ")[0].partition(" (")[0] == name:
                return draft
    raise AssertionError(f"a recurrence has a layer {wanted[-1]}")


def _initial(call: Call, drafts: list[list[Draft]], suffixes: list[str]) -> None:
    """A state to start from that the model computes feeds the state by weight 1."""
    states = call["hx"] if isinstance(call["hx"], tuple | list) else [call["hx"]]
    for state, parts in zip(states, (("projection", "hidden"), ("cell",)), strict=False):
        if isinstance(state, Static):
            call.assembly.record(state.parameters, "left out", "the state before the first step; joins no neurons")
        if not isinstance(state, Signal):
            continue
        for number, suffix in enumerate(suffixes):
            start = drafts[-1 if suffix.endswith("_reverse") else 0]
            target = _named(call, start, parts, suffix)
            ids = condensed(state.ids[number], [state.ids.ndim - 2]).expand(target.size)
            feed(call.assembly, target, ids, state, state.scale if isinstance(state.scale, float) else 1.0)


def _results(call: Call, drafts: list[list[Draft]], one: Recurrence, suffixes: list[str], time: int) -> list[Any]:
    """The output at all steps, and the last states."""
    output, *states = call.result
    steps = [torch.cat([layers[index].ids for index in one.outputs]) for layers in drafts]
    features = output.ndim - 1
    if call.unfold:
        ids = spread(torch.stack(steps), [time, features], output.shape)
    else:
        ids = spread(steps[0], [features], output.shape)
    known = frozenset(layers[index] for layers in drafts for index in one.outputs)
    results: list[Any] = [Signal(ids, known, linear=False)]
    for state, parts in zip(states, (("projection", "hidden"), ("cell",)), strict=False):
        held = [_named(call, drafts[0 if s.endswith("_reverse") else -1], parts, s) for s in suffixes]
        stacked: Tensor = torch.stack([draft.ids for draft in held])
        ids = spread(stacked, [0, state.ndim - 1], state.shape)
        results.append(Signal(ids, frozenset(held), linear=False))
    return results
