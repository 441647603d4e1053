"""From networks to what a model takes: messages and given features of nodes, by fixed choices."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.encoders.messages import MessageGraph, message_graph
from synaplex.encoders.positional import PositionalEncoding, positional_encoding
from synaplex.encoders.structure import StructureGraph

NODE_FEATURES = ("bias", "gain", "position")
"""The optional features of a node: bias, gain of its normalisation, position of its layer from 0 to 1."""


@dataclass(frozen=True)
class BatchReader:
    """How an encoder reads a batch of networks of one layout.

    Attributes
    ----------
    laplacian
        Whether nodes get Laplacian features, or random ones: of `seed` and the number of the node alone.
    positions
        How many of them.
    adjacency, sparse_threshold
        Of `positional_encoding`.
    node_features
        Which of `NODE_FEATURES` follow.
    kernel, scale, direction
        Of `message_graph`.
    device
        Where to compute; spectra are found on the CPU.
    """

    laplacian: bool
    positions: int
    adjacency: str
    sparse_threshold: int
    node_features: tuple[str, ...]
    kernel: int
    scale: float
    direction: str
    seed: int
    device: str

    @property
    def width(self) -> int:
        """Number of given features."""
        return self.positions + len(self.node_features)

    def encoding(self, graph: StructureGraph) -> PositionalEncoding:
        """The positional encoding of networks."""
        return positional_encoding(
            graph, self.positions, adjacency=self.adjacency, sparse_threshold=self.sparse_threshold
        )

    def positional(self, graph: StructureGraph) -> Float[Tensor, "networks nodes positions"]:
        """Laplacian features times the root of the number of nodes, so that their size does not depend on it."""
        if self.laplacian:
            return (self.encoding(graph).values * math.sqrt(graph.nodes)).float()
        # NumPy draws one number after the other: a longer draw begins as a shorter one
        once = np.random.default_rng(self.seed).standard_normal((graph.nodes, self.positions), dtype=np.float32)
        return torch.from_numpy(once).expand(graph.networks, -1, -1)

    def given(
        self, graph: StructureGraph, positional: Float[Tensor, "networks nodes positions"] | None = None
    ) -> Float[Tensor, "networks nodes given"]:
        """The given features of nodes, on the device; `positional` where it is known already."""
        first = self.positional(graph) if positional is None else positional
        of_node = {
            "bias": graph.bias,
            "gain": graph.gain,
            "position": graph.position.expand(graph.networks, -1),
        }
        columns = [of_node[name].float()[..., None].to(self.device) for name in self.node_features]
        return torch.cat([first.to(self.device), *columns], -1)

    def messages(self, graph: StructureGraph) -> MessageGraph:
        """The edges with their features, on the device."""
        return message_graph(graph, self.kernel, scale=self.scale, direction=self.direction, device=self.device)
