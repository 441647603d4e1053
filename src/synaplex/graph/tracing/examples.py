"""Example inputs: what a module is run on to see what it computes; only shapes and kinds matter."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from itertools import islice, product
from typing import Any

import torch
from torch import Tensor, nn

from synaplex.errors import InvalidGraphError, SpecificationError

Example = tuple[tuple[Any, ...], dict[str, Any]]
"""Positional and named arguments."""

_TRIALS = 64


def examples(module: nn.Module, given: Any) -> Iterator[Example]:
    """Arguments to record a module with: those given, or guesses from the sizes of its weights."""
    if given is not None:
        yield _prepared(module, given)
        return
    own = getattr(module, "dummy_inputs", None)
    if isinstance(own, Mapping) and own:
        yield _prepared(module, own)
        return
    arguments = [
        one
        for one in inspect.signature(module.forward).parameters.values()
        if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
    ]
    needed = [one for one in arguments if one.default is one.empty] or arguments[:1]
    for sizes in islice(product(_sizes(module), repeat=len(needed)), _TRIALS):
        yield _prepared(module, tuple(torch.zeros(1, size) for size in sizes))


def _sizes(module: nn.Module) -> list[int]:
    """How many neurons the input may have: what a linear layer or a product with a parameter reads."""
    first = [size for one in module.modules() if isinstance(size := getattr(one, "in_features", None), int)]
    other = [size for one in module.parameters() if one.ndim == 2 for size in one.shape]
    return list(dict.fromkeys([*first, *other]))


def _prepared(module: nn.Module, given: Any) -> Example:
    """The arguments as tensors where the model lies, in its precision."""
    if isinstance(given, Mapping):
        return (), {str(name): _tensor(module, value) for name, value in given.items()}
    if not isinstance(given, tuple | list):
        given = (given,)
    elif given and all(isinstance(value, int) and not isinstance(value, bool) for value in given):
        raise SpecificationError(
            f"example_input={given!r} holds numbers where tensors belong; if that is the shape of the input, pass "
            f"torch.zeros({', '.join(map(str, given))})"
        )
    return tuple(_tensor(module, value) for value in given), {}


def _tensor(module: nn.Module, value: Any) -> Any:
    if hasattr(value, "__array__") and not isinstance(value, Tensor):
        value = torch.as_tensor(value)
    if not isinstance(value, Tensor):
        if value is None or isinstance(value, bool | int | float | str):
            return value
        raise SpecificationError(f"example_input holds a {type(value).__name__}; pass tensors, or None for no tensor")
    like = next((one for one in module.parameters() if one.is_floating_point()), None)
    device = value.device if like is None else like.device
    dtype = like.dtype if like is not None and value.is_floating_point() else value.dtype
    return torch.zeros(value.shape, dtype=dtype, device=device)


def unwrapped(module: nn.Module) -> nn.Module:
    """The module inside those that only run it elsewhere or compiled."""
    while True:
        inner = getattr(module, "_orig_mod", None)
        if isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
            inner = module.module
        if not isinstance(inner, nn.Module):
            break
        module = inner
    if isinstance(module, torch.jit.ScriptModule):
        raise InvalidGraphError(
            "a compiled TorchScript module cannot be traced; pass the Python module it was made from, "
            "or its weights: sx.graph(module.state_dict())"
        )
    return module
