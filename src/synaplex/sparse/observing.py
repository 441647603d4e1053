"""What the layers read and what gradients came back in the last batch, for rules that look at them."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from synaplex.sparse.layer import SparseLinear


class Observer:
    """Hooks on sparse layers that hold the input and the output's gradient of the last backward pass.

    Memory: what these tensors take; they are held until `forget`.

    Parameters
    ----------
    layers
        By name.
    """

    def __init__(self, layers: Mapping[str, SparseLinear]) -> None:
        self.inputs: dict[str, Tensor] = {}
        self.gradients: dict[str, Tensor] = {}
        held = weakref.ref(self)
        self._hooks = [layer.register_forward_hook(_hook(held, name)) for name, layer in layers.items()]

    def forget(self) -> None:
        """Let go of what was held."""
        self.inputs.clear()
        self.gradients.clear()

    def remove(self) -> None:
        """Take the hooks away."""
        for hook in self._hooks:
            hook.remove()


def _hook(held: weakref.ref[Observer], name: str) -> Any:
    def after_forward(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if not output.requires_grad or held() is None:
            return
        x = inputs[0].detach()

        def after_backward(grad: Tensor) -> None:
            observer = held()
            if observer is not None:
                observer.inputs[name] = x.reshape(-1, x.shape[-1]).to(grad.dtype)
                observer.gradients[name] = grad.detach().reshape(-1, grad.shape[-1])

        output.register_hook(after_backward)  # type: ignore[no-untyped-call]

    return after_forward
