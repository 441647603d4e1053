"""A colour for each method, the same in all figures."""

from __future__ import annotations

from synaplex.report import style
from synaplex.studies.structurereps.methods import COMPLEX, EIGHT, ENCODERS, EPOCH, FLAT, OWN, STATISTICS, UNTRAINED

COLORS = {
    OWN: style.PALETTE[0],
    "EA+GC+LF": style.PALETTE[5],
    "GC+LF": style.PALETTE[6],
    "GC+RF": style.PALETTE[3],
    UNTRAINED: style.PALETTE[2],
    STATISTICS: style.PALETTE[1],
    COMPLEX: style.PALETTE[4],
    EIGHT: style.PALETTE[4],
    FLAT: style.PALETTE[7],
    EPOCH: style.INK,
}

SHOWN = (*ENCODERS, UNTRAINED, STATISTICS, COMPLEX, FLAT, EPOCH)
"""Methods in the order in which they are drawn."""


SHORT = {COMPLEX: "complex network", FLAT: "flat weights", UNTRAINED: "untrained"}
"""Names that are too long for an axis."""


def short(method: str) -> str:
    """The name of a method on an axis."""
    return SHORT.get(method, method)


def color(method: str) -> str:
    """Of a method, also of its variants."""
    return next((shade for name, shade in COLORS.items() if method == name), style.MUTED)
