"""Which neurons a choice of layers means."""

from __future__ import annotations

import operator
from collections.abc import Sequence

import torch

from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.graph import NeuralGraph
from synaplex.graph.network import Neurons

Layers = str | int | Sequence[str | int]
"""``"all"``, ``"hidden"``, the name or the index of a layer, or several of these."""


def neurons_of(graph: NeuralGraph, layers: Layers) -> Neurons:
    """The neurons of the chosen layers, in the order of the graph, each once.

    Parameters
    ----------
    graph
        A network or a batch.
    layers
        ``"all"``; ``"hidden"``, the layers of that role; a layer's name; its index, from the end where it is negative;
        or a sequence of these. Text that is no name is read as an index.

    Raises
    ------
    UnknownNameError
        If no layer has a name.
    SpecificationError
        If there is no layer of an index, or none is given.
    InvalidGraphError
        If ``"hidden"`` layers are asked for and there are none.
    """
    try:
        wanted = [layers] if isinstance(layers, str | int) else list(layers)
    except TypeError as error:
        raise SpecificationError(f"layers={layers!r} is neither a layer's name or index nor a list of them") from error
    if wanted == ["all"]:
        return "all"
    if wanted == ["hidden"]:
        return "hidden"
    places = sorted({place for one in wanted for place in _places(graph, one)})
    if not places:
        raise SpecificationError("layers= names no layer: give names or indices, or leave it out for all neurons")
    index = torch.arange(graph.neurons, device=graph.device)
    return torch.cat([index[graph.layer_slice(place)] for place in places])


def _places(graph: NeuralGraph, one: str | int) -> Sequence[int]:
    """The indices of the layers that one name or index means."""
    names = [layer.name for layer in graph.layers]
    if isinstance(one, str):
        if one == "hidden":
            graph.select("hidden")  # refuses where there is none
            return graph.hidden
        if one == "all":
            return range(len(names))
        if one in names:
            return [i for i, name in enumerate(names) if name == one]
        if not one.removeprefix("-").isdecimal():
            raise UnknownNameError("layer", one, ["all", "hidden", *names])
        one = int(one)
    try:
        place = operator.index(one)
    except TypeError:
        place = len(names)
    if isinstance(one, bool) or not -len(names) <= place < len(names):
        raise SpecificationError(
            f"layer {one!r} does not exist: give a name, or an index from 0 to {len(names) - 1}; "
            f"the names are {', '.join(names[:60])}"
        )
    return [place % len(names)]
