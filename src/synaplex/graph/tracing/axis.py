"""Axes: the dimensions of layers, followed from layer to layer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Birth = tuple[Any, int]
"""A step of the recording, and the axis of the tensor it makes."""


class Axis:
    """One dimension of one or more layers: that of a layer, and of all that read or give it place by place.

    Whether a dimension holds neurons or positions that share their weights shows only in what the model does with it
    somewhere, so axes that belong together are joined, and what is learnt about one holds for all.

    Parameters
    ----------
    birth
        The step that made it and its place in the tensor it made; None where it cannot be folded there.
    from_input
        Whether it is a dimension of the model's input.
    """

    def __init__(self, birth: Birth | None = None, *, from_input: bool = False) -> None:
        self._parent: Axis | None = None
        self._births = [] if birth is None else [birth]
        self._from_input = from_input
        self._marks: set[str] = set()

    def root(self) -> Axis:
        """The one that speaks for all that are joined with this one."""
        while self._parent is not None:
            self = self._parent
        return self

    def join(self, other: Axis) -> Axis:
        """Make two axes one."""
        first, second = self.root(), other.root()
        if first is not second:
            second._parent = first
            first._births += second._births
            first._marks |= second._marks
            first._from_input &= second._from_input
        return first

    @classmethod
    def joined(cls, axes: Iterable[Axis], birth: Birth | None = None) -> Axis:
        """All of some axes made one, or a new one where there are none."""
        roots = [axis.root() for axis in axes]
        if not roots:
            return cls(birth)
        for other in roots[1:]:
            roots[0].join(other)
        return roots[0].root()

    def mark(self, use: str) -> None:
        """Note a use: "mixed" by weights, read by "windows", "tokens" of an attention or a recurrence, "rows"."""
        self.root()._marks.add(use)

    @property
    def shared(self) -> list[Birth]:
        """Where to fold it, if its places are positions that share weights and are no neurons; else nothing."""
        root = self.root()
        rows = "rows" in root._marks and root._from_input and "mixed" not in root._marks
        return root._births if ("tokens" in root._marks or rows) and "windows" not in root._marks else []
