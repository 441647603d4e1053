"""Topologies: how many connections each layer gets, and which they are at first."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from numbers import Real

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from synaplex.errors import SpecificationError

Shape = tuple[int, int]
"""``(out, in)`` of a layer."""


def erdos_renyi(shapes: Sequence[Shape], epsilon: int | float) -> list[float]:
    """The density of each layer: epsilon (n_in + n_out) / (n_in n_out), so that connections grow with neurons.

    Layers for which this exceeds 1 cannot be that dense; they get 1.

    Raises
    ------
    SpecificationError
        If epsilon is not above 0.

    Notes
    -----
    Source: Mocanu et al. 2018; Heath 2021, section 3.2.

    Examples
    --------
    >>> erdos_renyi([(4000, 3072), (10, 100)], 20)
    [0.01151..., 1.0]
    """
    if not isinstance(epsilon, Real) or not 0 < epsilon < math.inf:
        raise SpecificationError(f"epsilon={epsilon!r} makes no network: it must be above 0 (the papers use 20)")
    return [min(1.0, epsilon * (n_in + n_out) / (n_in * n_out)) for n_out, n_in in shapes]


def erdos_renyi_kernel(shapes: Sequence[Shape], density: int | float) -> list[float]:
    """The density of each layer, in proportion to (n_in + n_out) / (n_in n_out), with a given density over all.

    Layers that would exceed 1 are made dense, and the others share what is left.

    Notes
    -----
    Source: Evci et al. 2020 (RigL), for linear layers.

    Examples
    --------
    >>> small, large = erdos_renyi_kernel([(10, 10), (100, 100)], 0.1)
    >>> round(small / large), round(small * 100 + large * 10_000)
    (10, 1010)
    """
    _check_density(density)
    sizes = [n_out * n_in for n_out, n_in in shapes]
    raw = [(n_in + n_out) / (n_in * n_out) for n_out, n_in in shapes]
    dense: set[int] = set()
    while True:
        rest = [i for i in range(len(shapes)) if i not in dense]
        left = density * sum(sizes) - sum(sizes[i] for i in dense)
        scale = left / sum(raw[i] * sizes[i] for i in rest) if rest else 0.0
        full = {i for i in rest if raw[i] * scale > 1}
        if not full:
            return [1.0 if i in dense else raw[i] * scale for i in range(len(shapes))]
        dense |= full


def uniform(shapes: Sequence[Shape], density: int | float) -> list[float]:
    """The same density in every layer."""
    _check_density(density)
    return [float(density)] * len(shapes)


DENSITIES: dict[str, Callable[[Sequence[Shape], float], list[float]]] = {
    "erdos-renyi": erdos_renyi,
    "erk": erdos_renyi_kernel,
    "uniform": uniform,
}
"""The topologies by name; the first takes epsilon, the others a density."""


def _check_density(density: int | float) -> None:
    if not isinstance(density, Real) or not 0 < density <= 1:
        raise SpecificationError(
            f"density={density!r} is no share of all possible connections: it goes from above 0 to 1"
        )


def random_keys(shape: Shape, density: int | float, generator: torch.Generator) -> Int[Tensor, " connections"]:
    """Connections drawn at random, each with the same probability, independently of each other.

    Returns
    -------
    Tensor
        Ascending numbers ``row * in + column``.
    """
    possible = shape[0] * shape[1]
    if density >= 1:
        return torch.arange(possible)
    seed = int(torch.randint(2**62, (), generator=generator))
    count = int(np.random.default_rng(seed).binomial(possible, density))
    return distinct(possible, count, generator)


def distinct(possible: int, count: int, generator: torch.Generator) -> Int[Tensor, " count"]:
    """`count` different numbers below `possible`, ascending; every such set is equally likely.

    Cost: O(count log count), however large `possible` is.
    """
    if count > possible:
        raise SpecificationError(f"{count:,} connections do not fit where {possible:,} are possible")
    if count * 4 > possible:
        return torch.randperm(possible, generator=generator)[:count].sort().values
    drawn = torch.empty(0, dtype=torch.long)
    while len(drawn) < count:
        more = int(1.1 * (count - len(drawn))) + 16
        drawn = torch.unique(torch.cat([drawn, torch.randint(possible, (more,), generator=generator)]))
    surplus = torch.randperm(len(drawn), generator=generator)[: len(drawn) - count]
    keep = torch.ones(len(drawn), dtype=torch.bool)
    keep[surplus] = False
    return drawn[keep]
