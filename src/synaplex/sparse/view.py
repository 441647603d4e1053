"""What the rules of a round of evolution see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from synaplex.errors import InvalidGraphError, SpecificationError, UnknownNameError
from synaplex.graph import CENTRALITIES, NeuralGraph, centrality
from synaplex.measures.registry import find, measures
from synaplex.measures.undefined import Undefined
from synaplex.sparse.layer import SparseLinear
from synaplex.sparse.structure import Structure


@dataclass(frozen=True, eq=False)
class View:
    """One round as its rules see it, before anything changes.

    Attributes
    ----------
    layers
        The sparse layers by name.
    keys
        Their connections: ascending numbers ``row * in + column``.
    structure
        How the layers are joined.
    share
        What the schedule multiplies every share that is dropped by.
    generator
        Where random numbers come from.
    inputs, gradients
        For rules that ask for them: what each layer read in the last step, ``(samples, in)``, and the gradient by
        what it gave, ``(samples, out)``; rows are the samples of all its calls in all batches of that step.
    """

    layers: Mapping[str, SparseLinear]
    keys: Mapping[str, Tensor]
    structure: Structure
    share: float
    generator: torch.Generator
    inputs: Mapping[str, Tensor] = field(default_factory=dict)
    gradients: Mapping[str, Tensor] = field(default_factory=dict)

    @cached_property
    def graph(self) -> NeuralGraph:
        """The whole network, dense layers included."""
        return self.structure.graph().memoized()

    @cached_property
    def evolving(self) -> Bool[Tensor, " neurons"]:
        """The neurons of the graph that rules may choose: joined by sparse layers, and no output."""
        mask = torch.zeros(self.graph.neurons, dtype=torch.bool, device=self.graph.device)
        for links in self.structure.links(self.graph).values():
            for link in links:
                mask[self.graph.layer_slice(link.source)] = True
                mask[self.graph.layer_slice(link.target)] = True
        for index, layer in enumerate(self.graph.layers):
            if layer.role == "output":
                mask[self.graph.layer_slice(index)] = False
        return mask

    @cached_property
    def connected(self) -> Bool[Tensor, " neurons"]:
        """The neurons of the graph that have a connection in a sparse layer."""
        mask = torch.zeros(self.graph.neurons, dtype=torch.bool, device=self.graph.device)
        for name, links in self.structure.links(self.graph).items():
            pattern = self.layers[name].pattern
            for link in links:
                mask[self.graph.layer_slice(link.target)] |= pattern.in_degree > 0
                mask[self.graph.layer_slice(link.source)] |= pattern.out_degree > 0
        return mask

    def scores(self, measure: str, **options: Any) -> Float[Tensor, " neurons"]:
        """A measure of every neuron, by its name; NaN where it is undefined.

        Names are those of `synaplex.measure`, and else of `synaplex.graph.centrality`, which has Katz.

        Raises
        ------
        UnknownNameError
            If neither knows it.
        """
        cached: dict[Any, Tensor] = self.__dict__.setdefault("_scores", {})
        key = (measure, *sorted(options.items()))
        if key not in cached:
            with torch.no_grad():
                cached[key] = _measured(self.graph, measure, options).to(torch.float64)
        return cached[key]

    def at_ends(self, name: str, values: Tensor) -> tuple[Tensor, Tensor]:
        """Values of neurons at the target and source neurons of a layer, ``(out,)`` and ``(in,)``.

        Of a layer that is called several times, those of the first call.
        """
        links = self.structure.links(self.graph)[name]
        if not links:
            raise InvalidGraphError(
                f"the sparse layer {name!r} has no place in the graph of the model, which rules by centrality need: "
                "the forward pass does not use it, or not in a way that is understood (see sx.graph(model).coverage())"
            )
        return values[self.graph.layer_slice(links[0].target)], values[self.graph.layer_slice(links[0].source)]

    def touching(self, name: str, chosen: Bool[Tensor, " neurons"]) -> Bool[Tensor, " connections"]:
        """Which connections of a layer have a chosen neuron at either end."""
        target, source = self.at_ends(name, chosen)
        layer = self.layers[name]
        return target[layer.pattern.rows] | source[layer.column.long()]

    def empty(self, name: str) -> Bool[Tensor, " connections"]:
        """A mask over a layer's connections with nothing chosen."""
        return torch.zeros_like(self.keys[name], dtype=torch.bool)


def _measured(graph: NeuralGraph, name: str, options: Mapping[str, Any]) -> Float[Tensor, " neurons"]:
    try:
        known = find(name)
    except UnknownNameError:
        if name not in CENTRALITIES:
            raise UnknownNameError("measure", name, [*measures(), *CENTRALITIES]) from None
        return centrality(graph, name, **options)
    unknown = set(options) - set(known.defaults)
    if unknown:
        raise SpecificationError(f"{known.name} has no option {', '.join(sorted(unknown))}")
    return known.function(graph, neurons="all", undefined=Undefined(), **options)


def absent(keys: Int[Tensor, " kept"], wanted: Int[Tensor, " wanted"]) -> Bool[Tensor, " wanted"]:
    """Which of some connections do not exist among `keys`, which ascend."""
    if not len(keys):
        return torch.ones_like(wanted, dtype=torch.bool)
    place = torch.searchsorted(keys, wanted).clamp(max=len(keys) - 1)
    found: Tensor = keys[place] != wanted
    return found
