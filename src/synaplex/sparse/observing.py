"""What the layers read and what gradients came back since the last step, for rules that look at them."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from synaplex.sparse.layer import SparseLinear


class Observer:
    """Hooks on sparse layers that hold their inputs and their outputs' gradients, call by call, for one step's batches.

    Gradients of a step are those that the optimiser adds up: of every call of a layer in a forward pass, and of every
    batch since the step before (gradient accumulation). A layer begins anew with its first backward pass after
    `end_step`; until then, what it saw stays to be read.

    Memory: what these tensors take; they are held until the next step's first batch, or until `forget`.

    Parameters
    ----------
    layers
        By name.
    optimizer
        Each of its steps calls `end_step`, where it takes hooks; None where the owner alone does.
    """

    def __init__(self, layers: Mapping[str, SparseLinear], optimizer: torch.optim.Optimizer | None = None) -> None:
        self._seen: dict[str, tuple[list[Tensor], list[Tensor]]] = {}
        self._over: set[str] = set()
        held = weakref.ref(self)
        self._hooks = [layer.register_forward_hook(_hook(held, name)) for name, layer in layers.items()]
        if optimizer is not None and hasattr(optimizer, "register_step_post_hook"):
            self._hooks.append(optimizer.register_step_post_hook(_step_hook(held)))

    @property
    def inputs(self) -> dict[str, Tensor]:
        """What each layer read, ``(samples, in)``: the calls one below the other."""
        return {name: _joined(seen[0]) for name, seen in self._seen.items()}

    @property
    def gradients(self) -> dict[str, Tensor]:
        """The gradient by what it gave, ``(samples, out)``, row by row as `inputs`."""
        return {name: _joined(seen[1]) for name, seen in self._seen.items()}

    def add(self, name: str, x: Tensor, grad: Tensor) -> None:
        """Note one call of a layer."""
        if name in self._over:
            self._over.remove(name)
            del self._seen[name]
        inputs, gradients = self._seen.setdefault(name, ([], []))
        inputs.append(x.reshape(-1, x.shape[-1]).to(grad.dtype))
        gradients.append(grad.detach().reshape(-1, grad.shape[-1]))

    def end_step(self) -> None:
        """What comes from now on belongs to another step."""
        self._over.update(self._seen)

    def forget(self) -> None:
        """Let go of what was held."""
        self._seen.clear()
        self._over.clear()

    def remove(self) -> None:
        """Take the hooks away."""
        for hook in self._hooks:
            hook.remove()


def _joined(parts: list[Tensor]) -> Tensor:
    """All rows; they are held once, and a single part stays as it is."""
    if len(parts) > 1:
        parts[:] = [torch.cat(parts)]
    return parts[0]


def _hook(held: weakref.ref[Observer], name: str) -> Any:
    def after_forward(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if not output.requires_grad or held() is None:
            return
        x = inputs[0].detach()

        def after_backward(grad: Tensor) -> None:
            observer = held()
            if observer is not None:
                observer.add(name, x, grad)

        output.register_hook(after_backward)  # type: ignore[no-untyped-call]

    return after_forward


def _step_hook(held: weakref.ref[Observer]) -> Any:
    def after_step(*_: Any) -> None:
        observer = held()
        if observer is not None:
            observer.end_step()

    return after_step
