"""Gaps: parts of a model that are no links."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gap:
    """A step of a model that was not understood, between the layers it reads and the one it makes.

    The edges across it are unknown, so that measures which need them are refused: `NeuralGraph.incomplete` says
    for which layers.

    Attributes
    ----------
    module
        Qualified name of the module that takes the step, and the operation where that is not the module's own.
    reason
        Why it is not understood.
    sources, targets
        Indices of the layers it reads and makes.
    """

    module: str
    reason: str
    sources: tuple[int, ...]
    targets: tuple[int, ...]
