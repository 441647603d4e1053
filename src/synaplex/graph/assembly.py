"""A graph under construction: what a trace adds to as it walks through a model."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from synaplex.errors import InvalidGraphError
from synaplex.graph.coverage import Coverage, Outcome
from synaplex.graph.identity import IdentityLink
from synaplex.graph.layer import Layer, Role
from synaplex.graph.link import Link
from synaplex.graph.network import NeuralGraph


@dataclass(eq=False)
class Draft:
    """A layer under construction.

    Attributes
    ----------
    name
        What the graph will call it.
    shape
        Shape of one activation; None for an input before anything has read it.
    sample
        For an input, the shape of the example that was given, batch axis and all.
    is_input
        Whether it is fed from outside the model.
    incoming
        Layers that feed it, each with the link; the links get their layer indices when the graph is built.
    bias
        Sum of the biases added to it.
    """

    name: str
    shape: tuple[int, ...] | None = None
    sample: tuple[int, ...] | None = None
    is_input: bool = False
    incoming: list[tuple[Draft, Link]] = field(default_factory=list)
    bias: Tensor | None = None

    @property
    def size(self) -> int | None:
        """Number of neurons, where it is known."""
        return None if self.shape is None else math.prod(self.shape)


@dataclass(frozen=True)
class Signal:
    """The activations of one or more layers, side by side, on their way through a model.

    Attributes
    ----------
    layers
        The layers whose neurons it carries, in order.
    fresh
        Whether it is a plain sum of what the links brought: no activation has touched it yet.
    """

    layers: tuple[Draft, ...]
    fresh: bool = False

    @property
    def size(self) -> int | None:
        """Number of neurons, where it is known."""
        sizes = [layer.size for layer in self.layers]
        return None if None in sizes else sum(size or 0 for size in sizes)


class Assembly:
    """Layers and links collected so far, and what became of each parameter.

    Parameters
    ----------
    parameters
        The parameters of the model by name. Each is left out until a rule says otherwise. Links without
        weights of their own take the precision and device of the first.
    """

    def __init__(self, parameters: Mapping[str, Tensor]) -> None:
        self.parameters = parameters
        self.drafts: list[Draft] = []
        self._details: dict[str, tuple[Outcome, list[str]]] = {}
        self._names: Counter[str] = Counter()

    def add_input(self, name: str, sample: tuple[int, ...] | None) -> Signal:
        """A layer that is fed from outside; its size shows when something reads it."""
        draft = Draft(name, sample=sample, is_input=True)
        self.drafts.append(draft)
        return Signal((draft,))

    def add_layer(self, name: str, size: int) -> Draft:
        """A new layer; a name used before gets a number."""
        self._names[name] += 1
        count = self._names[name]
        draft = Draft(name if count == 1 else f"{name} ({count})", (size,))
        self.drafts.append(draft)
        return draft

    def read(self, signal: Signal, size: int, reader: str) -> list[tuple[Draft, slice]]:
        """The layers of a signal of `size` neurons, each with its place; fixes the size of an input.

        Raises
        ------
        InvalidGraphError
            If the signal has another number of neurons.
        """
        if signal.size is None and len(signal.layers) == 1:
            signal.layers[0].shape = _input_shape(signal.layers[0], size, reader)
        if signal.size != size:
            names = " and ".join(repr(layer.name) for layer in signal.layers)
            raise InvalidGraphError(
                f"{reader!r} reads {size} neurons, but {names} gives {signal.size or 'an unknown number'}; "
                "a reshape that changes the number of neurons is not understood"
                + (", and inputs of unknown size need example_input" if signal.size is None else "")
            )
        places, start = [], 0
        for layer in signal.layers:
            stop = start + (layer.size or 0)
            places.append((layer, slice(start, stop)))
            start = stop
        return places

    def identity(self, size: int, scale: float = 1.0) -> IdentityLink:
        """A link that passes neurons on unchanged, or times `scale`."""
        like = next(iter(self.parameters.values()), torch.empty(0))
        weight = torch.full((), scale, dtype=like.dtype, device=like.device)
        return IdentityLink(source=0, target=0, size=size, scale=weight)

    def absorb(self, draft: Draft, other: Draft) -> None:
        """Make two layers one that sums what both got; nothing may have read either."""
        draft.incoming += other.incoming
        if other.bias is not None:
            self.add_bias(draft, other.bias)
        draft.name = f"{other.name} + {draft.name}"
        self.drafts.remove(other)

    def add_bias(self, draft: Draft, bias: Tensor) -> None:
        """Add a bias to a layer's neurons."""
        draft.bias = bias if draft.bias is None else draft.bias + bias

    def move_last(self, draft: Draft) -> None:
        """Put a layer that nothing has read behind all others, so that links keep pointing forward."""
        self.drafts.remove(draft)
        self.drafts.append(draft)

    def record(self, parameter: str, outcome: Outcome, detail: str) -> None:
        """Note what a parameter became; a link outweighs a bias, and that outweighs being left out."""
        rank = ("left out", "bias", "link").index
        before, details = self._details.get(parameter, ("left out", []))
        if rank(outcome) > rank(before):
            self._details[parameter] = (outcome, [detail])
        elif outcome == before:
            self._details[parameter] = (outcome, [*details, detail])

    def coverage(self) -> tuple[Coverage, ...]:
        """What became of every parameter, and of the modules without parameters that were noted."""
        unused: tuple[Outcome, list[str]] = ("left out", ["the forward pass does not use it"])
        known = {**dict.fromkeys(self.parameters, unused), **self._details}
        shapes = {name: tuple(parameter.shape) for name, parameter in self.parameters.items()}
        return tuple(
            Coverage(name, shapes.get(name, ()), outcome, "; ".join(details))
            for name, (outcome, details) in known.items()
        )

    def build(self, outputs: Sequence[Draft]) -> NeuralGraph:
        """The finished graph; `outputs` are the layers that the model returns."""
        drafts = [draft for draft in self.drafts if draft.shape is not None]
        index = {draft: i for i, draft in enumerate(drafts)}
        links = tuple(link.between(index[source], index[draft]) for draft in drafts for source, link in draft.incoming)
        if not links:
            raise InvalidGraphError("the model holds no layer of weights, so there is no graph of it")
        feeding = {link.source for link in links}
        returned = {index[draft] for draft in outputs if draft in index and not draft.is_input}
        last = returned - feeding or returned
        layers = tuple(Layer(draft.name, draft.shape or (), _role(draft, index[draft] in last)) for draft in drafts)
        biases = {index[draft]: draft.bias for draft in drafts if draft.bias is not None}
        return NeuralGraph(layers, links, biases, self.coverage())


def _role(draft: Draft, last: bool) -> Role:
    return "input" if draft.is_input else "output" if last else "hidden"


def _input_shape(draft: Draft, size: int, reader: str) -> tuple[int, ...]:
    """The shape of an input that is read as `size` neurons: the example's, or its last axis, or a vector."""
    if draft.sample is None or draft.sample[-1:] == (size,):
        return (size,)
    for shape in (draft.sample[1:], draft.sample):
        if math.prod(shape) == size:
            return shape
    raise InvalidGraphError(
        f"{reader!r} reads {size} neurons, but example_input has shape {draft.sample}: "
        "neither its last axis nor all axes but the first give that number"
    )
