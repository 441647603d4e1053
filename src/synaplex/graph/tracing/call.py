"""One step of a recording, and the table of rules that says what each operation does to the graph.

A rule takes a `Call` and returns the value that comes out: a `Signal` where it passes activations on. To teach the
trace another operation, write its rule in the file of its kind and enter it with `rule`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, fx, nn

from synaplex.graph.tracing.assembly import Assembly
from synaplex.graph.tracing.draft import Draft
from synaplex.graph.tracing.signal import Signal, Static, Tokens, Unknown
from synaplex.graph.tracing.wiring import settled

Rule = Callable[["Call"], Any]
RULES: dict[str, Rule] = {}


def rule(*operations: str) -> Callable[[Rule], Rule]:
    """Enter a rule for operations by their ATen names; in-place forms follow the same rule."""

    def enter(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(operations, function))
        return function

    return enter


class NotUnderstood(Exception):
    """A step that cannot be read as links; its text is the reason."""


@dataclass(frozen=True, eq=False)
class Call:
    """One step of a model.

    Attributes
    ----------
    assembly
        What the step adds to.
    node
        The step as it was recorded.
    operation
        Its ATen name, without the underscore of in-place forms.
    module
        Qualified name of the module that takes the step; "" for the model itself.
    arguments
        Its arguments by name, with a `Signal`, `Tokens`, `Unknown` or `Static` in the place of every tensor.
    recorded
        The same with the tensors of the recording, which have no values.
    result
        What the step gave when it was recorded: a tensor without values, or several.
    owner
        That module.
    exclusive
        Whether nothing but this step reads a layer.
    scores
        Whether it makes scores of attention, whatever follows it.
    unfold
        Whether positions that share weights are to be neurons of their own.
    """

    assembly: Assembly
    node: fx.Node
    operation: str
    module: str
    arguments: dict[str, Any]
    recorded: dict[str, Any]
    result: Any
    owner: nn.Module
    exclusive: Callable[[Draft], bool]
    scores: bool = False
    unfold: bool = False

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    def get(self, name: str, default: Any = None) -> Any:
        """An argument, or `default` where the operation has none of that name."""
        return self.arguments.get(name, default)

    @property
    def first(self) -> Any:
        """The first argument."""
        return next(iter(self.arguments.values()))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensor that comes out."""
        return tuple(self.result.shape)

    @property
    def name(self) -> str:
        """What a layer made here is called where no parameter names it: the operation in its module."""
        return self.named(self.operation)

    def giving(self, shape: Sequence[int]) -> Call:
        """The same step, giving a tensor of another shape."""
        return replace(self, result=torch.empty(tuple(shape), device="meta"))

    def named(self, part: str) -> str:
        """The name of a part of the module."""
        return f"{self.module}.{part}" if self.module else part

    def values(self, *kinds: type) -> Iterator[Any]:
        """All arguments of some kinds, those inside lists included."""
        for value in self.arguments.values():
            for item in value if isinstance(value, tuple | list) else (value,):
                if isinstance(item, kinds):
                    yield item

    def signal(self, name: str) -> Signal:
        """An argument that must be activations."""
        value = self[name]
        if isinstance(value, Unknown):
            return self.features(value, name)
        if not isinstance(value, Signal):
            kind = "whole numbers" if isinstance(value, Tokens) else "a constant"
            raise NotUnderstood(f"it reads {kind} where activations are expected")
        return value

    def settled(self, name: str) -> Signal:
        """An argument that must be activations, without a factor pending."""
        return settled(self.assembly, self.signal(name), self.name)

    def features(self, value: Unknown, name: str) -> Signal:
        """Numbers computed from the input that weights read: a layer of inputs of its own, one neuron a feature."""
        shape = tuple(self.recorded[name].shape)
        if value.draft is None:
            value.draft = self.assembly.add_layer(self.named("features"), shape[-1:], is_input=True)
        return self.assembly.signal(value.draft, [len(shape) - 1] if shape else [], shape)

    def tensor(self, name: str) -> Tensor | None:
        """The value of an argument that must be a parameter or constant; None where it is not given."""
        value = self[name]
        if value is None or isinstance(value, Tensor):
            return value
        if not isinstance(value, Static):
            raise NotUnderstood("its weights depend on the input")
        found = value.evaluate()
        return found.detach() if isinstance(found, Tensor) else torch.as_tensor(found)

    def parameters(self, name: str) -> tuple[str, ...]:
        """Names of the parameters that an argument is computed from."""
        value = self.arguments.get(name)
        return value.parameters if isinstance(value, Static) else ()

    def layer_name(self, weight: str) -> str:
        """What a layer is called that the parameters of an argument feed: their module, or the parameter itself."""
        names = self.parameters(weight)
        if len(names) != 1:
            return self.module or self.operation
        owner, _, part = names[0].rpartition(".")
        if part == "weight" and (not self.module or owner.startswith(f"{self.module}.")):
            return owner or self.operation
        if part == "weight" or part.startswith("original"):
            return self.module or self.operation
        return names[0].removesuffix("_weight")

    def link_name(self, weight: str) -> str:
        """What a link is called whose weights are an argument."""
        names = self.parameters(weight)
        return names[0] if len(names) == 1 else self.module or self.operation

    def add_bias(self, draft: Draft, bias: Tensor, names: Sequence[str]) -> None:
        """Add a bias, one value a neuron in the layer's order, that comes from the named parameters."""
        self.assembly.add_bias(draft, bias)
        self.assembly.record(names, "bias", f"of layer {draft.name}")
