"""The Edge Attention layer: node features made from edge features."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from synaplex.encoders.messages import Incoming, MessageGraph, gather_edges, joint_softmax
from synaplex.encoders.parameters import Affine, glorot

SLOPE = 0.2
"""Of LeakyReLU below 0, which the paper does not state; as in graph attention."""
HIDDEN_AT_ONCE = 4_000_000
"""Hidden units of edges that are held at once where no gradient is asked for."""


class EdgeAttention(nn.Module):
    """Features of a node from the edges at it: x'_j = sum_i alpha_ij e_ij.

    ::

        alpha_ij = softmax over i of LeakyReLU(a^T p_ij)
        p_ij     = Theta_lin [LeakyReLU(Theta e_ij + b), e_ij, n(e_ij)]
        n(e)     = e + noise * xi,  xi standard normal

    The noise is drawn from the generator given to `forward`; without one, n(e) = e. A node without edges gets 0.

    Parameters
    ----------
    features
        Length of e_ij: 1 for dense networks.
    hidden
        Length of Theta e_ij, and of p_ij.
    heads
        How many attentions run side by side. The paper: 1.
    noise
        Standard deviation, in units of the features.
    generator
        What the initial parameters are drawn from.

    Notes
    -----
    Source: StructureReps (2024), eqs. 1 to 3. It says only that n is a basic noise function without parameters.
    Cost: one pass over the edges for each hidden unit.
    """

    def __init__(
        self, features: int, hidden: int = 16, *, heads: int = 1, noise: float = 0.1, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.noise = noise
        self.transform = Affine(features, hidden, generator=generator)
        self.project = Affine(hidden + 2 * features, hidden, bias=False, generator=generator)
        self.attention = glorot(heads, hidden, generator=generator)

    @property
    def width(self) -> int:
        """Number of features that a node gets."""
        return self.attention.shape[0] * self.transform.weight.shape[1]

    def forward(
        self, graph: MessageGraph, generator: torch.Generator | None = None
    ) -> Float[Tensor, "networks nodes width"]:
        """The features of all nodes, heads one after the other; noise is drawn from `generator`."""
        scores = [self._scores(edges, generator) for _, edges in graph.forward]
        parts = []
        for group, incoming in enumerate(graph.incoming):
            total = torch.zeros(
                graph.networks, len(self.attention), graph.sizes[group], self.transform.weight.shape[1]
            ).to(self.attention)
            if incoming:
                seen = [self._turned(scores[edges.block], edges) for edges in incoming]
                for share, edges in zip(joint_softmax(seen, incoming), incoming, strict=True):
                    total = total + gather_edges(share, edges)
            parts.append(total.transpose(1, 2).flatten(-2))
        return torch.cat(parts, 1)

    def _scores(self, edges: Incoming, generator: torch.Generator | None) -> Float[Tensor, ...]:
        """LeakyReLU(a^T p) of each edge and head, where a^T Theta_lin is formed first."""
        features = noised = edges.features
        if generator is not None and self.noise:
            drawn = torch.randn(features.shape, generator=generator, device=generator.device)
            noised = features + self.noise * drawn.to(features)
        if torch.is_grad_enabled():
            return self._score(features, noised)
        # hidden units take many times the room of the edges: some rows after the others
        rows = max(1, HIDDEN_AT_ONCE * features.shape[1] // max(features.numel() * len(self.transform.weight), 1))
        pieces = zip(torch.split(features, rows, 1), torch.split(noised, rows, 1), strict=True)
        return torch.cat([self._score(*piece) for piece in pieces], 1)

    def _score(
        self, features: Float[Tensor, "*edges features"], noised: Float[Tensor, "*edges features"]
    ) -> Float[Tensor, "*edges heads"]:
        hidden, size = self.transform.weight.shape
        of_hidden, of_edge, of_noised = torch.split(self.attention @ self.project.weight, [hidden, size, size], -1)
        transformed = leaky_relu(self.transform(features), SLOPE)
        return leaky_relu(transformed @ of_hidden.T + features @ of_edge.T + noised @ of_noised.T, SLOPE)

    @staticmethod
    def _turned(scores: Tensor, edges: Incoming) -> Tensor:
        return edges.rows(scores.transpose(1, 2) if edges.backward and not edges.diagonal else scores)
