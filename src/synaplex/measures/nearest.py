"""The compiled search for the nearest neurons; imported only when shortest paths are sampled."""

from __future__ import annotations

import heapq

import numpy as np

from synaplex.measures.path_kernel import compiled


def _nearest(start, column, length, sources, found, total, radius):  # type: ignore[no-untyped-def]
    """Dijkstra's algorithm from each source until as many neurons are reached as `found` has columns."""
    neurons = len(start) - 1
    distance, stamp, done = np.empty(neurons), np.full(neurons, -1), np.full(neurons, -1)
    for place in range(len(sources)):
        source = sources[place]
        distance[source], stamp[source] = 0.0, place
        heap = [(0.0, source)]
        count = 0
        radius[place] = np.inf
        while len(heap):
            here, at = heapq.heappop(heap)
            if done[at] == place:
                continue
            done[at] = place
            if at != source:
                found[place, count] = at
                total[place] += 1 / here
                count += 1
                if count == found.shape[1]:
                    radius[place] = here
                    break
            for edge in range(start[at], start[at + 1]):
                other = column[edge]
                further = here + length[edge]
                if stamp[other] != place or further < distance[other]:
                    distance[other], stamp[other] = further, place
                    heapq.heappush(heap, (further, other))


nearest = compiled(_nearest)
"""``nearest(start, column, length, sources, found, total, radius)``: for each source the nearest other neurons into
``found`` (-1 beforehand), their summed inverse distance added to ``total``, and the distance of the last one into
``radius`` (infinity where no more can be reached), on a symmetric graph in compressed rows."""
