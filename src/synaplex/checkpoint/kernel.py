"""The compiled kernels of checkpoint measures; imported only when a file is measured.

Each adds what one block of rows holds to arrays that it is given: sums of rows and columns, power sums, a histogram.
Two rows at a time pass through in pieces that stay in the first cache.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

TABLES = {8: 1, 4: 2, 2: 2, 1: 1}
"""How many histograms values of so many bytes take turns in: equal neighbours would wait for each other in one."""

_PIECE = 2048
_FREEDOMS = {"reassoc", "nsz", "contract"}
"""What the compiler may do to sums; infinite and NaN values stay what they are."""


def _compile(function: Any) -> Any:
    """Compile the bare function (a type checker may have wrapped it), cached on disk where a cache can be written."""
    function = inspect.unwrap(function)
    try:
        return njit(nogil=True, fastmath=_FREEDOMS, cache=True)(function)
    except RuntimeError:
        return njit(nogil=True, fastmath=_FREEDOMS)(function)


def _bits_as_float(_context, _bits):  # type: ignore[no-untyped-def]
    def generate(_context, builder, _signature, arguments):  # type: ignore[no-untyped-def]
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.uint32), generate


_float_of_bits: Any = intrinsic(inspect.unwrap(_bits_as_float))


def _scan_wide(values, bits, center, rows, columns, sums):  # type: ignore[no-untyped-def]
    """Float32 or float64, also as signed integers; sums are of differences from `center`.

    Adds to `sums` the power sums 1 to 4. Returns the smallest and the largest value as integers: the bits of a value,
    with those below the sign turned over where it is negative, have the order of the values.
    """
    height, width = values.shape
    integer = bits.dtype.type
    sign, top = integer(8 * bits.itemsize - 1), integer(np.iinfo(bits.dtype).max)
    low, high = top, integer(-top - integer(1))
    one, two, three, four = 0.0, 0.0, 0.0, 0.0
    for row in range(0, height, 2):
        pair = row + 1 < height
        for start in range(0, width, _PIECE):
            stop = min(width, start + _PIECE)
            total = columns[start:stop]
            first_row, second_row = values[row, start:stop], values[row + pair, start:stop]
            first, second = 0.0, 0.0
            if pair:
                for j in range(stop - start):
                    a, b = np.float64(first_row[j]) - center, np.float64(second_row[j]) - center
                    aa, bb = a * a, b * b
                    first += a
                    second += b
                    two += aa + bb
                    three += aa * a + bb * b
                    four += aa * aa + bb * bb
                    total[j] += a + b
                rows[row + 1] += second
            else:
                for j in range(stop - start):
                    a = np.float64(first_row[j]) - center
                    aa = a * a
                    first += a
                    two += aa
                    three += aa * a
                    four += aa * aa
                    total[j] += a
            rows[row] += first
            one += first + second
            for line in range(row, row + 1 + pair):
                piece = bits[line, start:stop]
                for j in range(stop - start):
                    bit = piece[j]
                    order = integer(bit ^ integer(integer(bit >> sign) & top))
                    low, high = min(low, order), max(high, order)
    sums[0] += one
    sums[1] += two
    sums[2] += three
    sums[3] += four
    return low, high


def _scan_wide_masked(values, center, rows, columns, sums, extremes, lost):  # type: ignore[no-untyped-def]
    """The same, leaving infinite and NaN values out, which are counted.

    Sums of rows and columns are of the values themselves.
    """
    height, width = values.shape
    for row in range(height):
        for j in range(width):
            value = np.float64(values[row, j])
            if np.isnan(value):
                lost[1] += 1
            elif np.isinf(value):
                lost[0] += 1
            else:
                a = value - center
                rows[row] += value
                columns[j] += value
                sums[0] += a
                sums[1] += a * a
                sums[2] += a * a * a
                sums[3] += a * a * a * a
                extremes[0], extremes[1] = min(extremes[0], value), max(extremes[1], value)


def _scan_short(codes, shift, mask, rows, columns):  # type: ignore[no-untyped-def]
    """Sums of rows and columns of signed codes of a short format; infinite values are not looked for.

    The float32 with the bits of a code moved up by `shift`, under a mask that keeps its sign, is the value but for
    the scale of the format.
    """
    height, width = codes.shape
    for row in range(0, height, 2):
        pair = row + 1 < height
        for start in range(0, width, _PIECE):
            stop = min(width, start + _PIECE)
            total = columns[start:stop]
            first_row, second_row = codes[row, start:stop], codes[row + pair, start:stop]
            first, second = 0.0, 0.0
            if pair:
                for j in range(stop - start):
                    u, v = np.uint32(np.int32(first_row[j])), np.uint32(np.int32(second_row[j]))
                    a = np.float64(_float_of_bits(np.uint32(np.uint32(u << shift) & mask)))
                    b = np.float64(_float_of_bits(np.uint32(np.uint32(v << shift) & mask)))
                    first += a
                    second += b
                    total[j] += a + b
                rows[row + 1] += second
            else:
                for j in range(stop - start):
                    u = np.uint32(np.int32(first_row[j]))
                    a = np.float64(_float_of_bits(np.uint32(np.uint32(u << shift) & mask)))
                    first += a
                    total[j] += a
            rows[row] += first


def _scan_short_masked(codes, values, rows, columns):  # type: ignore[no-untyped-def]
    """The same by a table of the values of unsigned codes, leaving infinite and NaN ones out."""
    height, width = codes.shape
    for row in range(height):
        for j in range(width):
            value = values[codes[row, j]]
            if np.isfinite(value):
                rows[row] += value
                columns[j] += value


def _count(words, tables, size):  # type: ignore[no-untyped-def]
    """Histogram of values of `size` bytes in words of 8 bytes, each by its bin; single bytes in pairs."""
    low, unit = np.uint64(0xFFFF), np.uint32(1)
    if size == 8:
        for word in words:
            tables[0, word >> np.uint64(45)] += unit
    elif size == 4:
        for word in words:
            tables[0, (word >> np.uint64(16)) & low] += unit
            tables[1, word >> np.uint64(48)] += unit
    elif size == 2:
        for word in words:
            tables[0, word & low] += unit
            tables[1, (word >> np.uint64(16)) & low] += unit
            tables[0, (word >> np.uint64(32)) & low] += unit
            tables[1, word >> np.uint64(48)] += unit
    else:
        for word in words:
            tables[0, word & low] += unit
            tables[0, (word >> np.uint64(16)) & low] += unit
            tables[0, (word >> np.uint64(32)) & low] += unit
            tables[0, word >> np.uint64(48)] += unit


scan_wide = _compile(_scan_wide)
scan_wide_masked = _compile(_scan_wide_masked)
scan_short = _compile(_scan_short)
scan_short_masked = _compile(_scan_short_masked)
count = _compile(_count)
