"""How large a graph the exact algorithms take, and which form of a measure is used."""

from __future__ import annotations

from typing import Literal

from synaplex.errors import GraphTooLargeError, SpecificationError
from synaplex.graph import Adjacency

EXACT_SIDE = 6_000
"""Neurons on the small side of a bipartite graph (or in a whole graph that is not bipartite) up to which dense
algebra is used. At the limit, on two cores, a spectrum takes about a minute and a matrix 0.3 GB."""

EXACT_ENTRIES = 400_000_000
"""Entries of a biadjacency matrix, 8 bytes each, over all networks of a batch."""

WORK = 1e13
"""Edges passed in one call of an iterative form, above which it refuses. Two cores pass some 1e9 to 1e10 a second."""

UNASKED = 1_000_000_000
"""Edges above which ``"auto"`` does not turn to the iterative form by itself: some ten minutes."""

EDGES = 100_000_000
"""Edges that are listed one by one, some 3 GB, for shortest paths."""

Method = Literal["auto", "exact", "iterative"]
"""``"auto"``: the exact form of a measure where it fits, else the iterative one, which says how large its error is."""


def fits(view: Adjacency) -> bool:
    """Whether the exact form takes each network of a graph by itself."""
    small, large = _sides(view)
    return small <= EXACT_SIDE and small * large <= EXACT_ENTRIES


def choose(view: Adjacency, method: Method, measure: str) -> Literal["exact", "iterative"]:
    """Which form of a measure to use.

    Raises `GraphTooLargeError` where the exact one is asked for and does not fit, or would fit fewer networks at once,
    and where the iterative one would take long without having been asked for.
    """
    if method not in ("auto", "exact", "iterative"):
        raise SpecificationError(f"method={method!r} is none of 'auto', 'exact' and 'iterative'")
    if method == "iterative":
        return "iterative"
    if method == "auto" and not fits(view):
        edges = sum(link.edge_count for link in view.links)
        if edges > UNASKED:
            raise GraphTooLargeError(
                f"{measure} passes all {edges:,} edges some hundred times here, and may take long: pass "
                f"method='iterative' to do it nevertheless (it is done without being asked for up to {UNASKED:,})"
            )
        return "iterative"
    check_size(view, measure)
    return "exact"


def _sides(view: Adjacency) -> tuple[int, int]:
    if view.sides is None:
        return view.neurons, view.neurons
    return len(view.sides.small_index), len(view.sides.large_index)


def check_size(view: Adjacency, measure: str) -> None:
    """Raise `GraphTooLargeError` where the exact algorithm would not fit; names the measure and the sizes."""
    small, large = _sides(view)
    entries = small * large * (view.networks or 1)
    if small > EXACT_SIDE or entries > EXACT_ENTRIES:
        what = "neurons, not bipartite" if view.sides is None else f"x {large:,} neurons on the two sides"
        raise GraphTooLargeError(
            f"{measure} is computed exactly up to {EXACT_SIDE:,} neurons on the small side and {EXACT_ENTRIES:,} "
            f"matrix entries in a batch; this graph has {small:,} {what}"
            + (f", {view.networks} networks" if view.networks else "")
            + ". Measure fewer networks at once, or pass method='iterative'"
        )


def check_work(measure: str, neurons: int, products: int, edges: int) -> None:
    """Raise `GraphTooLargeError` where neurons that need products of their own would take more than `WORK`."""
    work = float(neurons) * products * edges
    if work > WORK:
        raise GraphTooLargeError(
            f"{measure} would need some {products} products with {edges:,} edges for each of {neurons:,} neurons that "
            f"no shared bound is close enough for: {work:.0e} edges to pass, {WORK:.0e} at most. Pass "
            f"neurons= with at most {int(WORK / max(products * edges, 1)):,} neurons, or a larger tolerance="
        )


def check_edges(view: Adjacency, measure: str) -> None:
    """Raise `GraphTooLargeError` where a graph has too many edges to list them one by one."""
    edges = sum(link.edge_count for link in view.links) // (view.networks or 1)
    if edges > EDGES:
        raise GraphTooLargeError(
            f"{measure} lists every edge of a graph, up to {EDGES:,} of them; this one has {edges:,}. "
            "Keep the strongest only, as with edges='top:0.1', or leave this measure out"
        )
