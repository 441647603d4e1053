"""One part of a stored tensor, read once: its sums, extremes and histogram."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synaplex.checkpoint.formats import FORMATS, Format
from synaplex.checkpoint.stored import Bytes, StoredTensor

PART = 1 << 25
"""Bytes that one thread is given at a time."""

_BLOCK = 1 << 21
"""Bytes that are read at a time; they stay in the second cache until all of it is summed."""

_TILE = 4096
_NOTHING = np.array([0, 0, 0, 0, np.inf, -np.inf])
"""Power sums 1 to 4, the smallest and the largest of no values."""

Reals = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """Rows of a tensor seen as a matrix (first axis by all others), or a piece of one row; a vector is one row.

    Attributes
    ----------
    row, rows
        First row and how many.
    column, columns
        First column and how many; a part of several rows has all columns.
    start
        Number of the first value.
    """

    row: int
    rows: int
    column: int
    columns: int
    start: int

    @property
    def count(self) -> int:
        """Number of values."""
        return self.rows * self.columns

    def cut(self, most: int) -> Iterator[Part]:
        """Parts of at most so many values, in order; an even number of rows each where there are several."""
        if self.columns <= most:
            step = max(1, most // self.columns)
            step -= step % 2 if step > 1 else 0
            for row in range(0, self.rows, step):
                rows = min(step, self.rows - row)
                yield Part(self.row + row, rows, self.column, self.columns, self.start + row * self.columns)
            return
        for row in range(self.rows):
            for column in range(0, self.columns, most):
                columns = min(most, self.columns - column)
                start = self.start + row * self.columns + column
                yield Part(self.row + row, 1, self.column + column, columns, start)


def parts(tensor: StoredTensor, size: int = PART) -> Iterator[Part]:
    """The parts of a tensor in order, each of about `size` bytes."""
    if tensor.count:
        height = tensor.shape[0] if len(tensor.shape) > 1 else 1
        whole = Part(0, height, 0, tensor.count // height, 0)
        yield from whole.cut(max(_TILE, size // FORMATS[tensor.dtype].size))


@dataclass(eq=False)
class Scan:
    """What one part adds to the statistics of its tensor.

    Attributes
    ----------
    part
        Which part.
    row_sums, column_sums
        Over finite values; meaningless for a vector.
    bins, counts
        Bins of the histogram that hold a value, and how many each; see `synaplex.checkpoint.histogram`.
    center, powers
        Of long formats: sums of (value - center)^k for k = 1 to 4 over the finite values.
    low, high, zeros, minus_zeros, infinite, missing
        Of long formats: extremes of the finite values, and numbers of values. Short ones tell by their bins.
    """

    part: Part
    row_sums: Reals
    column_sums: Reals
    bins: Counts = field(default_factory=lambda: np.zeros(0, np.int64))
    counts: Counts = field(default_factory=lambda: np.zeros(0, np.int64))
    center: float = 0.0
    powers: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    low: float = np.inf
    high: float = -np.inf
    zeros: int = 0
    minus_zeros: int = 0
    infinite: int = 0
    missing: int = 0

    def of(self, block: Part) -> tuple[Reals, Reals]:
        """The sums of the rows and columns that a block of the part adds to."""
        row, column = block.row - self.part.row, block.column - self.part.column
        return self.row_sums[row : row + block.rows], self.column_sums[column : column + block.columns]


def scan(tensor: StoredTensor, part: Part) -> Scan:
    """Read a part of a tensor and sum it up. Raises `UnreadableFileError` where the file has become shorter."""
    form = FORMATS[tensor.dtype]
    return (_scan_short if form.short else _scan_wide)(tensor, form, part)


def _blocks(tensor: StoredTensor, part: Part) -> Iterator[tuple[Part, Bytes]]:
    """The bytes of a part, a small block at a time, read into the same buffer.

    A vector comes as short rows, all of which count as the first, since sums of its rows are not wanted.
    """
    size = FORMATS[tensor.dtype].size
    most = max(_TILE, _BLOCK // size)
    buffer = np.empty(most * size, np.uint8)
    blocks = list(part.cut(most))
    pieces = [(block.start * size, (block.start + block.count) * size) for block in blocks]
    for block, data in zip(blocks, tensor.blocks(pieces, buffer), strict=True):
        if data.ctypes.data % 8 or not data.flags.writeable:
            data = data.copy()  # the kernels are compiled for aligned arrays that may be written
        if len(tensor.shape) > 1:
            yield block, data
            continue
        tiles = block.count // _TILE
        if tiles:
            yield Part(part.row, tiles, part.column, _TILE, block.start), data[: tiles * _TILE * size]
        if block.count % _TILE:
            yield Part(part.row, 1, part.column, block.count % _TILE, block.start), data[tiles * _TILE * size :]


def _sums(tensor: StoredTensor, part: Part) -> tuple[Reals, Reals]:
    """Sums of the rows and columns of a part, at zero."""
    if len(tensor.shape) > 1:
        return np.zeros(part.rows), np.zeros(part.columns)
    return np.zeros(_BLOCK // _TILE), np.zeros(_TILE)


def _scan_wide(tensor: StoredTensor, form: Format, part: Part) -> Scan:
    from synaplex.checkpoint import kernel

    tables = np.zeros((kernel.TABLES[form.size], form.bins), np.uint32)
    found = Scan(part, *_sums(tensor, part))
    powers, ends, center, extra = np.zeros(4), [], None, 0
    for block, data in _blocks(tensor, part):
        values, bits = (_matrix(block, data, kind, form) for kind in ("float", "int"))
        center = _center(values) if center is None else center
        ends += kernel.scan_wide(values, bits, center, *found.of(block), powers)
        extra += _count(data, form, tables)
    found.center = center or 0.0
    if np.isfinite(powers).all():
        found.low, found.high = (_of_order(end, form) for end in (min(ends), max(ends)))
        found.row_sums += found.center * part.columns
        found.column_sums += found.center * part.rows
    else:
        lost, extremes = np.zeros(2, np.int64), np.array([np.inf, -np.inf])
        powers[:], found.row_sums[:], found.column_sums[:] = 0, 0, 0
        for block, data in _blocks(tensor, part):
            values = _matrix(block, data, "float", form)
            kernel.scan_wide_masked(values, found.center, *found.of(block), powers, extremes, lost)
        found.infinite, found.missing = int(lost[0]), int(lost[1])
        found.low, found.high = float(extremes[0]), float(extremes[1])
    counts = tables.sum(0, dtype=np.int64)
    counts[0] -= extra
    if counts[[0, form.bins // 2]].any():  # these bins hold zeros, and the tiniest values as well
        for block, data in _blocks(tensor, part):
            codes = _matrix(block, data, "uint", form)
            found.zeros += int(np.count_nonzero(codes == 0))
            found.minus_zeros += int(np.count_nonzero(codes == 1 << (8 * form.size - 1)))
    found.powers = (float(powers[0]), float(powers[1]), float(powers[2]), float(powers[3]))
    found.bins, found.counts = _filled(counts)
    return found


def _of_order(order: int, form: Format) -> float:
    """The value that has this place in the order of all values; see `kernel.scan_wide`."""
    bits = order if order >= 0 else order ^ ((1 << (8 * form.size - 1)) - 1)
    return float(np.array(bits, f"int{8 * form.size}").view(f"float{8 * form.size}"))


def _center(values: NDArray[np.floating[Any]]) -> float:
    """A value near the mean of the tensor."""
    head = values.ravel()[:_TILE].astype(np.float64)
    with np.errstate(all="ignore"):
        center = float(head[np.isfinite(head)].mean()) if np.isfinite(head).any() else 0.0
    return center if np.isfinite(center) else 0.0


def _scan_short(tensor: StoredTensor, form: Format, part: Part) -> Scan:
    from synaplex.checkpoint import kernel

    matrix = len(tensor.shape) > 1
    tables = np.zeros((kernel.TABLES[form.size], 1 << 16), np.uint32)
    found = Scan(part, *_sums(tensor, part))
    sign = np.uint32(0x8000_0000 if form.signed else 0)
    mask = sign | np.uint32((form.codes // (2 if form.signed else 1) - 1) << form.shift)
    extra = 0
    for block, data in _blocks(tensor, part):
        extra += _count(data, form, tables)
        if matrix:
            kernel.scan_short(_matrix(block, data, "int", form), np.uint32(form.shift), mask, *found.of(block))
    counts = tables.sum(0, dtype=np.int64)
    if form.size == 1:  # counted in pairs
        pairs = counts.reshape(256, 256)
        counts = pairs.sum(0) + pairs.sum(1)
    counts[0] -= extra
    found.row_sums *= form.scale
    found.column_sums *= form.scale
    if matrix and counts[~np.isfinite(form.values)].any():
        found.row_sums[:], found.column_sums[:] = 0, 0
        for block, data in _blocks(tensor, part):
            kernel.scan_short_masked(_matrix(block, data, "uint", form), form.values, *found.of(block))
    found.bins, found.counts = _filled(counts)
    return found


def _count(data: Bytes, form: Format, tables: NDArray[np.uint32]) -> int:
    """Count a block into a histogram; returns how many zeros too many, which fill its last word."""
    from synaplex.checkpoint import kernel

    whole = len(data) // 8 * 8
    kernel.count(data[:whole].view(np.uint64), tables, form.size)
    if whole == len(data):
        return 0
    last = np.zeros(8, np.uint8)
    last[: len(data) - whole] = data[whole:]
    kernel.count(last.view(np.uint64), tables, form.size)
    return (8 - (len(data) - whole)) // form.size


def _matrix(block: Part, data: Bytes, kind: str, form: Format) -> NDArray[Any]:
    return data.view(f"{kind}{8 * form.size}").reshape(block.rows, block.columns)


def _filled(counts: Counts) -> tuple[Counts, Counts]:
    """The bins that are not empty, and their counts."""
    bins = np.flatnonzero(counts)
    return bins, counts[bins]
