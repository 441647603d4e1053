"""The compiled kernels of sparse layers: products along rows, and products sampled at connections.

All matrices of activations are feature-major, ``(features, batch)``: a connection then reads one contiguous line of
each side, which the processor adds up in vector registers. A kernel works on a range of rows and lets go of the
interpreter's lock, so that ranges run in plain threads (numba's own pool would change torch's number of threads).
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from numba import njit

_SUMS_IN_ANY_ORDER = {"contract", "reassoc", "nsz"}


def _compile(function: Any) -> Any:
    """Compile the bare function (a type checker may have wrapped it), cached on disk where a cache can be written."""
    function = inspect.unwrap(function)
    try:
        return njit(nogil=True, cache=True, fastmath=_SUMS_IN_ANY_ORDER)(function)
    except RuntimeError:
        return njit(nogil=True, fastmath=_SUMS_IN_ANY_ORDER)(function)


def _along_rows(start, column, weight, x, out, first, last):  # type: ignore[no-untyped-def]  # numba infers the types
    """Lines `first` to `last` of W x: four connections at a time, so that each sum is written a fourth as often."""
    batch = x.shape[1]
    for row in range(first, last):
        line = out[row]
        line[:] = 0
        k, end = start[row], start[row + 1]
        while k + 4 <= end:
            w0, w1, w2, w3 = weight[k], weight[k + 1], weight[k + 2], weight[k + 3]
            x0, x1, x2, x3 = x[column[k]], x[column[k + 1]], x[column[k + 2]], x[column[k + 3]]
            for j in range(batch):
                line[j] += (w0 * x0[j] + w1 * x1[j]) + (w2 * x2[j] + w3 * x3[j])
            k += 4
        while k < end:
            w0, x0 = weight[k], x[column[k]]
            for j in range(batch):
                line[j] += w0 * x0[j]
            k += 1


def _along_columns(start, row, order, weight, x, out, first, last):  # type: ignore[no-untyped-def]
    """Lines `first` to `last` of W^T x, from the list of connections by column."""
    batch = x.shape[1]
    for column in range(first, last):
        line = out[column]
        line[:] = 0
        k, end = start[column], start[column + 1]
        while k + 4 <= end:
            w0, w1, w2, w3 = weight[order[k]], weight[order[k + 1]], weight[order[k + 2]], weight[order[k + 3]]
            x0, x1, x2, x3 = x[row[k]], x[row[k + 1]], x[row[k + 2]], x[row[k + 3]]
            for j in range(batch):
                line[j] += (w0 * x0[j] + w1 * x1[j]) + (w2 * x2[j] + w3 * x3[j])
            k += 4
        while k < end:
            w0, x0 = weight[order[k]], x[row[k]]
            for j in range(batch):
                line[j] += w0 * x0[j]
            k += 1


def _at_connections(start, column, x, y, out, first, last):  # type: ignore[no-untyped-def]
    """The product y x^T at the connections of rows `first` to `last` alone."""
    batch = x.shape[1]
    zero = np.zeros(1, x.dtype)[0]
    for row in range(first, last):
        own = y[row]
        for k in range(start[row], start[row + 1]):
            other, total = x[column[k]], zero
            for j in range(batch):
                total += own[j] * other[j]
            out[k] = total


along_rows = _compile(_along_rows)
"""``along_rows(row_start, column, weight, x, out, first, last)``: fill ``out[first:last]`` with W x."""

along_columns = _compile(_along_columns)
"""``along_columns(column_start, row, order, weight, x, out, first, last)``: fill ``out[first:last]`` with W^T x."""

at_connections = _compile(_at_connections)
"""``at_connections(row_start, column, x, y, out, first, last)``: fill ``out`` at the connections of rows `first` to
`last` with the sampled product: out_k = sum_j y[row_k, j] x[column_k, j]."""
