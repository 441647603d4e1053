"""A walk through a recording, which applies the rule of each step and builds the graph."""

from __future__ import annotations

import importlib
import operator
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.utils._pytree import tree_leaves, tree_map_only

from synaplex.graph.network import NeuralGraph
from synaplex.graph.tracing.assembly import Assembly, Hole
from synaplex.graph.tracing.axis import Axis, Birth
from synaplex.graph.tracing.call import RULES, Call, NotUnderstood
from synaplex.graph.tracing.draft import Draft
from synaplex.graph.tracing.recording import Recording
from synaplex.graph.tracing.reductions import mean_over
from synaplex.graph.tracing.signal import Signal, Static, Tokens, Unknown
from synaplex.graph.tracing.wiring import settled

_KINDS = (
    "activations",
    "cells",
    "convolution",
    "einsum",
    "fused_attention",
    "movement",
    "norms",
    "recurrent",
    "sparse",
    "tables",
)
for _kind in _KINDS:
    importlib.import_module(f"synaplex.graph.tracing.{_kind}")

_ASSERTIONS = ("_assert_tensor_metadata", "_assert_async", "_assert_scalar", "sym_constrain_range_for_size")
_LOOKUPS = ("embedding", "index", "index_select", "gather")


class Walk:
    """One pass over a recorded computation.

    Parameters
    ----------
    module
        What was recorded.
    recording
        Its computation.
    shared
        Axes of tensors, by the step that makes them, whose places are positions that share weights.
    unfold
        Whether positions that share weights are neurons of their own.
    """

    def __init__(
        self, module: nn.Module, recording: Recording, shared: frozenset[Birth] = frozenset(), *, unfold: bool = False
    ) -> None:
        self.module = module
        self.recording = recording
        self.shared = shared
        self.unfold = unfold
        self.names = _aliases(module)
        self.assembly = Assembly(dict(module.named_parameters(remove_duplicate=False)))
        self.values: dict[fx.Node, Any] = {}
        self.readers: dict[Draft, set[fx.Node]] = {}
        self.carried: dict[fx.Node, frozenset[Draft]] = {}
        self.aside: set[fx.Node] = set()
        self.axes: list[Axis] = []

    def run(self) -> NeuralGraph:
        """Apply every rule and build the graph."""
        graph = self.recording.graph.graph
        for node in graph.find_nodes(op="placeholder"):
            self._set(node, self._placeholder(node))
        returned = self._steps(graph, self.recording.graph)
        signals = [settled(self.assembly, one, "output") for one in returned if isinstance(one, Signal)]
        outputs = {draft for one in signals for draft in one.drafts}
        return self.assembly.build(outputs)

    def wanted(self) -> frozenset[Birth]:
        """The axes that turned out to hold positions which share weights."""
        return frozenset(birth for draft in self.assembly.drafts for axis in draft.axes for birth in axis.shared)

    def _steps(self, graph: fx.Graph, owner: fx.GraphModule) -> list[Any]:
        """Take all steps of a graph; returns what it gives."""
        last: dict[fx.Node, fx.Node] = {}
        for node in graph.nodes:
            last.update(dict.fromkeys(node.all_input_nodes, node))
        ended: dict[fx.Node, list[fx.Node]] = {}
        for key, node in last.items():
            ended.setdefault(node, []).append(key)
        for node in graph.nodes:
            if node.op == "output":
                found = fx.map_arg(node.args[0], self.values.__getitem__)
                return list(found) if isinstance(found, tuple | list) else [found]
            if node.op != "placeholder":
                self._set(node, self._step(node, owner))
                self._free(ended.get(node, []))
        return []

    def _free(self, nodes: list[fx.Node]) -> None:
        """Forget tensors of numbers that no later step reads."""
        for node in nodes:
            if isinstance(self.values[node], Signal | list | tuple):
                self.values[node] = None

    def _set(self, node: fx.Node, value: Any) -> None:
        self.values[node] = value
        if not isinstance(value, Signal | tuple | list):
            self.aside.add(node)
        drafts = frozenset(draft for one in _each(value) for draft in one.drafts)
        self.carried[node] = drafts
        for draft in drafts:
            self.readers.setdefault(draft, set()).add(node)

    def _placeholder(self, node: fx.Node) -> Any:
        if node.name in self.recording.inputs:
            return self._input(node)
        name, tensor = self.recording.held.get(node.name, ("", None))
        if name in self.assembly.parameters:
            return Static(lambda: tensor, (name,))
        return Static(lambda: _valued(tensor))

    def _input(self, node: fx.Node) -> Any:
        sample, name = node.meta.get("val"), self._input_name(node)
        if not isinstance(sample, Tensor):
            return Static(lambda: sample)
        if not sample.is_floating_point() and sample.dtype != torch.uint8:
            places = torch.arange(sample.numel()).view(sample.shape)
            return Tokens(name, places) if sample.dtype != torch.bool else Unknown()
        first = 1 if sample.ndim > 1 else 0
        axes = [axis for axis in range(first, sample.ndim) if (node, axis) not in self.shared]
        own = [Axis((node, axis), "input") for axis in axes]
        draft = self.assembly.add_layer(name, [sample.shape[axis] for axis in axes], own, is_input=True)
        return self.assembly.signal(draft, axes, sample.shape)

    def _input_name(self, node: fx.Node) -> str:
        tensors = [one for one in self.recording.inputs if self._is_tensor(one)]
        return "input" if len(tensors) == 1 else node.name.removeprefix("args_").removeprefix("kwargs_")

    def _is_tensor(self, name: str) -> bool:
        nodes = self.recording.graph.graph.find_nodes(op="placeholder")
        return any(node.name == name and isinstance(node.meta.get("val"), Tensor) for node in nodes)

    def _step(self, node: fx.Node, owner: fx.GraphModule) -> Any:
        if node.op == "get_attr":
            return Static(lambda: _attribute(owner, str(node.target)))
        inputs = [self.values[key] for key in node.all_input_nodes]
        if node.target is operator.getitem:
            source, place = node.args
            value = self.values[source]  # type: ignore[index]
            if not isinstance(value, Static):
                return value[int(str(place))] if isinstance(value, tuple | list) else Unknown()
        inner = [value for value in node.args if isinstance(value, fx.Node) and value.op == "get_attr"]
        if inner and isinstance(_attribute(owner, str(inner[0].target)), fx.GraphModule):
            return self._nested(node, inner[0], owner)
        if all(isinstance(value, Static) for value in inputs):
            return self._static(node)
        if _base(node) in _ASSERTIONS:
            return None
        return self._folded(node, self._apply(node))

    def _nested(self, node: fx.Node, body: fx.Node, owner: fx.GraphModule) -> Any:
        """Steps inside a block, such as one without gradients."""
        graph: fx.GraphModule = _attribute(owner, str(body.target))
        given = node.args[node.args.index(body) + 1 :]
        for placeholder, argument in zip(graph.graph.find_nodes(op="placeholder"), given, strict=False):
            value = self.values[argument] if isinstance(argument, fx.Node) else Static(partial(_given, argument))
            self._set(placeholder, value)
        return self._steps(graph.graph, graph)

    def _apply(self, node: fx.Node) -> Any:
        call = self._call(node)
        rule = RULES.get(f"{call.operation}.{_overload(node)}") or RULES.get(call.operation)
        try:
            if rule is None:
                raise NotUnderstood("there is no rule for this operation")
            value = rule(call)
        except NotUnderstood as reason:
            return self._gap(call, str(reason))
        for static in call.values(Static):
            unread = [name for name in static.parameters if not self.assembly.recorded(name)]
            self.assembly.record(unread, "left out", f"read by {call.name}; joins no neurons")
        return value

    def _folded(self, node: fx.Node, value: Any) -> Any:
        """A value whose positions that share weights have become one, if they were neurons."""
        axes = [axis for other, axis in self.shared if other is node]
        if not axes or not isinstance(value, Signal):
            return value
        axes = [axis for axis in axes if axis in value.axes]
        if not axes:
            return value
        call = self._call(node)
        name = f"{next(iter(value.drafts)).name} (tokens)"
        return mean_over(call, value, axes, name).expanded(value.shape)

    def _call(self, node: fx.Node) -> Call:
        path = _module_path(node)
        arguments = _bound(node)
        return Call(
            assembly=self.assembly,
            node=node,
            operation=_base(node),
            module=path,
            arguments={name: self._resolved(value, path) for name, value in arguments.items()},
            recorded={name: fx.map_arg(value, lambda key: key.meta.get("val")) for name, value in arguments.items()},
            result=node.meta.get("val"),
            owner=self.module.get_submodule(path) if _has(self.module, path) else self.module,
            exclusive=lambda draft: self._exclusive(draft, node),
            unfold=self.unfold,
        )

    def _resolved(self, value: Any, path: str) -> Any:
        """An argument with values in the place of steps; parameters go by their name in the module that reads them."""
        found = fx.map_arg(value, self.values.__getitem__)
        if isinstance(found, Static) and len(found.parameters) == 1:
            twins = self.names.get(found.parameters[0], ())
            own = [name for name in twins if path and name.startswith(f"{path}.")]
            if own and own[0] != found.parameters[0]:
                return Static(found.evaluate, (own[0],), table=found.table)
        return found

    def _exclusive(self, draft: Draft, reader: fx.Node) -> bool:
        """Whether every path from a layer leads to `reader` and nowhere else."""
        return all(
            user is reader or draft in self.carried.get(user, ()) or user in self.aside
            for node in self.readers.get(draft, ())
            for user in node.users
        )

    def _static(self, node: fx.Node) -> Static:
        inputs = [self.values[key] for key in node.all_input_nodes]
        names = dict.fromkeys(name for value in inputs for name in value.parameters)
        table = _base(node) in _LOOKUPS or any(value.table for value in inputs)
        kept: list[Any] = []
        evaluated = fx.map_arg((node.args, node.kwargs), self.values.__getitem__)

        def evaluate() -> Any:
            if not kept:
                with torch.no_grad():
                    args, kwargs = _together(_evaluated(evaluated))
                    target: Callable[..., Any] = node.target  # type: ignore[assignment]
                    kept.append(target(*args, **kwargs))
            return kept[0]

        return Static(evaluate, tuple(names), table=table)

    def _gap(self, call: Call, reason: str) -> Any:
        """A step that is not understood: a layer for what comes out, and a note of what it read."""
        place = f"{call.module}: {call.operation}" if call.module else call.operation
        read = frozenset(draft for one in call.values(Signal) for draft in one.drafts)
        for static in call.values(Static):
            self.assembly.record(static.parameters, "not understood", f"{place}: {reason}")
        results = call.result if isinstance(call.result, tuple | list) else [call.result]
        made: list[Any] = []
        for result in results:
            if not isinstance(result, Tensor) or not (result.is_floating_point() or result.is_complex()):
                made.append(Unknown())
                continue
            like = next((one for one in call.values(Signal) if one.shape == tuple(result.shape)), None)
            axes = list(like.axes) if like is not None else list(range(min(1, result.ndim - 1), result.ndim))
            draft = self.assembly.add_layer(call.name, [result.shape[axis] for axis in axes])
            made.append(self.assembly.signal(draft, axes if draft.size > 1 else [], result.shape))
        targets = tuple(draft for one in made if isinstance(one, Signal) for draft in one.drafts)
        self.assembly.record([place], "not understood", reason)
        if targets:
            self.assembly.holes.append(Hole(place, reason, read, targets))
        return made if isinstance(call.result, tuple | list) else made[0]


