"""Activation functions, noticed where they are applied: as modules or as plain calls in a forward method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

RECTIFIERS = frozenset({"relu", "relu6"})
"""Functions that are exactly zero for negative arguments: a neuron that never gets past zero is dead."""

BOUNDS: dict[str, tuple[float, float]] = {
    "sigmoid": (0.0, 1.0),
    "hardsigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "hardtanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
}
"""Ends of the functions that saturate at both."""

_SPELLINGS = (
    ("celu", ("celu", "celu_")),
    ("elu", ("elu", "elu_")),
    ("gelu", ("gelu",)),
    ("hardsigmoid", ("hardsigmoid",)),
    ("hardswish", ("hardswish",)),
    ("hardtanh", ("hardtanh", "hardtanh_")),
    ("leaky_relu", ("leaky_relu", "leaky_relu_")),
    ("logsigmoid", ("logsigmoid",)),
    ("log_softmax", ("log_softmax",)),
    ("mish", ("mish",)),
    ("prelu", ("prelu",)),
    ("relu", ("relu", "relu_")),
    ("relu6", ("relu6",)),
    ("selu", ("selu", "selu_")),
    ("sigmoid", ("sigmoid", "sigmoid_")),
    ("silu", ("silu",)),
    ("softmax", ("softmax",)),
    ("softplus", ("softplus",)),
    ("softsign", ("softsign",)),
    ("tanh", ("tanh", "tanh_")),
)


def _known() -> dict[Any, str]:
    """Every function of torch that is an activation function, with its name."""
    known: dict[Any, str] = {}
    for name, spellings in _SPELLINGS:
        for spelling in spellings:
            for home in (torch, functional, Tensor):
                if (function := getattr(home, spelling, None)) is not None:
                    known[function] = name
    return known


FUNCTIONS = _known()
_PASSIVE = frozenset({functional.dropout, functional.alpha_dropout, torch.dropout, Tensor.contiguous})
_PASSIVE_MODULES = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.Identity)
_OTHER_MODULES = ("Flatten", "Unflatten", "Pool", "Pad", "Norm", "Shuffle", "Upsample", "Fold", "Loss")
"""Parts of the names of modules without parameters that are no activation functions, even where shapes agree."""

Applied = Callable[[Tensor, Tensor, str | None], None]
"""Told of an argument, a value, and the name of the function; None where the value only stands for the argument."""


class FunctionWatch(TorchFunctionMode):
    """Reports every activation function of torch that is called while it is active.

    Parameters
    ----------
    applied
        Called after each.
    """

    def __init__(self, applied: Applied) -> None:
        super().__init__()
        self._applied = applied

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        value = func(*args, **(kwargs or {}))
        if func in FUNCTIONS or func in _PASSIVE:
            argument = args[0] if args else (kwargs or {}).get("input")
            if isinstance(argument, Tensor) and isinstance(value, Tensor):
                self._applied(argument, value, FUNCTIONS.get(func))
        return value


def function_of_module(module: nn.Module) -> tuple[bool, str | None]:
    """Whether a module may be an activation function of its own making, and its name; None for one that passes on.

    Such is a module without parameters and children, unless its name tells that it is something else.
    """
    if isinstance(module, _PASSIVE_MODULES):
        return True, None
    kind = type(module).__name__
    leaf = next(module.children(), None) is None and next(module.parameters(), None) is None
    return leaf and not any(part in kind for part in _OTHER_MODULES), kind.lower()


def is_function(module: nn.Module) -> bool:
    """Whether a module with parameters is an activation function nevertheless."""
    return isinstance(module, nn.PReLU)
