"""Colours of the study, on top of those of all figures."""

from __future__ import annotations

from collections.abc import Mapping

from synaplex.report import style

GROUP: Mapping[str, str] = {
    "worst": style.POOR,
    "median": style.PALETTE[0],
    "best": style.GOOD,
    "all": style.MUTED,
}
"""Groups of networks by accuracy."""

NULL: Mapping[str, str] = {"shuffled": style.PALETTE[3], "flipped": style.PALETTE[4]}
"""Null models."""

NULL_NAMES: Mapping[str, str] = {"shuffled": "weights shuffled in each layer", "flipped": "signs flipped"}
"""Null models in words."""

TYPE = (
    style.PALETTE[1],
    style.PALETTE[4],
    style.PALETTE[7],
    style.PALETTE[3],
    style.PALETTE[5],
    style.PALETTE[0],
)
"""Neuron types, from the most inhibitory to the most excitatory."""
