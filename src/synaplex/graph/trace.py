"""From a PyTorch module to its graph: the model's own computation is traced, not guessed from its parts."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn.parameter import UninitializedParameter

from synaplex.errors import InvalidGraphError
from synaplex.graph.assembly import Assembly, Draft, Signal
from synaplex.graph.network import NeuralGraph
from synaplex.graph.rules import FUNCTIONS, METHODS, Call, Rule, Static, module_rule

_INSTEAD = "To measure part of the model, pass its weight matrices: sx.graph([W1, W2, ...])"


def trace(module: nn.Module, example_input: Any = None) -> NeuralGraph:
    """The graph of a module, read off its computation.

    Each linear map makes a new layer, the neurons it feeds. Activations, dropout, softmax and reshapes act on
    the neurons of a layer and make none. An addition of two layers is one layer: of its two operands, the one
    that nothing else reads, with an `IdentityLink` from the other. A module called twice gives two links that
    share their weights. Weights are shared with the module, not copied.

    Parameters
    ----------
    module
        Any module whose parameters are in linear maps: `torch.nn.Linear`, or products with parameters.
    example_input
        A tensor, or a tuple of one tensor an argument, with the batch axis first; only shapes are read.
        Needed where the weights do not tell the number of input neurons; gives the input layer its shape.

    Returns
    -------
    NeuralGraph
        Layers in the order in which the model computes them, named after its modules. Its `coverage` lists
        what became of every parameter.

    Raises
    ------
    InvalidGraphError
        If the computation depends on the data, or something in it is not understood; names it.
    """
    module = _unwrap(module)
    parameters = dict(module.named_parameters(remove_duplicate=False))
    _check_parameters(parameters)
    given = () if example_input is None else example_input
    samples = list(given) if isinstance(given, tuple | list) else [given]
    before = set(vars(module))
    try:
        recorded, fixed = _record(module, len(samples))
    finally:
        for name in set(vars(module)) - before:  # constants that the recording left there
            delattr(module, name)
    return _Walk(recorded, type(module).__name__, samples, fixed, parameters).run()


def _unwrap(module: nn.Module) -> nn.Module:
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


def _check_parameters(parameters: dict[str, nn.Parameter]) -> None:
    for name, parameter in parameters.items():
        if isinstance(parameter, UninitializedParameter):
            raise InvalidGraphError(f"{name!r} has no shape yet: run the lazy module once on an input first")
        if parameter.is_meta:
            raise InvalidGraphError(f"{name!r} is on the meta device and has no values: load the weights first")
    devices = {parameter.device for parameter in parameters.values()}
    if len(devices) > 1:
        places = ", ".join(sorted(map(str, devices)))
        raise InvalidGraphError(f"the model lies on several devices ({places}): move it to one first")


class _Tracer(fx.Tracer):
    """Records calls of the modules that have a rule, and what all other modules of the user do inside."""

    record_stack_traces = True
    trace_asserts = True

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return module_rule(m) is not None or super().is_leaf_module(m, module_qualified_name)


def _record(module: nn.Module, given: int) -> tuple[fx.GraphModule, dict[int, Any]]:
    """The recorded computation, and the default values, by place, of the arguments that were not given."""
    arguments = list(inspect.signature(module.forward).parameters.values())
    fixed = {
        place: argument.default
        for place, argument in enumerate(arguments)
        if place >= max(given, 1) and argument.default is not argument.empty
    }
    concrete = {arguments[place].name: value for place, value in fixed.items()}
    try:
        return fx.GraphModule(module, _Tracer().trace(module, concrete_args=concrete or None)), fixed
    except Exception as error:
        place = _place(traceback.extract_tb(error.__traceback__))
        why = "its control flow depends on the data" if isinstance(error, fx.proxy.TraceError) else "tracing it failed"
        raise InvalidGraphError(
            f"{type(module).__name__} cannot be read as a graph, {why}: {error}{place}. {_INSTEAD}"
        ) from error


def _place(stack: Iterable[traceback.FrameSummary]) -> str:
    """Where the user's own code went wrong: the last line that is not of PyTorch or of this package."""
    own = [frame for frame in stack if "/torch/" not in frame.filename and frame.name != "_record"]
    if not own:
        return ""
    frame = own[-1]
    return f", at {frame.filename}:{frame.lineno} in {frame.name} ({frame.line})"


