"""Layers: ordered groups of neurons."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Role = Literal["input", "hidden", "output"]


@dataclass(frozen=True)
class Layer:
    """A group of neurons that receive and send links together.

    Attributes
    ----------
    name
        What the model calls it, or a name made from its position.
    shape
        The shape of one activation, such as ``(200,)`` or ``(16, 14, 14)``; one neuron an element.
    role
        ``"input"``, ``"hidden"`` or ``"output"``.
    """

    name: str
    shape: tuple[int, ...]
    role: Role = "hidden"

    @property
    def size(self) -> int:
        """The number of neurons."""
        return math.prod(self.shape)
