"""Presets: the measures of a paper with the options that its authors used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from synaplex.errors import UnknownNameError


@dataclass(frozen=True)
class Preset:
    """Measures with options, and the neurons they are for.

    Attributes
    ----------
    measures
        Measure name to options.
    layers
        ``"hidden"`` or ``"all"``.
    """

    measures: Mapping[str, Mapping[str, Any]]
    layers: Literal["all", "hidden"]


PRESETS: Mapping[str, Preset] = {
    "scabini": Preset(
        {
            "strength": {"edges": "signed"},
            "neighbor_strength": {"edges": "signed", "form": "degree"},
            "current_flow_closeness": {"edges": "signed"},
            "bipartite_clustering": {"edges": "positive", "mode": "max"},
            "subgraph_centrality": {"edges": "positive", "binary": True},
            "harmonic_centrality": {"edges": "positive", "distance": "weight"},
            "second_order_centrality": {"edges": "positive"},
            "maximal_cliques": {"edges": "positive"},
        },
        "hidden",
    ),
}
"""``"scabini"``: the eight centralities of hidden neurons, as the released data of Scabini & Bruno 2021 has them."""


def find_preset(name: str) -> Preset:
    """The preset of that name; `UnknownNameError` suggests the nearest."""
    if name not in PRESETS:
        raise UnknownNameError("preset", name, PRESETS)
    return PRESETS[name]
