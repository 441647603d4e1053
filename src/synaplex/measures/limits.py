"""How large a graph the exact algorithms take."""

from __future__ import annotations

from synaplex.errors import GraphTooLargeError
from synaplex.graph import Adjacency

EXACT_SIDE = 6_000
"""Neurons on the small side of a bipartite graph (or in a whole graph that is not bipartite) up to which dense
algebra is used. At the limit, on two cores, a spectrum takes about a minute and a matrix 0.3 GB."""

EXACT_ENTRIES = 400_000_000
"""Entries of a biadjacency matrix, 8 bytes each, over all networks of a batch."""


def check_size(view: Adjacency, measure: str) -> None:
    """Raise `GraphTooLargeError` where the exact algorithm would not fit; names the measure and the sizes."""
    sides = view.sides
    small = view.neurons if sides is None else len(sides.small_index)
    large = view.neurons if sides is None else len(sides.large_index)
    entries = small * large * (view.networks or 1)
    if small > EXACT_SIDE or entries > EXACT_ENTRIES:
        what = "neurons, not bipartite" if sides is None else f"x {large:,} neurons on the two sides"
        raise GraphTooLargeError(
            f"{measure} is computed exactly up to {EXACT_SIDE:,} neurons on the small side and {EXACT_ENTRIES:,} "
            f"matrix entries in a batch; this graph has {small:,} {what}"
            + (f", {view.networks} networks" if view.networks else "")
            + ". Measure fewer networks at once, a part of the network, or a strength-like or Laplacian measure"
        )
