"""The compiled kernel of harmonic centrality; imported only when a shortest path is asked for."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from numba import njit

LANDMARKS = 2


def compiled(function: Any) -> Any:
    """Compile the bare function (a type checker may have wrapped it), cached on disk where a cache can be written.

    Compiled code lets go of the interpreter's lock: several networks are done at once in plain threads. (numba's own
    pool would change torch's number of threads.)
    """
    function = inspect.unwrap(function)
    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:
        return njit(nogil=True)(function)


def _from_landmark(length, start):  # type: ignore[no-untyped-def]  # numba infers the types
    """Distances from one small-side neuron to both sides (Dijkstra with an array for a queue)."""
    large, small = length.shape
    near, far = np.full(small, np.inf), np.full(large, np.inf)
    done_near, done_far = np.zeros(small, np.bool_), np.zeros(large, np.bool_)
    near[start] = 0.0
    for _ in range(large + small):
        best, at, on_small = np.inf, -1, True
        for j in range(small):
            if not done_near[j] and near[j] < best:
                best, at, on_small = near[j], j, True
        for i in range(large):
            if not done_far[i] and far[i] < best:
                best, at, on_small = far[i], i, False
        if at < 0:
            break
        if on_small:
            done_near[at] = True
            for i in range(large):
                far[i] = min(far[i], best + length[i, at])
        else:
            done_far[at] = True
            for j in range(small):
                near[j] = min(near[j], best + length[at, j])
    return near, far


def _harmonic_of_one(length, small_rows, large_rows, small_out, large_out):  # type: ignore[no-untyped-def]
    """Sums of inverse distances of the chosen neurons of one network."""
    large, small = length.shape
    near, far = np.empty((LANDMARKS, small)), np.empty((LANDMARKS, large))
    for mark in range(LANDMARKS):
        near[mark], far[mark] = _landmark(length, mark * small // LANDMARKS)
    start = np.zeros(large + 1, np.int64)
    column, weight = np.empty(large * small, np.int64), np.empty(large * small)
    count = 0
    for i in range(large):
        for j in range(small):
            if length[i, j] < np.inf:
                useful = True
                for mark in range(LANDMARKS):
                    useful = useful and length[i, j] <= (far[mark, i] + near[mark, j]) * (1 + 1e-12)
                if useful:
                    column[count], weight[count] = j, length[i, j]
                    count += 1
        start[i + 1] = count
    between = np.full((small, small), np.inf)
    for i in range(large):
        for first in range(start[i], start[i + 1]):
            for second in range(start[i], start[i + 1]):
                hop = weight[first] + weight[second]
                if hop < between[column[first], column[second]]:
                    between[column[first], column[second]] = hop
    for j in range(small):
        between[j, j] = 0.0
    for k in range(small):
        for row in range(small):
            through = between[row, k]
            if through < np.inf and row != k:
                line, via = between[row], between[k]
                for j in range(small):
                    path = through + via[j]
                    line[j] = path if path < line[j] else line[j]
    across = np.empty(large)
    for place in range(len(small_rows)):
        row = small_rows[place]
        total = 0.0
        for j in range(small):
            if j != row:
                total += 1 / between[row, j]
        for i in range(large):
            shortest = np.inf
            for edge in range(start[i], start[i + 1]):
                shortest = min(shortest, between[row, column[edge]] + weight[edge])
            total += 1 / shortest
        small_out[place] = total
    inside = np.empty(small)
    for place in range(len(large_rows)):
        row = large_rows[place]
        inside[:] = np.inf
        for edge in range(start[row], start[row + 1]):
            through, via = weight[edge], between[column[edge]]
            for j in range(small):
                path = through + via[j]
                inside[j] = path if path < inside[j] else inside[j]
        total = 0.0
        for j in range(small):
            total += 1 / inside[j]
        for i in range(large):
            across[i] = np.inf
            for edge in range(start[i], start[i + 1]):
                across[i] = min(across[i], inside[column[edge]] + weight[edge])
        for i in range(large):
            if i != row:
                total += 1 / across[i]
        large_out[place] = total


_landmark = compiled(_from_landmark)
harmonic_sums = compiled(_harmonic_of_one)
"""``harmonic_sums(length, small_rows, large_rows, small_out, large_out)``: fill the two outputs with the sums of
inverse shortest distances of the chosen neurons of either side, for one network's matrix of edge lengths
``(large, small)``, infinity where there is no edge.

An edge longer than the way through a landmark is on no shortest path and is dropped first; in a dense network few
remain. Then two-hop distances within the small side, Floyd-Warshall on them, and one more hop each."""
