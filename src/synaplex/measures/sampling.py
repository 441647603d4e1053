"""Intervals for means of which only a random sample was seen, valid for any sample size."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

FAILURE = 0.01
"""The probability that not all intervals of a call hold."""

FIRST = 128
"""Size of the first sample; each further one doubles it."""


def rounds(most: int) -> list[int]:
    """Sizes of the growing sample, up to `most`."""
    sizes = [min(FIRST, most)]
    while sizes[-1] < most:
        sizes.append(min(2 * sizes[-1], most))
    return sizes


def growing_sample(population: int, most: int, seed: int) -> Iterator[Int[Tensor, " part"]]:
    """What each round adds to a random sample without replacement."""
    order = torch.randperm(population, generator=torch.Generator().manual_seed(seed))
    before = 0
    for size in rounds(min(most, population)):
        yield order[before:size]
        before = size


def mean_error(
    variance: Float[Tensor, " means"],
    count: Float[Tensor, " means"],
    population: Float[Tensor, " means"],
    reach: Float[Tensor, " means"],
    failure: float,
) -> Float[Tensor, " means"]:
    """How far the mean of a sample may be from that of its population, at most, but for a probability.

    Parameters
    ----------
    variance
        Of the sample (divided by its size).
    count, population
        Sizes of the sample, drawn without replacement, and of the population (or more).
    reach
        The largest minus the smallest value that the population can hold.
    failure
        The probability, for each mean.

    Returns
    -------
    Tensor
        The smaller of Hoeffding's and the empirical Bernstein bound in Serfling's form; `reach` without a sample, 0
        where all was seen.

    Notes
    -----
    Source: Bardenet & Maillard 2015, Concentration inequalities for sampling without replacement, corollary 2.5 and
    theorem 4.3.
    """
    seen = count.clamp_min(1)
    whole = population.clamp_min(1)
    left = torch.where(2 * seen <= whole, 1 - (seen - 1) / whole, (1 - seen / whole) * (1 + 1 / seen)).clamp_min(0)
    log = math.log(4 / failure)
    hoeffding = reach * (left * log / (2 * seen)).sqrt()
    log = math.log(20 / failure)
    constant = 7 / 3 + 3 / math.sqrt(2)
    bernstein = (2 * left * variance.clamp_min(0) * log / seen).sqrt() + constant * reach * log / seen
    error = torch.minimum(torch.minimum(hoeffding, bernstein), reach)
    return torch.where(count >= population, 0, torch.where(count > 0, error, reach))
