"""The compiled kernels of sparse layers: products along rows, and products sampled at connections.

All matrices of activations are feature-major, ``(features, batch)``: a connection then reads one contiguous line of
each side, in vector registers. A kernel works on a range of rows and lets go of the interpreter's lock, so that ranges
run in plain threads (numba's own pool would change torch's number of threads).
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cache
from typing import Any, no_type_check

import numpy as np
from numba import njit

from synaplex.sparse.registers import BYTES, add_scaled, dot, load, most, store, without, zeros


def _compile(function: Any) -> Any:
    """Compile the bare function (a type checker may have wrapped it), cached on disk where a cache can be written."""
    function = inspect.unwrap(function)
    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:
        return njit(nogil=True)(function)


@cache
def along_rows(registers: int) -> Any:
    """``kernel(row_start, column, weight, x, out, at, last, first, end)``: some samples of rows of W x.

    Fills ``out[first:end]`` for the samples of a block of so many registers (`pieces`).
    """

    @no_type_check
    def kernel(start, column, weight, x, out, at, last, first, end):
        batch = x.shape[1]
        for row in range(first, end):
            total = zeros(x, registers)
            for k in range(start[row], start[row + 1]):
                total = add_scaled(total, weight[k], load(x, np.intp(column[k]) * batch + at, last, registers))
            store(out, row * batch + at, last, total)

    return _compile(kernel)


@cache
def at_connections(registers: int) -> Any:
    """``kernel(row_start, column, x, y, out, at, last, seen, first, end)``: sums over some samples of y x^T.

    Fills `out` at the connections of rows `first` to `end` with sum_j y[row, j] x[column, j], or adds to it where
    samples before `at` were summed; `seen` lanes of the last register were seen in the register before it.
    """

    @no_type_check
    def kernel(start, column, x, y, out, at, last, seen, first, end):
        batch = x.shape[1]
        for row in range(first, end):
            own = without(load(y, row * batch + at, last, registers), seen)
            for k in range(start[row], start[row + 1]):
                total = dot(own, load(x, np.intp(column[k]) * batch + at, last, registers))
                out[k] = total if at == 0 else out[k] + total

    return _compile(kernel)


def pieces(batch: int, itemsize: int) -> Iterator[tuple[int, int, int, int]]:
    """Cut a line of samples, one register at least, into blocks.

    Yields
    ------
    tuple[int, int, int, int]
        Registers; the first sample; how far after it the last register begins (so that it ends with the line); how
        many of that register's samples the one before it holds as well.
    """
    size, largest, at = lanes(itemsize), most(), 0
    while at < batch:
        count = min(largest, -(-(batch - at) // size))
        last = min((count - 1) * size, batch - size - at)
        yield count, at, last, (count - 1) * size - last
        at += count * size


def lanes(itemsize: int) -> int:
    """Samples of one register."""
    return BYTES // itemsize
