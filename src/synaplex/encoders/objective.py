"""What the autoencoder is trained on: which edges are strong, what they weigh, and a Gaussian prior."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from synaplex.encoders.messages import MessageGraph
from synaplex.encoders.vgae import StructureVGAE

LARGEST_LOG_VARIANCE = 10.0


@dataclass(frozen=True)
class Objective:
    """The terms of the loss that is minimised, and how much each counts.

    Every network of a set may have the same edges (all dense ones of one shape do), and then their existence is nothing
    to learn. What is reconstructed instead, for pairs of nodes between which a link can put an edge:

    - *strong*: whether |e| is among the largest share `strong_share` of its link and network. This is edge existence on
      the thresholded graph; it knows no unit. Cross-entropy.
    - *weight*: the features of the edge, divided by their root mean square over the training networks. Half the squared
      error.
    - *prior*: the divergence of each node's Gaussian from the standard one, times `kl_weight`.

    Identities of residual connections and other edges without parameters of node to itself are left out.

    Attributes
    ----------
    strong_share
        Share of the edges of a link that count as strong.
    kl_weight
        Of the prior.
    pairs
        Of a link with more pairs, so many are drawn for a step, and the threshold is taken from those drawn.
    """

    strong_share: float = 0.2
    kl_weight: float = 1e-3
    pairs: int = 2048

    def loss(
        self,
        model: StructureVGAE,
        graph: MessageGraph,
        given: Float[Tensor, "networks nodes given"],
        generator: torch.Generator,
    ) -> dict[str, Float[Tensor, ""]]:
        """The terms ``strong``, ``weight`` and ``prior``, each already weighed; their sum is the loss.

        Noise, z and pairs are drawn from `generator`.
        """
        mean, free = model.encode(graph, given, generator)
        log_variance = LARGEST_LOG_VARIANCE - softplus(LARGEST_LOG_VARIANCE - free)
        drawn = torch.randn(mean.shape, generator=generator, device=generator.device).to(mean)
        z = mean + drawn * (log_variance / 2).exp()
        strong, weight = [], []
        for target, edges in graph.forward:
            if edges.diagonal:
                continue
            of_target, of_source = z[:, graph.places[target]], z[:, graph.places[edges.source]]
            logit, decoded, features = self._pairs(model, of_target, of_source, edges.features, generator)
            weight.append((decoded - features).square().mean() / 2)
            size = features.abs().sum(-1)
            threshold = size.quantile(1 - self.strong_share, dim=1, keepdim=True)
            is_strong = ((size >= threshold) & (size > 0)).to(mean)
            strong.append(binary_cross_entropy_with_logits(logit, is_strong))
        prior = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1).mean()
        none = prior.new_zeros(())
        return {
            "strong": torch.stack(strong).mean() if strong else none,
            "weight": torch.stack(weight).mean() if weight else none,
            "prior": self.kl_weight * prior,
        }

    def _pairs(
        self,
        model: StructureVGAE,
        target: Float[Tensor, "networks targets latent"],
        source: Float[Tensor, "networks sources latent"],
        features: Float[Tensor, "networks targets sources features"],
        generator: torch.Generator,
    ) -> tuple[
        Float[Tensor, "networks pairs"],
        Float[Tensor, "networks pairs features"],
        Float[Tensor, "networks pairs features"],
    ]:
        """Of the pairs that a step looks at: logit, decoded features, and actual features.

        All pairs as matrix products where there are at most `pairs`, which costs less than to gather them.
        """
        targets, sources = features.shape[1:3]
        if targets * sources <= self.pairs:
            logit, decoded = model.every_edge(target, source)
            return logit.flatten(1), decoded.flatten(1, 2), features.flatten(1, 2)
        chosen = torch.randint(targets * sources, (self.pairs,), generator=generator, device=generator.device)
        chosen = chosen.to(features.device)
        row, column = chosen // sources, chosen % sources
        end, start = target[:, row], source[:, column]
        return model.strong_logit(end, start), model.edge(end, start), features[:, row, column]
