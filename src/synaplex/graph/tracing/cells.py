"""Recurrent cells: each call is one step, which reads the state that the call before gave."""

from __future__ import annotations

from typing import Any

from torch import nn

from synaplex.graph.recurrence import recurrence
from synaplex.graph.tracing.call import Call, NotUnderstood, rule
from synaplex.graph.tracing.draft import Draft
from synaplex.graph.tracing.recurrent import features_of, step_layers
from synaplex.graph.tracing.signal import Signal, Static, spread
from synaplex.graph.tracing.wiring import settled


@rule("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell")
def _cell(call: Call) -> Any:
    module, values = call.owner, call.get("input")
    if not isinstance(module, nn.RNNCell | nn.LSTMCell | nn.GRUCell) or not isinstance(values, Signal):
        raise NotUnderstood("a recurrent cell called without its module, or on a constant")
    one = recurrence(module, call.module)
    states, results = (value if isinstance(value, tuple | list) else [value] for value in (call["hx"], call.result))
    starts = [_before(call, state) for state in states]
    layers = step_layers(call, one, settled(call.assembly, values, call.named("input")), None)
    held = [_part(layers, call.named(part)) for part in ("hidden", "cell")[: len(results)]]
    before = {layers.index(draft): start for draft, start in zip(held, starts, strict=True)}
    for link, delay in zip(one.links, one.delays, strict=True):
        source, target = before[link.source] if delay else layers[link.source], layers[link.target]
        if source is not None:
            target.incoming.append((source, link))
            call.assembly.record([link.name] if link.name else [], "link", f"{source.name} -> {target.name}")
    biased = next((layers[index] for index in one.biases), layers[0])
    names = [call.named(name) for name, _ in module.named_parameters() if name.startswith("bias")]
    call.assembly.record(names, "bias", f"of layer {biased.name}")
    made = [
        Signal(spread(draft.ids, [result.ndim - 1], result.shape), frozenset({draft}), linear=False)
        for draft, result in zip(held, results, strict=True)
    ]
    return made if isinstance(call.result, tuple | list) else made[0]


def _part(layers: list[Draft], name: str) -> Draft:
    return next(draft for draft in layers[1:] if draft.name.partition(" (")[0] == name)


def _before(call: Call, state: Any) -> Draft | None:
    """The layer of the state that a step starts from; none where that is a constant."""
    if isinstance(state, Static):
        call.assembly.record(state.parameters, "left out", "the state before the first step; joins no neurons")
        return None
    if not isinstance(state, Signal):
        raise NotUnderstood("the state it starts from is neither activations nor a constant")
    return features_of(call, settled(call.assembly, state, call.named("state")), call.named("state"))
