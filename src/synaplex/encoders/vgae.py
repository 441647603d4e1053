"""The variational graph autoencoder: nodes to Gaussians, and pairs of nodes back to edges."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import elu

from synaplex.encoders.convolutions import Convolution, GATConv, TransformerConv
from synaplex.encoders.edge_attention import EdgeAttention
from synaplex.encoders.messages import MessageGraph
from synaplex.encoders.parameters import Affine, glorot

ARCHITECTURES = ("EA+TC+LF", "EA+GC+LF", "GC+LF", "GC+RF", "TC+LF", "EA+TC+RF")
"""Edge attention, transformer or graph attention convolution, Laplacian or random features: the four of tables 1 and 2,
and the first of them without edge attention and with random features."""


@dataclass(frozen=True)
class EncoderPlan:
    """What a `StructureVGAE` is built from.

    Attributes
    ----------
    architecture
        One of `ARCHITECTURES`.
    kernel
        The side of the footprint of edges.
    given
        Features of nodes that are given: positional or random ones, and optional ones.
    edge_features
        Whether convolutions see edge features.
    width, heads, layers
        Features of each head, heads, and number of convolutions.
    latent
        Length of a node's Gaussian.
    edge_hidden, edge_heads, noise
        Of `EdgeAttention`.
    """

    architecture: str
    kernel: int
    given: int
    edge_features: bool
    width: int
    heads: int
    layers: int
    latent: int
    edge_hidden: int
    edge_heads: int
    noise: float


class StructureVGAE(nn.Module):
    """Encoder q(z_j | graph) = N(mu_j, diag(sigma_j²)) and decoder of edges between nodes.

    Encoder: edge attention beside the given features, each divided by a constant that `calibrate` sets; convolutions
    with ELU; two affine maps to mu and log sigma². Decoder: the logit of a strong edge from i to j is b + z_j^T R z_i,
    and feature f of that edge is c_f + z_j^T M_f z_i.

    Parameters
    ----------
    plan
        Sizes and parts.
    generator
        What the initial parameters are drawn from.

    Notes
    -----
    Source: Kipf and Welling (2016); the paper (StructureReps, 2024) names the layers and leaves widths and depth open.
    """

    scale: Tensor

    def __init__(self, plan: EncoderPlan, generator: torch.Generator) -> None:
        super().__init__()
        self.plan = plan
        size = plan.kernel**2
        self.edge_attention = None
        into = plan.given
        if plan.architecture.startswith("EA"):
            self.edge_attention = EdgeAttention(
                size, plan.edge_hidden, heads=plan.edge_heads, noise=plan.noise, generator=generator
            )
            into += self.edge_attention.width
        self.register_buffer("scale", torch.ones(into))
        kind = TransformerConv if "TC" in plan.architecture else GATConv
        out = plan.width * plan.heads
        self.convolutions = nn.ModuleList(
            kind(
                out if layer else into,
                plan.width,
                heads=plan.heads,
                edges=size if plan.edge_features else None,
                generator=generator,
            )
            for layer in range(plan.layers)
        )
        self.mean = Affine(out, plan.latent, generator=generator)
        self.log_variance = Affine(out, plan.latent, generator=generator)
        self.strong = glorot(plan.latent, plan.latent, generator=generator)
        self.strong_offset = nn.Parameter(torch.zeros(()))
        self.weight = glorot(size, plan.latent, plan.latent, generator=generator)
        self.weight_offset = nn.Parameter(torch.zeros(size))

    def encode(
        self,
        graph: MessageGraph,
        given: Float[Tensor, "networks nodes given"],
        generator: torch.Generator | None = None,
    ) -> tuple[Float[Tensor, "networks nodes latent"], Float[Tensor, "networks nodes latent"]]:
        """The mu and log sigma² of all nodes; edge attention draws noise from `generator`, if there is one."""
        x = self._inputs(graph, given, generator) / self.scale
        for layer in self.convolutions:
            assert isinstance(layer, Convolution)
            x = elu(layer(x, graph))
        return self.mean(x), self.log_variance(x)

    @torch.no_grad()
    def calibrate(self, squares: Float[Tensor, " into"], nodes: int) -> None:
        """Set what input features are divided by: their root mean square, from the sum of squares over `nodes`."""
        size = (squares / max(nodes, 1)).sqrt()
        self.scale.copy_(torch.where(size > 1e-6, size, torch.ones_like(size)))

    @torch.no_grad()
    def input_squares(
        self, graph: MessageGraph, given: Float[Tensor, "networks nodes given"]
    ) -> Float[Tensor, " into"]:
        """The sum of the squares of each input feature over all nodes."""
        return self._inputs(graph, given, None).square().sum((0, 1))

    def strong_logit(
        self, target: Float[Tensor, "*pairs latent"], source: Float[Tensor, "*pairs latent"]
    ) -> Float[Tensor, "*pairs"]:
        """The log odds that the edge from `source` to `target` is strong."""
        return ((target @ self.strong) * source).sum(-1) + self.strong_offset

    def edge(
        self, target: Float[Tensor, "*pairs latent"], source: Float[Tensor, "*pairs latent"]
    ) -> Float[Tensor, "*pairs features"]:
        """The features of the edge from `source` to `target`."""
        return torch.einsum("...a,fab,...b->...f", target, self.weight, source) + self.weight_offset

    def every_edge(
        self, target: Float[Tensor, "networks targets latent"], source: Float[Tensor, "networks sources latent"]
    ) -> tuple[Float[Tensor, "networks targets sources"], Float[Tensor, "networks targets sources features"]]:
        """`strong_logit` and `edge` of every pair, as matrix products."""
        logit = (target @ self.strong) @ source.mT + self.strong_offset
        turned = torch.einsum("nta,fab->nftb", target, self.weight)
        return logit, (turned @ source[:, None].mT).movedim(1, -1) + self.weight_offset

    def _inputs(self, graph: MessageGraph, given: Tensor, generator: torch.Generator | None) -> Tensor:
        if self.edge_attention is None:
            return given
        return torch.cat([self.edge_attention(graph, generator), given], -1)
