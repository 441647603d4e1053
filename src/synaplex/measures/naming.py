"""Names of neurons in messages."""

from __future__ import annotations

from jaxtyping import Bool, Int
from torch import Tensor

from synaplex.graph import NeuralGraph


def name_neurons(
    graph: NeuralGraph,
    chosen: Int[Tensor, " neurons"],
    mask: Bool[Tensor, "*networks neurons"],
    limit: int = 5,
) -> str:
    """The neurons in the mask as text, such as ``neuron 17 of layer 1 ('hidden 1')``; the first few and a count."""
    places = mask.nonzero()
    names = []
    for place in places[:limit].tolist():
        neuron = int(chosen[place[-1]])
        layer = max(i for i, start in enumerate(graph.offsets[:-1]) if start <= neuron)
        network = f"network {graph.first_network + place[0]}: " if mask.ndim > 1 else ""
        names.append(f"{network}neuron {neuron - graph.offsets[layer]} of layer {layer} ({graph.layers[layer].name!r})")
    more = f" and {len(places) - limit} more" if len(places) > limit else ""
    return "; ".join(names) + more
