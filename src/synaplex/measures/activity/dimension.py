"""How many dimensions the activations of a layer spread over."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

LARGEST = 1024
"""Neurons up to which the covariance is kept as it is; of wider layers, that of so many signed sums of neurons."""

_SEED = 0


class Dimension:
    """Participation ratio of a stream, (sum of eigenvalues)^2 / sum of squared eigenvalues of its covariance matrix.

    It is d where d uncorrelated directions have the same variance and the others none (Gao et al. 2017, "A theory of
    multineuronal dimensionality, dynamics and measurement"). Of more than `LARGEST` neurons it is estimated: each
    neuron is added, with a random sign, to one of `LARGEST` sums, and the squared norm of their covariance, freed of
    what the sums mix up on average, stands for that of the neurons'; the error grows with the ratio over `LARGEST`.

    Parameters
    ----------
    neurons
        Of the layer.
    device
        Where values come from.
    """

    def __init__(self, neurons: int, device: torch.device) -> None:
        self.neurons = neurons
        self._count = 0
        width = min(neurons, LARGEST)
        self._mean = torch.zeros(width, dtype=torch.float64, device=device)
        self._products = torch.zeros(width, width, dtype=torch.float64, device=device)
        self._bucket: Tensor | None = None
        if neurons > LARGEST:
            generator = torch.Generator().manual_seed(_SEED)
            self._bucket = torch.randint(LARGEST, (neurons,), generator=generator).to(device)
            self._sign = (torch.randint(2, (neurons,), generator=generator) * 2 - 1).to(device, torch.float64)

    def add(self, values: Float[Tensor, "observations neurons"]) -> None:
        """Take more observations into account."""
        x = values.double()
        if self._bucket is not None:
            x = x.new_zeros(len(x), LARGEST).index_add_(1, self._bucket, x * self._sign)
        mean = x.mean(0)
        centred = x - mean
        delta = mean - self._mean
        total = self._count + len(x)
        self._products += centred.T @ centred + torch.outer(delta, delta) * (self._count * len(x) / total)
        self._mean += delta * (len(x) / total)
        self._count = total

    def ratio(self, variances: Float[Tensor, " neurons"]) -> float | None:
        """The participation ratio; None where nothing varies.

        Parameters
        ----------
        variances
            Of each neuron over the same observations.
        """
        trace = float(self._products.trace())
        if trace <= 0:
            return None
        share = float((self._products / trace).square().sum())
        if self._bucket is not None:
            own = float((variances / variances.sum()).square().sum())
            share = (share - (1 - 2 * own) / LARGEST) / (1 + 1 / LARGEST)
        return min(1 / share, float(len(variances))) if share > 0 else None
