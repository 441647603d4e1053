"""Operations that only move activations: they move the neurons' numbers, and make no layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from synaplex.graph.tracing.call import Call, NotUnderstood, rule
from synaplex.graph.tracing.draft import Draft
from synaplex.graph.tracing.signal import NONE, Signal, Static, Tokens, Unknown, condensed, same, varying
from synaplex.graph.tracing.wiring import feed, layer_like

_COPIES = ("alias", "clone", "contiguous", "detach", "lift_fresh_copy", "lift_fresh", "_to_copy", "to", "type_as")
_SHAPES = ("view", "reshape", "_unsafe_view", "flatten", "unflatten", "view_as", "reshape_as")
_MOVES = (
    *("permute", "transpose", "t", "numpy_T", "mT", "movedim", "swapaxes", "swapdims", "adjoint", "squeeze"),
    *("unsqueeze", "expand", "expand_as", "broadcast_to", "repeat", "tile", "repeat_interleave", "slice", "select"),
    *("narrow", "split", "split_with_sizes", "chunk", "unbind", "tensor_split", "hsplit", "vsplit", "flip", "roll"),
    *("rot90", "diagonal", "unfold", "index_select", "take_along_dim", "unsafe_chunk", "unsafe_split"),
    *("split_copy", "unsafe_split_with_sizes", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "im2col"),
    *("upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d", "_upsample_nearest_exact1d"),
    *("_upsample_nearest_exact2d", "_upsample_nearest_exact3d", "reflection_pad1d", "reflection_pad2d"),
    *("reflection_pad3d", "replication_pad1d", "replication_pad2d", "replication_pad3d", "moveaxis"),
)
_THROUGH_FLOATS = ("upsample", "_upsample", "reflection", "replication", "im2col")


@rule(*_COPIES)
def _copy(call: Call) -> Any:
    value = call.first
    floating = call.result.dtype.is_floating_point
    return Unknown() if isinstance(value, Signal) and not floating else value


@rule(*_SHAPES)
def _reshape(call: Call) -> Any:
    return _moved(call, lambda ids: ids.reshape(call.shape))


@rule(*_MOVES)
def _move(call: Call) -> Any:
    arguments = {
        name: value.evaluate() if isinstance(value, Static) else value for name, value in call.arguments.items()
    }

    def run(ids: Tensor) -> Any:
        rest = {name: _like(value) for name, value in arguments.items() if value is not call.first}
        operation: Callable[..., Any] = call.node.target  # type: ignore[assignment]
        if call.operation.startswith(_THROUGH_FLOATS):
            return operation(ids.double(), **rest).to(ids.dtype)
        return operation(ids, **rest)

    return _moved(call, run)


def _like(value: Any) -> Any:
    """An argument of a movement: a tensor that only lends its shape becomes one without values."""
    return torch.empty(value.shape) if isinstance(value, Signal) else value


def _moved(call: Call, move: Callable[[Tensor], Any]) -> Any:
    value = call.first
    several = isinstance(call.result, tuple | list)
    if isinstance(value, Unknown):
        return [value] * len(call.result) if several else value
    if isinstance(value, Tokens):
        places = move(value.places)
        return [Tokens(value.name, one) for one in places] if several else Tokens(value.name, places)
    if not isinstance(value, Signal):
        raise NotUnderstood("it moves a constant by what the input says")
    if not several:
        return value.moved(move)
    signal = value
    return [signal.moved(_one_of(move, i)) for i in range(len(call.result))]


def _one_of(move: Callable[[Tensor], Any], place: int) -> Callable[[Tensor], Tensor]:
    return lambda ids: move(ids)[place]


@rule("copy")
def _copied(call: Call) -> Any:
    value = call["src"]
    return value.expanded(call.shape) if isinstance(value, Signal) else Unknown()


@rule("slice_scatter", "select_scatter", "diagonal_scatter")
def _scatter(call: Call) -> Any:
    """Activations written over others."""
    whole, part = call["self"], call["src"]
    if not isinstance(whole, Signal) and not isinstance(part, Signal):
        return Unknown()
    operation: Callable[..., Any] = call.node.target  # type: ignore[assignment]
    rest = {name: value for name, value in call.arguments.items() if name not in ("self", "src")}
    places = [_places(one, call.recorded[name]) for one, name in ((whole, "self"), (part, "src"))]
    both = [one for one in (whole, part) if isinstance(one, Signal)]
    scales = [torch.as_tensor(one.scale, dtype=torch.float64).expand(one.shape) for one in both]
    plain = all(isinstance(one.scale, float) and one.scale == both[0].scale for one in both)
    if len(both) == 2 and not plain:
        scale: float | Tensor = operation(*scales, **rest)
    else:
        scale = both[0].scale
    drafts: frozenset[Draft] = frozenset().union(*(one.drafts for one in both))
    return Signal(operation(*places, **rest), drafts, scale, all(one.linear for one in both))


def _places(value: Any, recorded: Tensor) -> Tensor:
    return value.ids if isinstance(value, Signal) else torch.full(recorded.shape, NONE)


@rule("constant_pad_nd", "pad")
def _pad(call: Call) -> Any:
    """Zeros beside activations are no neurons; along positions that share weights, padding repeats them."""
    value = call["self"]
    if not isinstance(value, Signal):
        return Unknown()
    mode = call.get("mode", "constant")
    if mode != "constant":
        widths = tuple(call["pad"])
        return value.moved(lambda ids: _pad_by_mode(ids, widths, mode))
    keep = value.axes

    def move(ids: Tensor) -> Tensor:
        wider = torch.constant_pad_nd(ids, list(call["pad"]), NONE)
        for axis in range(ids.ndim):
            if axis not in keep and wider.shape[axis] > ids.shape[axis] > 1:
                middle = wider.narrow(axis, wider.shape[axis] // 2, 1)
                wider = middle.expand_as(wider)
        return wider

    return value.moved(move)


def _pad_by_mode(ids: Tensor, widths: Sequence[int], mode: str) -> Tensor:
    return torch.nn.functional.pad(ids.double(), list(widths), mode=mode).to(ids.dtype)


@rule("index", "gather")
def _index(call: Call) -> Any:
    """Activations picked by index; an index computed from the input may pick among shared positions only."""
    value = call["self"]
    if isinstance(value, Unknown | Static):
        return Unknown()
    operation: Callable[..., Any] = call.node.target  # type: ignore[assignment]
    keep = varying(value.ids if isinstance(value, Signal) else value.places)
    single = call.operation == "gather"
    given = [call["index"]] if single else call["indices"]
    recorded = [call.recorded["index"]] if single else call.recorded["indices"]
    places: list[Tensor | None] = []
    for axis, (index, shape) in enumerate(zip(given, recorded, strict=True)):
        if index is None or isinstance(index, Static):
            places.append(None if index is None else index.evaluate().cpu())
        elif (call["dim"] % len(call.shape) if single else axis) in keep or shape.dtype == torch.bool:
            raise NotUnderstood("it picks neurons by what the input says")
        else:
            places.append(torch.zeros(shape.shape, dtype=torch.long))
    if single:
        return _moved(call, lambda ids: operation(ids, call["dim"], places[0]))
    return _moved(call, lambda ids: operation(ids, places))


@rule("cat", "concatenate", "concat", "stack")
def _cat(call: Call) -> Any:
    """Activations side by side; along positions that share weights they are the neurons of one position."""
    axis = call["dim"] % len(call.shape)
    parts = list(call["tensors"])
    sizes = [one.shape[axis] if one.ndim > axis else 0 for one in call.recorded["tensors"]]
    if call.operation == "stack":
        parts = [one.moved(lambda ids: ids.unsqueeze(axis)) if isinstance(one, Signal) else one for one in parts]
        sizes = [1] * len(parts)
    signals = [one for one in parts if isinstance(one, Signal) and one.ids.numel()]
    if not signals:
        return Unknown()
    for part in parts:
        if isinstance(part, Static):
            call.assembly.record(part.parameters, "left out", "a constant beside activations; joins no neurons")
    long = [one for one in signals if one.shape[axis] > 1]
    if long and not any(axis in one.axes for one in long):
        return _positions(call, signals, axis)
    ids, scales = [], []
    for one, size in zip(parts, sizes, strict=True):
        shape = (*call.shape[:axis], size, *call.shape[axis + 1 :])
        if isinstance(one, Signal):
            ids.append(one.ids.expand(shape))
            scales.append(one.scale)
        elif size:
            ids.append(torch.full((1,) * len(shape), NONE).expand(shape))
            scales.append(1.0)
    scale = scales[0]
    if any(not isinstance(one, float) or one != scale for one in scales):
        wide = [torch.as_tensor(one, dtype=torch.float64).expand(i.shape) for one, i in zip(scales, ids, strict=True)]
        scale = torch.cat(wide, axis)
    drafts: frozenset[Draft] = frozenset().union(*(one.drafts for one in signals))
    return Signal(torch.cat(ids, axis), drafts, scale, all(one.linear for one in signals))


def _positions(call: Call, signals: Sequence[Signal], axis: int) -> Signal:
    """Positions beside positions: the neurons of all, or of a layer of their own that each feeds by weight 1."""
    slices = [one.moved(lambda ids: ids.narrow(axis, 0, 1)) for one in signals]
    first, linear = slices[0], all(one.linear for one in signals)
    if all(same(one.ids, first.ids) and same_scale(one.scale, first.scale) for one in slices[1:]):
        return replace(first.expanded(call.shape), linear=linear)
    axes = varying(*(one.ids for one in slices))
    draft = layer_like(call.assembly, call.name, first.shape, axes, *slices)
    for one in slices:
        feed(call.assembly, draft, condensed(one.ids, axes).reshape(-1), one, one.weight(axes))
    return call.assembly.signal(draft, axes, call.shape)


def same_scale(first: float | Tensor, second: float | Tensor) -> bool:
    """Whether two factors are the same."""
    if isinstance(first, Tensor) and isinstance(second, Tensor):
        return same(first, second)
    return isinstance(first, float) and isinstance(second, float) and first == second