def _aliases(module: nn.Module) -> dict[str, list[str]]:
    """All names of each parameter that has several."""
    names: dict[int, list[str]] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    return {name: group for group in names.values() if len(group) > 1 for name in group}


def _each(value: Any) -> list[Signal]:
    values = value if isinstance(value, tuple | list) else [value]
    return [one for one in values if isinstance(one, Signal)]


def _base(node: fx.Node) -> str:
    packet = getattr(node.target, "overloadpacket", None)
    name = getattr(packet, "__name__", getattr(node.target, "__name__", str(node.target)))
    return name.removesuffix("_") if not name.endswith("__") else name


def _overload(node: fx.Node) -> str:
    return str(getattr(node.target, "_overloadname", ""))


def _module_path(node: fx.Node) -> str:
    stack = node.meta.get("nn_module_stack") or {}
    path = next(reversed([place for place, _ in stack.values()]), "")
    return path.removeprefix("model").removeprefix(".").partition("@")[0]


def _has(module: nn.Module, path: str) -> bool:
    try:
        module.get_submodule(path)
    except AttributeError:
        return False
    return True


def _valued(tensor: Any) -> Any:
    """A constant; in the place of one without values a stand-in, since no value decides over layers and links."""
    if not isinstance(tensor, Tensor) or not tensor.is_meta:
        return tensor
    plain = tensor.is_floating_point() or tensor.dtype == torch.bool
    return torch.full((), int(plain), dtype=tensor.dtype).expand(tensor.shape)


