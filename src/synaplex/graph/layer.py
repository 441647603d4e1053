"""Layers: ordered groups of neurons."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from synaplex.errors import InvalidGraphError

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
    names
        The name of each neuron, where they have names, as the nodes of a graph do; else none at all.

    Raises
    ------
    InvalidGraphError
        If there are names for some neurons only.
    """

    name: str
    shape: tuple[int, ...]
    role: Role = "hidden"
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.names and len(self.names) != self.size:
            raise InvalidGraphError(f"layer {self.name!r} has {len(self.names)} names for {self.size} neurons")

    @property
    def size(self) -> int:
        """The number of neurons."""
        return math.prod(self.shape)
