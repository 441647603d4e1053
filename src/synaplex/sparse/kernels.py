"""The compiled kernels of sparse layers: products along rows, and products sampled at connections.

All matrices of activations are feature-major, ``(features, batch)``: a connection then reads one contiguous line of
each side, in vector registers. A kernel is given a task, a line of integers (`TASK`), as often as there are threads:
each takes parts of the rows until none are left. It needs no interpreter, and runs on whatever thread there is.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, no_type_check

from numba import cfunc, types

from synaplex.sparse.registers import BYTES, add_scaled, at_address, dot, load, most, store, take, without, zeros

TASK = ("taken", "parts", "batch", "at", "last", "seen", "start", "column", "values", "x", "out")
"""What a task begins with: parts taken so far, and in all; samples; first sample, distance of the last register and
samples seen before (`pieces`); addresses of five arrays. After it come the first row of each part, and their end."""

_PARTS, _BATCH, _AT, _LAST, _SEEN, _START, _COLUMN, _VALUES, _X, _OUT = range(1, len(TASK))
_FIRST = len(TASK)
_NUMBERS = {4: types.float32, 8: types.float64}


def _compile(function: Any, itemsize: int, registers: int) -> Any:
    """Compile the bare function (a type checker may have wrapped it), cached on disk where a cache can be written.

    The name, by which numba caches, tells all that the code is made of. Variants then have files of their own, which
    processes that compile at once cannot mix up, and other registers are not taken for these.
    """
    task = types.CPointer(types.int64)  # type: ignore[no-untyped-call]
    function, signature = inspect.unwrap(function), types.void(task)
    try:
        function.__qualname__ += f"_{itemsize}_{registers}_{_sources()}"
        return cfunc(signature, cache=True)(function)
    except (RuntimeError, OSError):  # no folder to write in, a full disk, no source to digest
        return cfunc(signature)(function)


@cache
def _sources() -> str:
    """A digest of the code that kernels are made of: numba looks at this file alone, not at what it calls."""
    files = (Path(__file__).with_name(name) for name in ("kernels.py", "registers.py"))
    return sha256(b"".join(one.read_bytes() for one in files)).hexdigest()[:12]


@cache
def along_rows(itemsize: int, registers: int) -> Any:
    """W x for the samples of a block of so many registers: `values` are weights, and `out` has a line a row."""
    number = _NUMBERS[itemsize]

    @no_type_check
    def kernel(task):
        start, column = at_address(task[_START], types.int32), at_address(task[_COLUMN], types.int32)
        weight, x, out = at_address(task[_VALUES], number), at_address(task[_X], number), at_address(task[_OUT], number)
        batch, at, last = task[_BATCH], task[_AT], task[_LAST]
        part = take(task)
        while part < task[_PARTS]:
            for row in range(task[_FIRST + part], task[_FIRST + part + 1]):
                total = zeros(number, registers)
                for k in range(start[row], start[row + 1]):
                    total = add_scaled(total, weight[k], load(x, column[k] * batch + at, last, registers))
                store(out, row * batch + at, last, total)
            part = take(task)

    return _compile(kernel, itemsize, registers)


@cache
def at_connections(itemsize: int, registers: int) -> Any:
    """The product y x^T at connections, for the samples of a block of so many registers: `values` are y.

    `out` has one sum a connection, to which is added where samples before `at` were summed.
    """
    number = _NUMBERS[itemsize]

    @no_type_check
    def kernel(task):
        start, column = at_address(task[_START], types.int32), at_address(task[_COLUMN], types.int32)
        y, x, out = at_address(task[_VALUES], number), at_address(task[_X], number), at_address(task[_OUT], number)
        batch, at, last = task[_BATCH], task[_AT], task[_LAST]
        part = take(task)
        while part < task[_PARTS]:
            for row in range(task[_FIRST + part], task[_FIRST + part + 1]):
                own = without(load(y, row * batch + at, last, registers), task[_SEEN])
                for k in range(start[row], start[row + 1]):
                    total = dot(own, load(x, column[k] * batch + at, last, registers))
                    out[k] = total if at == 0 else out[k] + total
            part = take(task)

    return _compile(kernel, itemsize, registers)


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
