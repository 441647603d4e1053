"""The published methods as evolutions with their rules set."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from synaplex.sparse.drop import SmallestBySign
from synaplex.sparse.drop_neurons import BelowThreshold
from synaplex.sparse.evolution import Evolution
from synaplex.sparse.schedule import Schedule


def SET(  # the method's name
    model: nn.Module,
    optimizer: torch.optim.Optimizer | None = None,
    zeta: int | float = 0.3,
    *,
    schedule: Schedule | str = "steps:100",
    values: str | None = None,
    **options: Any,
) -> Evolution:
    """Sparse evolutionary training: drop the weights nearest to zero, grow as many at random.

    Parameters
    ----------
    model, optimizer, **options
        As for `Evolution`.
    zeta
        Share of the positive and of the negative weights to drop in a round.
    schedule
        A round every 100 steps; ``"epoch"`` for the paper's, with a call of ``evolution.epoch()`` at the end of each,
        or ``steps_per_epoch=``.
    values
        Weights of grown connections; None for N(0, 0.1^2), as in the original.

    Notes
    -----
    Source: Mocanu et al. 2018.

    Examples
    --------
    >>> from synaplex.sparse import sparsify
    >>> model = sparsify(nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)), epsilon=5)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    >>> evolution = SET(model, optimizer, zeta=0.3)  # and evolution.step() after each optimizer.step()
    """
    return Evolution(model, optimizer, drop=SmallestBySign(zeta), schedule=schedule, values=values, **options)


def CenSET(  # the method's name
    model: nn.Module,
    optimizer: torch.optim.Optimizer | None = None,
    k: int | float = 2.6,
    *,
    variant: str = "exact",
    edges: str = "signed",
    schedule: Schedule | str = "steps:100",
    values: str | None = None,
    **options: Any,
) -> Evolution:
    """CenSET: drop the connections of neurons with Laplacian centrality below mean - k sigma, grow as many at random.

    Parameters
    ----------
    model, optimizer, **options
        As for `Evolution`.
    k
        Of the threshold: 2.6 for Fashion-MNIST and 3.2 for CIFAR-10 in the paper.
    variant
        ``"exact"`` Laplacian centrality, or ``"censet"`` for what the released notebook computed.
    edges
        Edge rule of the centrality.
    schedule
        As for `SET`.
    values
        As for `SET`; the released notebook starts grown connections at ``"zero"``.

    Notes
    -----
    Source: Heath 2021, algorithm 1.
    """
    drop = BelowThreshold(k, variant, edges)
    return Evolution(model, optimizer, drop=drop, schedule=schedule, values=values, **options)
