"""Weights that grown connections start with."""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.errors import SpecificationError
from synaplex.sparse.layer import SparseLinear
from synaplex.sparse.rule import Rule, from_text


class Values(Rule):
    """A rule for the weights of grown connections."""

    @abstractmethod
    def draw(self, layer: SparseLinear, count: int, generator: torch.Generator) -> Float[Tensor, " count"]:
        """Weights for `count` connections grown in a layer."""


class Zero(Values):
    """All 0: the network computes what it did without them (RigL; the released code of CenSET)."""

    name = "zero"

    def draw(self, layer: SparseLinear, count: int, generator: torch.Generator) -> Tensor:
        return torch.zeros(count, dtype=torch.float64)


class Normal(Values):
    """Drawn from N(0, std^2), as the original SET does with std 0.1."""

    name = "normal"

    def __init__(self, std: int | float = 0.1) -> None:
        if not std > 0 or not math.isfinite(std):
            raise SpecificationError(f"std={std} is no standard deviation")
        self.std = std

    def draw(self, layer: SparseLinear, count: int, generator: torch.Generator) -> Tensor:
        return self.std * torch.randn(count, generator=generator, dtype=torch.float64)


class Glorot(Values):
    """Drawn as `SparseLinear` draws its first weights: uniform within sqrt(6 / (in + out))."""

    name = "glorot"

    def draw(self, layer: SparseLinear, count: int, generator: torch.Generator) -> Tensor:
        limit = math.sqrt(6 / (layer.in_features + layer.out_features))
        return (2 * torch.rand(count, generator=generator, dtype=torch.float64) - 1) * limit


VALUES: dict[str, type[Values]] = {rule.name: rule for rule in (Zero, Normal, Glorot)}
"""The rules by name."""


def values_rule(rule: Values | str) -> Values:
    """A rule for first weights, or its text: ``"zero"``, ``"normal:0.1"``, ``"glorot"``."""
    return rule if isinstance(rule, Values) else from_text(rule, VALUES, "rule for grown weights")
