"""Recording: what a module computes, as a graph of ATen operations on tensors without values."""

from __future__ import annotations

import inspect
import io
import logging
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, is_dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from synaplex.errors import InvalidGraphError

INSTEAD = "To measure part of the model, pass its weight matrices: sx.graph([W1, W2, ...])"


class DataDependentError(InvalidGraphError):
    """What a module computes depends on the values of its input."""


class _Outputs(nn.Module):
    """A module that gives the tensors of another one's output, whatever they are wrapped in."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *args: Any, **kwargs: Any) -> tuple[Tensor, ...]:
        return tuple(_tensors(self.model(*args, **kwargs)))


def _tensors(output: Any) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, Mapping):
        for part in output.values():
            yield from _tensors(part)
    elif isinstance(output, tuple | list):
        for part in output:
            yield from _tensors(part)
    elif is_dataclass(output):
        yield from _tensors(vars(output))


@dataclass(frozen=True, eq=False)
class Recording:
    """A module's computation.

    Attributes
    ----------
    graph
        Its steps.
    held
        What a placeholder of `graph` stands for: the name of a parameter, buffer or constant, and its tensor.
    inputs
        Names of the placeholders for inputs.
    """

    graph: fx.GraphModule
    held: dict[str, tuple[str, Any]]
    inputs: tuple[str, ...]


def record(module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Recording:
    """Record what a module computes at evaluation from inputs of these shapes.

    The module runs once on tensors without values, so that neither activations nor copies of parameters are made; it
    is left as it was found, in training mode if it was.

    Raises
    ------
    InvalidGraphError
        If it fails on such inputs, or if what it computes depends on their values; names the module where.
    """
    wrapped = _Outputs(module)
    args, kwargs = _by_name(module, args, kwargs)
    with _as_found(module), _quietly():
        wrapped.eval()
        try:
            program = torch.export.export(wrapped, tuple(args), dict(kwargs), strict=False)
            if _writes(program.graph):
                program = program.run_decompositions({})  # the same operations, with results in the place of writes
        except Exception as error:
            raise _explained(error, module, [*args, *kwargs.values()]) from error
    signature = program.graph_signature
    held: dict[str, tuple[str, Any]] = {}
    for name, target in (signature.inputs_to_parameters | signature.inputs_to_buffers).items():
        held[name] = (target.removeprefix("model."), _find(program, module, target))
    for name, target in signature.inputs_to_lifted_tensor_constants.items():
        held[name] = ("", program.constants[target])
    return Recording(program.graph_module, held, tuple(signature.user_inputs))


_VIEWS = ("slice", "select", "view", "narrow", "index", "split", "chunk", "unbind", "transpose", "diagonal", "getitem")


def _writes(graph: fx.Graph) -> bool:
    """Whether a step changes a tensor that later steps read under another name, as an assignment to a slice does."""
    seen: set[fx.Node] = set()
    for node in graph.nodes:
        seen.add(node)
        name = getattr(getattr(node.target, "overloadpacket", None), "__name__", "")
        if not name.endswith("_") or name.endswith("__") or not node.args or not isinstance(node.args[0], fx.Node):
            continue
        changed = node.args[0]
        if getattr(changed.target, "__name__", "").partition(".")[0] in _VIEWS or set(changed.users) - seen:
            return True
    return False


def _by_name(
    module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """Arguments by the names that the module gives them, which inputs are called by."""
    try:
        bound = inspect.signature(module.forward).bind(*args, **kwargs)
    except TypeError as error:
        raise InvalidGraphError(f"{type(module).__name__} does not take the example input: {error}") from error
    return (args, kwargs) if bound.args and not _nameable(module) else ((), bound.arguments)


def _nameable(module: nn.Module) -> bool:
    kinds = {one.kind for one in inspect.signature(module.forward).parameters.values()}
    return kinds <= {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}


def _find(program: Any, module: nn.Module, target: str) -> Tensor:
    own = target.removeprefix("model.")
    owner, _, name = own.rpartition(".")
    try:
        found = getattr(module.get_submodule(owner), name)
    except AttributeError:
        found = None
    if isinstance(found, Tensor):
        return found
    held = program.state_dict.get(target)
    return held if isinstance(held, Tensor) else program.constants[target]


@contextmanager
def _as_found(module: nn.Module) -> Iterator[None]:
    """Put back every attribute of every module, which recording may change."""
    holders: list[Any] = [vars(one) for one in module.modules()]
    holders += [value for held in holders for value in held.values() if type(value) in (dict, list)]
    before = [(holder, holder.copy()) for holder in holders]
    try:
        yield
    finally:
        for holder, content in before:
            holder.clear()
            (holder.extend if isinstance(holder, list) else holder.update)(content)


_LOGS = ("torch._subclasses.fake_tensor", "torch.fx.experimental.symbolic_shapes")
"""What torch logs about a failure, which the error that is raised says already."""


@contextmanager
def _quietly() -> Iterator[None]:
    """Without warnings, logged traces, fused kernels for whole encoder layers, or a change of the random state."""
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    logs = {log: log.disabled for log in map(logging.getLogger, _LOGS)}
    for log in logs:
        log.disabled = True
    try:
        with warnings.catch_warnings(), torch.random.fork_rng(devices=[]), torch.enable_grad():
            warnings.simplefilter("ignore")
            with redirect_stderr(io.StringIO()) as printed:  # a failure prints the steps so far
                yield
        print(printed.getvalue(), end="", file=sys.stderr)
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
        for log, silent in logs.items():
            log.disabled = silent


_DATA_DEPENDENT = ("data-dependent", "GuardOnDataDependent", "DataDependentOutput", "_local_scalar_dense", "Eq(u", "u0")
_SHAPES = (
    "shape",
    "size",
    "dim",
    "channels",
    "must match",
    "expected input",
    "Expected",
    "elements",
    "multiplied",
    "expected 2D",
    "expected 3D",
    "expected 4D",
    "expected 5D",
)


def _explained(error: Exception, module: nn.Module, inputs: Sequence[Any]) -> InvalidGraphError:
    """The error to raise in the place of one of torch: which module failed, on what, and why."""
    kind, place = type(module).__name__, _place(error, module)
    text = " ".join(str(error).split("\n\n")[0].split())[:400].rstrip(".")
    given = ", ".join(str(tuple(one.shape)) if isinstance(one, Tensor) else repr(one) for one in inputs)
    if any(mark in f"{type(error).__name__} {error}" for mark in _DATA_DEPENDENT):
        return DataDependentError(
            f"{kind} cannot be read as a graph: its control flow depends on the data{place}. {INSTEAD}"
        )
    if isinstance(error, TypeError) and "argument" in text:
        return InvalidGraphError(f"{kind} does not take the example input ({given}): {text}")
    if any(mark in text for mark in _SHAPES):
        return InvalidGraphError(
            f"{kind} does not take an example_input of shape {given}{place}: {text}. Pass an example_input of the "
            "shape that the model is made for, batch axis first"
        )
    return InvalidGraphError(f"{kind} cannot be read as a graph, tracing it failed{place}: {text}. {INSTEAD}")


def _place(error: BaseException, module: nn.Module) -> str:
    """Where it went wrong: the innermost module that was running, and the last line of the user's own code."""
    names = {id(one): name for name, one in module.named_modules()}
    inner, line = "", ""
    cause: BaseException | None = error
    while cause is not None and not inner and not line:
        for frame, number in traceback.walk_tb(cause.__traceback__):
            owner, path = frame.f_locals.get("self"), frame.f_code.co_filename
            if isinstance(owner, nn.Module) and names.get(id(owner)):
                inner = f", in module {names[id(owner)]!r} ({type(owner).__name__})"
            if "/torch/" not in path and path != __file__ and (inner or owner is module or line):
                line = f", at {path}:{number} ({traceback.FrameSummary(path, number, frame.f_code.co_name).line})"
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return f"{inner}{line}"
