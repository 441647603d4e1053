"""The compiled (min, +) kernels; imported only when a shortest path is asked for."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from numba import njit, prange


def _compile(function: Any) -> Any:
    """Compile the bare function (a type checker may have wrapped it), cached on disk where a cache can be written."""
    function = inspect.unwrap(function)
    try:
        return njit(parallel=True, cache=True)(function)
    except RuntimeError:
        return njit(parallel=True)(function)


def _product(ascending, order, right, floor, out):  # type: ignore[no-untyped-def]  # numba infers the types
    networks, rows, inner = ascending.shape
    columns = right.shape[2]
    for flat in prange(networks * rows):
        network, row = flat // rows, flat % rows
        best = out[network, row]
        best[:] = np.inf
        worst = np.inf
        for step in range(inner):
            through = ascending[network, row, step]
            if through == np.inf or through + floor[network] >= worst:
                break
            line = right[network, order[network, row, step]]
            for column in range(columns):
                length = through + line[column]
                best[column] = length if length < best[column] else best[column]
            if step % 8 == 7:
                worst = 0.0
                for column in range(columns):
                    worst = best[column] if best[column] > worst else worst


def _close(distances):  # type: ignore[no-untyped-def]  # numba infers the types
    networks, size = distances.shape[0], distances.shape[1]
    if networks > 1:
        for network in prange(networks):
            grid = distances[network]
            for k in range(size):
                for row in range(size):
                    through = grid[row, k]
                    if through < np.inf:
                        for column in range(size):
                            length = through + grid[k, column]
                            grid[row, column] = length if length < grid[row, column] else grid[row, column]
    else:
        for k in range(size):
            for row in prange(size):
                through = distances[0, row, k]
                if through < np.inf and row != k:
                    for column in range(size):
                        length = through + distances[0, k, column]
                        distances[0, row, column] = (
                            length if length < distances[0, row, column] else distances[0, row, column]
                        )


product = _compile(_product)
close = _compile(_close)
