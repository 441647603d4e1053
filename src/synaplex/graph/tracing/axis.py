"""Axes: the dimensions of layers, followed from layer to layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

Birth = tuple[Any, int]
"""A step of the recording, and the axis of the tensor it makes."""

Use = Literal["mixed", "windows", "tokens", "rows"]
"""What the model does along an axis: it mixes it by weights, reads it by windows, has tokens of an attention or steps
of a recurrence there, or rows to each of which the same weights apply."""


class Axis:
    """One dimension of one or more layers: that of a layer, and of all that read or give it place by place.

    Whether a dimension holds neurons or positions that share their weights shows only in what the model does with it
    somewhere, so axes that belong together are joined, and what is learnt about one holds for all.

    Parameters
    ----------
    birth
        The step that made it and its place in the tensor it made; None where it cannot be folded there.
    kind
        "feature" for what weights gave, "position" for the places of an image or sequence, "input" for a dimension of
        the model's input, which may be either; None for none of these.
    """

    def __init__(self, birth: Birth | None = None, kind: Literal["feature", "position", "input"] | None = None) -> None:
        self._parent: Axis | None = None
        self._births = [] if birth is None else [birth]
        self._kinds = {kind}
        self._uses: set[Use] = set()

    def root(self) -> Axis:
        """The one that speaks for all that are joined with this one."""
        while self._parent is not None:
            self = self._parent
        return self

    def join(self, other: Axis) -> None:
        """Make two axes one."""
        first, second = self.root(), other.root()
        if first is not second:
            second._parent = first
            first._births += second._births
            first._kinds |= second._kinds
            first._uses |= second._uses

    @classmethod
    def merged(cls, axes: Sequence[Axis]) -> Axis:
        """The axis of a tensor that runs along some dimensions: that of positions only, or else a new one."""
        roots = list(dict.fromkeys(axis.root() for axis in axes))
        if len(roots) > 1 and any(root._kinds - {"position"} for root in roots):
            return cls()
        for other in roots[1:]:
            roots[0].join(other)
        return roots[0].root() if roots else cls()

    def mark(self, use: Use) -> None:
        """Note a use."""
        self.root()._uses.add(use)

    @property
    def shared(self) -> list[Birth]:
        """Where to fold it, if its places are positions that share weights and are no neurons; else nothing."""
        root = self.root()
        rows = "rows" in root._uses and "mixed" not in root._uses and root._kinds <= {"input", None}
        wanted = ("tokens" in root._uses or rows) and "windows" not in root._uses and "feature" not in root._kinds
        return root._births if wanted else []
