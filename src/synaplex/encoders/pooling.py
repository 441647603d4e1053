"""From nodes to a network: embeddings whose length does not depend on the network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.errors import UnknownNameError

POOLINGS = {"mean": 1, "mean_std": 2, "layers": 6}
"""Each pooling, and how many numbers it makes of one feature of nodes."""


def pooled(
    nodes: Float[Tensor, "networks nodes width"], places: Sequence[slice], pooling: str
) -> Float[Tensor, "networks dimension"]:
    """The embedding of a network from those of its nodes; renumbering the nodes of a layer does not change it.

    Parameters
    ----------
    nodes
        The features of nodes.
    places
        The nodes of each group.
    pooling
        ``"mean"``: over all nodes. ``"mean_std"``: also the standard deviation. ``"layers"``: mean and standard
        deviation within each group, of which the first group's, the last group's, and the mean over groups are joined:
        wide layers do not drown narrow ones, and the length is that of three layers at any depth.

    Raises
    ------
    UnknownNameError
        If there is no such pooling.
    """
    if pooling not in POOLINGS:
        raise UnknownNameError("pooling", pooling, POOLINGS)
    values = nodes.double()
    if pooling == "mean":
        return values.mean(1)
    if pooling == "mean_std":
        return torch.cat([values.mean(1), values.std(1, correction=0)], -1)
    layers = torch.stack(
        [torch.cat([part.mean(1), part.std(1, correction=0)], -1) for part in (values[:, place] for place in places)], 1
    )
    return torch.cat([layers[:, 0], layers.mean(1), layers[:, -1]], -1)
