"""How time and memory of the eight measures grow with the widths of the network."""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Iterator
from typing import Any

FACTORS = (1, 2, 4, 8)


def run() -> Iterator[dict[str, Any]]:
    """Rows with widths, seconds and peak memory; each size in a process of its own."""
    context = multiprocessing.get_context("spawn")
    for factor in FACTORS:
        with context.Pool(1) as pool:
            yield pool.apply(_measure, (factor,))


def _measure(factor: int) -> dict[str, Any]:
    import synaplex.measures as ms
    from benchmarks.networks import WIDTHS, uniform

    options = dict(ms.PRESETS["scabini"].measures)
    options.pop("subgraph_centrality")
    options["log_subgraph_centrality"] = {}
    ms.measure(uniform(), options, layers="hidden")
    before = _peak()
    graph = uniform(factor)
    start = time.perf_counter()
    ms.measure(graph, options, layers="hidden")
    return {
        "widths": "-".join(str(width * factor) for width in WIDTHS),
        "seconds": time.perf_counter() - start,
        "memory_gb": _peak(),
        "baseline_gb": before,
    }


def _peak() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