def _given(value: Any) -> Any:
    return value


def _attribute(owner: Any, path: str) -> Any:
    for part in path.split("."):
        owner = getattr(owner, part)
    return owner


def _bound(node: fx.Node) -> Mapping[str, Any]:
    """The arguments of a step by name, with the defaults of those that were not given."""
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        return {**{str(i): value for i, value in enumerate(node.args)}, **node.kwargs}
    bound = {}
    for place, argument in enumerate(schema.arguments):
        if place < len(node.args):
            bound[argument.name] = node.args[place]
        elif argument.name in node.kwargs:
            bound[argument.name] = node.kwargs[argument.name]
        else:
            bound[argument.name] = argument.default_value if argument.has_default_value() else None
    return bound


def _evaluated(value: Any) -> Any:
    if isinstance(value, Static):
        return value.evaluate()
    if isinstance(value, tuple | list):
        return type(value)(_evaluated(one) for one in value)
    if isinstance(value, dict):
        return {name: _evaluated(one) for name, one in value.items()}
    return value


def _together(value: Any) -> Any:
    """Arguments none of which has values where one of them has none, and all of which have them elsewhere."""
    leaves = tree_leaves(value)
    meta = any(isinstance(leaf, Tensor) and leaf.is_meta for leaf in leaves)
    if not meta and not any(isinstance(leaf, torch.device) and leaf.type == "meta" for leaf in leaves):
        return value
    place = torch.device("meta" if meta else "cpu")
    moved = {Tensor: lambda tensor: tensor.to(place), torch.device: lambda _: place}
    for kind, move in moved.items():
        value = tree_map_only(kind, move, value)
    return value
