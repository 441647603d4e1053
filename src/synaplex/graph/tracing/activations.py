"""Operations on each activation by itself: they are no part of the graph, and make no layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from synaplex.graph.tracing.call import Call, NotUnderstood, rule
from synaplex.graph.tracing.products import multiply
from synaplex.graph.tracing.signal import Signal, Static, Unknown, same
from synaplex.graph.tracing.sums import add

_FUNCTIONS = (
    *("relu", "relu6", "leaky_relu", "rrelu", "elu", "selu", "celu", "gelu", "silu", "mish", "sigmoid", "logit"),
    *("log_sigmoid", "hardsigmoid", "tanh", "hardtanh", "hardswish", "softplus", "softsign", "softshrink"),
    *("hardshrink", "threshold", "log_softmax", "tanhshrink", "sin", "cos", "tan", "asin", "acos", "atan", "sinh"),
    *("cosh", "asinh", "acosh", "atanh", "exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "sqrt", "rsqrt"),
    *("square", "abs", "sign", "sgn", "reciprocal", "clamp", "clamp_min", "clamp_max", "clip", "erf", "erfc"),
    *("erfinv", "special_expit", "floor", "ceil", "round", "trunc", "frac", "nan_to_num", "pow", "float_power"),
    *("heaviside", "_log_softmax", "fmod", "remainder", "special_erf", "special_log1p", "special_expm1", "sinc"),
    *("tril", "triu", "hypot", "atan2", "special_log_softmax"),
)
_UNCHANGED = (
    *("dropout", "native_dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout", "positive"),
    *("requires_grad", "resolve_conj", "resolve_neg", "real"),
)
_QUESTIONS = (
    *("eq", "ne", "lt", "le", "gt", "ge", "isnan", "isinf", "isfinite", "logical_not", "logical_and", "logical_or"),
    *("logical_xor", "bitwise_and", "bitwise_or", "bitwise_not", "bitwise_xor", "__and__", "__or__", "__xor__"),
    *("argmax", "argmin", "any", "all", "rand_like", "randn_like", "isclose", "bucketize", "searchsorted"),
    *("nonzero", "count_nonzero", "argsort", "isin", "signbit", "bincount", "histc"),
)


@rule(*_FUNCTIONS)
def _function(call: Call) -> Any:
    signals = list(call.values(Signal))
    if not signals:
        return Unknown()
    wide = [one.expanded(call.shape) for one in signals]
    if not all(same(one.ids, wide[0].ids) for one in wide):
        raise NotUnderstood("it combines neurons of different layers other than by adding or multiplying them")
    if any(static.parameters for static in call.values(Static)):
        raise NotUnderstood("it combines neurons with a parameter other than by a product or a sum")
    return wide[0].activated()


@rule("softmax", "_softmax", "special_softmax", "_safe_softmax")
def _softmax(call: Call) -> Any:
    if not isinstance(call["self"], Signal):
        return Unknown()
    after: Signal = call["self"].activated()
    last = call["dim"] % len(call.shape) == len(call.shape) - 1
    if last and len(after.drafts) == 1:
        (draft,) = after.drafts
        if draft.product:
            call.assembly.rename(draft, call.named("scores"))
    return replace(after, softmax=last)


@rule("prelu")
def _slopes(call: Call) -> Any:
    call.assembly.record(call.parameters("weight"), "left out", "the slope of an activation")
    return call["self"].activated()


@rule(*_UNCHANGED)
def _unchanged(call: Call) -> Any:
    value = next(call.values(Signal, Unknown))
    return [value, Unknown()] if isinstance(call.result, tuple | list) else value


@rule(*_QUESTIONS)
def _question(call: Call) -> Any:
    """What comes out carries no activations: a mask, an index, a tensor of a shape."""
    return Unknown()


@rule("zeros_like", "ones_like", "full_like", "empty_like", "new_zeros", "new_ones", "new_full", "new_empty")
def _constant(call: Call) -> Any:
    """A constant of the shape of a tensor, or of its kind."""
    like, rest = call.recorded["self"], {name: value for name, value in call.arguments.items() if name != "self"}
    operation: Callable[..., Any] = call.node.target  # type: ignore[assignment]
    return Static(lambda: operation(torch.empty(like.shape, dtype=like.dtype, device=like.device), **rest))


@rule("masked_fill", "where", "maximum", "minimum", "max.other", "min.other", "fmax", "fmin", "lerp")
def _choice(call: Call) -> Any:
    """One or the other, place by place: each passes with weight 1, constants and masks are left aside."""
    chosen = [value for name, value in call.arguments.items() if name not in ("mask", "condition")]
    signals = [value for value in chosen if isinstance(value, Signal)]
    for value in chosen:
        if isinstance(value, Static):
            call.assembly.record(value.parameters, "left out", f"a constant chosen in {call.name}; joins no neurons")
    if not signals:
        return Unknown()
    result = signals[0].expanded(call.shape)
    for other in signals[1:]:
        result = add(call, result, other.expanded(call.shape))
    return replace(result.activated(), softmax=signals[0].softmax)


@rule("glu")
def _gated(call: Call) -> Any:
    value, axis = call.signal("self"), call["dim"] % len(call.shape)
    first, second = (
        value.moved(lambda ids, i=i: ids.chunk(2, axis)[i])  # type: ignore[misc]
        for i in range(2)
    )
    return multiply(call, first, second.activated())
