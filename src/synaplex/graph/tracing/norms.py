"""Normalisations: the gain that each feature has; see `synaplex.graph.norm` for the convention."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from synaplex.graph.tracing.call import Call, NotUnderstood, rule
from synaplex.graph.tracing.products import gained
from synaplex.graph.tracing.signal import Signal, Static, condensed
from synaplex.graph.tracing.sums import plus_constant
from synaplex.graph.tracing.wiring import settled


@rule("batch_norm", "instance_norm", "_native_batch_norm_legit_no_training", "native_batch_norm", "cudnn_batch_norm")
def _batch_norm(call: Call) -> Any:
    """By running statistics an affine map of each channel; by those of the input itself a gain."""
    signal = call["input"]
    if not isinstance(signal, Signal):
        raise NotUnderstood("it normalises something other than activations")
    training = call.get("training", call.get("use_input_stats", False))
    mean, variance = (None if training else call.tensor(name) for name in ("running_mean", "running_var"))
    weight, bias = call.tensor("weight"), call.tensor("bias")
    if variance is None or mean is None:
        return _gain(call, signal, 1, weight, call["bias"])
    if weight is not None and weight.is_meta:
        mean, variance = mean.to(weight.device), variance.to(weight.device)
    gain = 1 / torch.sqrt(variance.double() + call["eps"])
    gain = gain if weight is None else gain * weight.double()
    offset = -mean.double() * gain
    offset = offset if bias is None else offset + bias.double()
    return _affine(call, signal, 1, gain, offset)


@rule("layer_norm", "native_layer_norm", "rms_norm", "_fused_rms_norm")
def _layer_norm(call: Call) -> Any:
    signal = call["input"]
    if not isinstance(signal, Signal):
        raise NotUnderstood("it normalises something other than activations")
    weight = call.tensor("weight")
    result = _gain(call, signal, -len(call["normalized_shape"]), weight, call.get("bias"))
    return [result, result, result] if isinstance(call.result, tuple | list) else result


@rule("group_norm", "native_group_norm")
def _group_norm(call: Call) -> Any:
    signal = call["input"]
    if not isinstance(signal, Signal):
        raise NotUnderstood("it normalises something other than activations")
    result = _gain(call, signal, 1, call.tensor("weight"), call["bias"])
    return [result, result, result] if isinstance(call.result, tuple | list) else result


def _gain(call: Call, signal: Signal, first: int, weight: Tensor | None, bias: Any) -> Signal:
    """A normalisation by statistics of the input: a gain, or where it has none part of the activation."""
    if weight is None:
        if call.module:
            why = "a normalisation without parameters: it has no fixed weights"
            call.assembly.record([call.module], "left out", why)
        return signal.activated()
    return _affine(call, signal, first, weight, bias)


def _affine(call: Call, signal: Signal, first: int, gain: Tensor, bias: Any) -> Signal:
    """Each feature times its gain plus its bias; the features' axes are the first given and those after it."""
    shape = signal.shape
    start = first % len(shape)
    count = gain.ndim
    wide = gain.reshape(*gain.shape, *[1] * (len(shape) - start - count)).expand(shape)
    signal = settled(call.assembly, signal, call.name)
    axes = signal.axes
    names = call.parameters("weight")
    call = call.giving(shape)
    layer, link = call.module or call.operation, call.link_name("weight")
    result = gained(call, signal, axes, condensed(wide, axes), names, layer, link)
    if bias is None:
        return result
    if isinstance(bias, Tensor):
        value, held = bias, call.parameters("bias")
    else:
        value, held = bias.evaluate().detach(), bias.parameters
    placed = value.reshape(*value.shape, *[1] * (len(shape) - start - count))
    return plus_constant(call, result, Static(lambda: placed, held or ("",)), exact=True)
