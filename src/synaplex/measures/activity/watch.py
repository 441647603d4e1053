"""Watching a module compute: hooks on its layers, and on the activation functions applied to what they give."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import ParametrizationList

from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.measures.activity.functions import FunctionWatch, function_of_module, is_function
from synaplex.measures.activity.recurrent import unfold, unfold_cell


@dataclass(frozen=True, eq=False)
class Seen:
    """One call of a layer.

    Attributes
    ----------
    name
        Of the layer.
    module
        Its module.
    shape
        Of what it gave, samples first.
    step
        Number of the call within a pass, or of the step of a recurrent module.
    """

    name: str
    module: nn.Module
    shape: torch.Size
    step: int


class Listener:
    """Told of what is seen, layer by layer; all methods do nothing here."""

    def strength(self, seen: Seen, value: Tensor) -> None:
        """A layer has given this; it may be overwritten after the call."""

    def activation(self, seen: Seen, value: Tensor, function: str) -> None:
        """An activation function has made this of what a layer gave."""

    def unread(self, name: str, reason: str) -> None:
        """A layer was called, but what it gave is not read."""


@contextmanager
def watching(module: nn.Module, layers: Sequence[str] | None, listener: Listener) -> Iterator[Callable[[], list[str]]]:
    """Watch a module while the context lasts, in evaluation mode; afterwards it is as it was.

    Parameters
    ----------
    module
        To be called within the context.
    layers
        Names of layers, or patterns with ``*``; all by default.
    listener
        Told of what is seen.

    Returns
    -------
    callable
        To be called before each pass: counts of calls begin anew. Gives the names of the modules that are being called,
        from the outside inwards, as they are entered and left.

    Raises
    ------
    UnknownNameError
        If a name matches no layer.
    SpecificationError
        If a parameter has no values yet.
    """
    read = layer_modules(module)
    wanted = set(read)
    if layers is not None:
        for pattern in layers:
            if not any(fnmatchcase(name, pattern) for name in read):
                raise UnknownNameError("layer", pattern, read)
        wanted = {name for name in read if any(fnmatchcase(name, pattern) for pattern in layers)}
    for name, parameter in module.named_parameters():
        if isinstance(parameter, nn.parameter.UninitializedParameter) or parameter.is_meta:
            raise SpecificationError(f"parameter {name!r} has no values; run the module once, or load its weights")
    watch = _Watch(listener)
    training = [(one, one.training) for one in module.modules()]
    with ExitStack() as stack:
        stack.callback(_restore, training)
        module.eval()
        for name, one in module.named_modules():
            stack.callback(one.register_forward_pre_hook(watch.enter(name)).remove)
            if name in wanted:
                hook = watch.layer(name, one)
                stack.callback(one.register_forward_hook(hook, with_kwargs=True).remove)
            elif name not in read and function_of_module(one)[0]:
                stack.callback(one.register_forward_hook(watch.function).remove)
            stack.callback(one.register_forward_hook(watch.leave).remove)
        stack.enter_context(FunctionWatch(watch.applied))
        stack.enter_context(torch.no_grad())
        yield watch.restart


def _restore(training: Sequence[tuple[nn.Module, bool]]) -> None:
    for one, mode in training:
        one.training = mode


def layer_modules(module: nn.Module) -> dict[str, nn.Module]:
    """The modules that count as layers, by name: those that own parameters and are no activation functions."""
    return {
        name: one
        for name, one in module.named_modules()
        if not is_function(one)
        and not isinstance(one, ParametrizationList)
        and (next(one.parameters(recurse=False), None) is not None or hasattr(one, "parametrizations"))
    }


class _Watch:
    """The state of one pass: which tensor came out of which layer, and how often each layer was called."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._calls: dict[str, int] = {}
        self._origin: dict[int, tuple[weakref.ref[Tensor], Seen]] = {}
        self.inside: list[str] = []

    def restart(self) -> list[str]:
        self._calls.clear()
        self._origin.clear()
        self.inside.clear()
        return self.inside

    def enter(self, name: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: Any) -> None:
            self.inside.append(name)

        return hook

    def leave(self, module: nn.Module, args: Any, output: Any) -> None:
        self.inside.pop()

    def layer(self, name: str, module: nn.Module) -> Callable[..., None]:
        def hook(one: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
            call = self._calls[name] = self._calls.get(name, -1) + 1
            self._read(name, module, args, kwargs, output, call)

        return hook

    def _read(
        self, name: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any, call: int
    ) -> None:
        if isinstance(module, nn.RNNBase | nn.RNNCellBase):
            self._read_recurrent(name, module, args, kwargs, call)
            return
        value = output[0] if isinstance(output, tuple | list) and output else output
        if not isinstance(value, Tensor) or not value.is_floating_point() or value.ndim == 0:
            what = f"a tensor of {value.dtype}" if isinstance(value, Tensor) else type(value).__name__
            self._listener.unread(name, f"gives {what}, not numbers of each sample")
        elif (origin := self._find(value)) is not None:
            self._listener.unread(name, f"gives what {origin.name!r} gives")
        else:
            seen = Seen(name, module, value.shape, call)
            self._listener.strength(seen, value)
            self._mark(value, seen)

    def _read_recurrent(
        self, name: str, module: nn.RNNBase | nn.RNNCellBase, args: tuple[Any, ...], kwargs: dict[str, Any], call: int
    ) -> None:
        x = args[0] if args else kwargs.get("input")
        state = args[1] if len(args) > 1 else kwargs.get("hx")
        axes = 3 if isinstance(module, nn.RNNBase) else 2
        if not isinstance(x, Tensor) or x.ndim != axes:
            what = "a sample without a batch" if isinstance(x, Tensor) else type(x).__name__
            self._listener.unread(name, f"was given {what}; pad sequences, and pass batches")
            return
        parts = unfold(module, x, state) if isinstance(module, nn.RNNBase) else unfold_cell(module, x, state)
        for part in parts:
            steps = part.strength.shape[1]
            pairs = zip(part.strength.unbind(1), part.activation.unbind(1), strict=True)
            for step, (received, sent) in enumerate(pairs, call * steps):
                seen = Seen(name + part.name, module, received.shape, step)
                self._listener.strength(seen, received)
                if part.function is not None:
                    self._listener.activation(seen, sent, part.function)

    def applied(self, argument: Tensor, value: Tensor, function: str | None) -> None:
        seen = self._find(argument)
        if seen is None or value.shape != seen.shape:
            return
        del self._origin[id(argument)]
        if function is None:
            self._mark(value, seen)
        else:
            self._listener.activation(seen, value, function)

    def function(self, module: nn.Module, args: Any, output: Any) -> None:
        if args and isinstance(args[0], Tensor) and isinstance(output, Tensor) and output is not args[0]:
            self.applied(args[0], output, function_of_module(module)[1])

    def _mark(self, tensor: Tensor, seen: Seen) -> None:
        self._origin[id(tensor)] = (weakref.ref(tensor), seen)

    def _find(self, tensor: Tensor) -> Seen | None:
        held = self._origin.get(id(tensor))
        return held[1] if held is not None and held[0]() is tensor else None
