"""The graph of a model whose sparse layers change: traced once, its weights read anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from synaplex.graph import Link, NeuralGraph, SparseLink
from synaplex.graph.trace import trace
from synaplex.sparse.layer import SparseLinear


class Structure:
    """Which layers of neurons the sparse layers of a model join.

    Parameters
    ----------
    model
        The model.
    layers
        Its sparse layers by name.
    example_input
        As for `synaplex.graph`; needed where the weights do not tell the shape of the model's input.
    """

    def __init__(self, model: nn.Module, layers: Mapping[str, SparseLinear], example_input: Any = None) -> None:
        self._model, self._layers, self._example = model, layers, example_input
        self._traced: NeuralGraph | None = None
        self._device: torch.device | None = None

    def graph(self) -> NeuralGraph:
        """The network as it is now. Cost: the trace at the first call, then one pass over the connections."""
        device = next(iter(self._layers.values())).weight.device
        if self._traced is None or self._device != device or not self._plain(self._traced):
            self._traced, self._device = trace(self._model, self._example), device
            return self._traced
        return replace(self._traced, links=tuple(map(self._current, self._traced.links)))

    def _plain(self, traced: NeuralGraph) -> bool:
        """Whether each sparse layer is one link of its connections, which can be exchanged."""
        sparse = {link.name for link in traced.links if isinstance(link, SparseLink)}
        return all(f"{name}.weight" in sparse for name in self._layers)

    def _current(self, link: Link) -> Link:
        layer = self._layers.get(link.name.removesuffix(".weight"))
        return link if layer is None else link_of(layer, link)

    def links(self, graph: NeuralGraph) -> dict[str, list[Link]]:
        """The links of each sparse layer: several where a layer is called more than once."""
        return {name: [link for link in graph.links if link.name == f"{name}.weight"] for name in self._layers}


def link_of(layer: SparseLinear, link: Link) -> SparseLink:
    """A sparse layer as a link in the place of another; weights are shared, not copied."""
    return SparseLink(
        source=link.source,
        target=link.target,
        name=link.name,
        row_start=layer.row_start.long(),
        column=layer.column.long(),
        weight=layer.weight.detach(),
        shape=layer.shape,
    )
