"""Affine maps whose initial values come from a generator, so that the global random state is never read."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn


def glorot(*shape: int, generator: torch.Generator) -> nn.Parameter:
    """A parameter drawn uniformly from [-a, a] with a² = 6 / (sum of its last two sizes)."""
    bound = math.sqrt(6 / (shape[-2] + shape[-1]))
    return nn.Parameter(torch.empty(*shape).uniform_(-bound, bound, generator=generator))


class Affine(nn.Module):
    """x W^T + b, with W drawn by `glorot` and b = 0 at first.

    Parameters
    ----------
    into, out
        Length of x and of the result.
    bias
        Whether there is a b.
    generator
        What W is drawn from.
    """

    bias: nn.Parameter | None

    def __init__(self, into: int, out: int, *, bias: bool = True, generator: torch.Generator) -> None:
        super().__init__()
        self.weight = glorot(out, into, generator=generator)
        self.bias = nn.Parameter(torch.zeros(out)) if bias else None

    def forward(self, x: Float[Tensor, "*batch into"]) -> Float[Tensor, "*batch out"]:
        return nn.functional.linear(x, self.weight, self.bias)