class _Walk:
    """One pass over a recorded computation, which applies the rule of each step."""

    def __init__(
        self,
        recorded: fx.GraphModule,
        kind: str,
        samples: list[Any],
        fixed: dict[int, Any],
        parameters: dict[str, nn.Parameter],
    ) -> None:
        self.modules = recorded
        self.kind = kind
        self.recorded = recorded.graph
        self.samples = samples
        self.fixed = fixed
        self.parameters = parameters
        self.assembly = Assembly(parameters)
        self.values: dict[fx.Node, Signal | Static] = {}
        self.returned: list[Draft] = []

    def run(self) -> NeuralGraph:
        """Apply every rule and build the graph."""
        self._check_modules()
        places = {node: i for i, node in enumerate(self.recorded.find_nodes(op="placeholder"))}
        for node in self.recorded.nodes:
            if node.op == "placeholder":
                self.values[node] = self._input(node, places[node], len(places) - len(self.fixed))
            elif node.op == "output":
                signals = [value for key in node.all_input_nodes if isinstance(value := self.values[key], Signal)]
                self.returned = [draft for signal in signals for draft in signal.layers]
            elif any(isinstance(self.values[key], Signal) for key in node.all_input_nodes) and not _asks(node):
                self.values[node] = self._rule(node)(self.assembly, self._call(node))
            else:
                self.values[node] = self._static(node)
        return self.assembly.build(self.returned)

    def _check_modules(self) -> None:
        """Name all modules without a rule at once."""
        unknown = {
            f"{node.target!r} ({type(self._module(node)).__name__})"
            for node in self.recorded.nodes
            if node.op == "call_module" and module_rule(self._module(node)) is None
        }
        if unknown:
            names = ", ".join(sorted(unknown))
            start = f"module {names} of {self.kind} is" if len(unknown) == 1 else f"modules {names} of {self.kind} are"
            raise InvalidGraphError(
                f"{start} not understood: there is no such link, and a graph without it would be that of "
                f"another network. {_INSTEAD}"
            )

    def _module(self, node: fx.Node) -> nn.Module:
        return self.modules.get_submodule(str(node.target))

    def _input(self, node: fx.Node, place: int, count: int) -> Signal | Static:
        if place in self.fixed:
            return Static(lambda: self.fixed[place])
        sample = self.samples[place] if place < len(self.samples) else None
        shape = tuple(sample.shape) if isinstance(sample, Tensor) else None
        return self.assembly.add_input("input" if count == 1 else str(node.target), shape)

    def _rule(self, node: fx.Node) -> Rule:
        rule: Rule | None
        if node.op == "call_module":
            rule = module_rule(self._module(node))
        elif node.op == "call_method":
            rule = METHODS.get(str(node.target))
        else:
            rule = FUNCTIONS.get(node.target)
        if rule is None:
            raise self._call(node).refuse("there is no rule for it")
        return rule

    def _call(self, node: fx.Node) -> Call:
        module = self._module(node) if node.op == "call_module" else None
        if module is not None:
            name, described = str(node.target), f"module {node.target!r} ({type(module).__name__})"
        else:
            name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", node.name)
            described = f"operation {name!r}{_line(node)}"
        return Call(
            name=name,
            described=described,
            args=fx.map_arg(node.args, self.values.__getitem__),  # type: ignore[arg-type]
            kwargs=fx.map_arg(node.kwargs, self.values.__getitem__),  # type: ignore[arg-type]
            module=module,
            exclusive=lambda draft: self._exclusive(draft, node),
        )

    def _exclusive(self, draft: Draft, reader: fx.Node) -> bool:
        """Whether every path from a layer leads to `reader` and nowhere else."""

        def carries(node: fx.Node) -> bool:
            value = self.values.get(node)
            return isinstance(value, Signal) and draft in value.layers

        def harmless(node: fx.Node) -> bool:
            return node is reader or carries(node) or isinstance(self.values.get(node), Static) or _asks(node)

        return all(harmless(user) for node in self.values if carries(node) for user in node.users)

    def _static(self, node: fx.Node) -> Static:
        inputs = [self.values[key] for key in node.all_input_nodes]
        names = {name for value in inputs if isinstance(value, Static) for name in value.parameters}
        own = str(node.target) if node.op == "get_attr" else ""
        if own in self.parameters:
            names.add(own)
        return Static(self._evaluation(node), tuple(sorted(names)), own)

    def _evaluation(self, node: fx.Node) -> Callable[[], Any]:
        def argument(key: fx.Node) -> Any:
            value = self.values[key]
            if isinstance(value, Signal):
                raise InvalidGraphError(f"operation {node.name!r}{_line(node)} depends on the size of the input")
            return value.evaluate()

        def evaluate() -> Any:
            if node.op == "get_attr":
                value: Any = self.modules
                for part in str(node.target).split("."):
                    value = getattr(value, part)
                return value
            args: Any = fx.map_arg(node.args, argument)
            kwargs: Any = fx.map_arg(node.kwargs, argument)
            with torch.no_grad():
                if node.op == "call_method":
                    return getattr(args[0], str(node.target))(*args[1:], **kwargs)
                called: Any = self._module(node) if node.op == "call_module" else node.target
                return called(*args, **kwargs)

        return evaluate


def _asks(node: fx.Node) -> bool:
    """Whether a step only asks for a tensor's size or kind, or asserts something."""
    if node.op == "call_method":
        return node.target in ("size", "dim", "numel", "is_floating_point")
    if node.op == "call_function" and node.target is getattr:
        return node.args[1] in ("shape", "dtype", "device", "ndim", "is_cuda")
    return node.op == "call_function" and "_assert" in getattr(node.target, "__name__", "")


def _line(node: fx.Node) -> str:
    """Where the model's code takes this step, as far as that was recorded."""
    lines = (node.stack_trace or "").strip().splitlines()
    places = [line.strip() for line in lines if line.strip().startswith("File") and "/torch/" not in line]
    return f" ({places[-1]})" if places else ""
