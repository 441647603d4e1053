"""Products with a convolution and with its transpose, in any number of dimensions.

Both read the columns that the kernel sees, a band of positions at a time, so that memory stays bounded by the larger
of the two images. Where rows and columns of an image repeat, only distinct windows are multiplied.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.graph.repeats import find_repeats
from synaplex.graph.taps import Taps, take

_BAND = 2**20
"""Entries of a band of columns, 8 MB in float64; larger bands would only leave the caches."""


def convolve(
    x: Float[Tensor, "channels batch ..."],
    weight: Float[Tensor, "groups out in ..."],
    taps: Sequence[Taps],
) -> Float[Tensor, "channels2 batch ..."]:
    """The images that a convolution makes of images `x`.

    Parameters
    ----------
    x
        ``(groups * in, batch, *sizes)``.
    weight
        ``(groups, out, in, *kernel)``: kernels of each group of channels.
    taps
        One per spatial axis.

    Returns
    -------
    Tensor
        ``(groups * out, batch, *positions)``.
    """
    distinct = _distinct(x, [one.table for one in taps])
    return _convolve_all(x, weight, taps) if distinct is None else _convolve_distinct(*distinct, weight)


def spread(
    y: Float[Tensor, "channels batch ..."],
    weight: Float[Tensor, "groups out in ..."],
    taps: Sequence[Taps],
) -> Float[Tensor, "channels2 batch ..."]:
    """The transpose of `convolve`: ``(groups * out, batch, *positions)`` to ``(groups * in, batch, *sizes)``."""
    readers = [one.readers if one.input_readers is None else one.input_readers for one in taps]
    distinct = _distinct(y, readers)
    x = _spread_all(y, weight, taps) if distinct is None else _convolve_distinct(*distinct, weight.transpose(1, 2))
    for axis, one in enumerate(taps, 2):
        if distinct is None or one.input_readers is None:
            x = one.folded(x, axis)
    return x


Windows = list[tuple[Tensor, Tensor]]


def _distinct(x: Tensor, tables: Sequence[Tensor]) -> tuple[Tensor, Windows] | None:
    """The distinct rows and columns of `x`; per axis the distinct windows over them, and which window is where.

    None where they would save little.
    """
    windows = []
    for axis, table in enumerate(tables, 2):
        repeats = find_repeats(x, axis)
        if repeats is None:
            windows.append((table, torch.arange(len(table))))
            continue
        label, place = repeats
        x = x.index_select(axis, place)
        read = torch.where(table >= 0, label.cpu()[table], -1)
        windows.append(torch.unique(read, dim=0, return_inverse=True))
    few, all_ = (math.prod(map(len, part)) for part in ([one for one, _ in windows], tables))
    return (x, windows) if 2 * few <= all_ else None


def _convolve_distinct(x: Tensor, windows: Windows, weight: Tensor) -> Tensor:
    """The convolution of distinct windows, copied to where they stand."""
    groups, out, channels, *kernel = weight.shape
    batch, axes = x.shape[1], len(kernel)
    for axis, (read, _) in enumerate(windows, 2):
        x = take(x, axis, read.flatten())
    counts = [len(read) for read, _ in windows]
    x = x.reshape(groups, channels, batch, *(n for pair in zip(counts, kernel, strict=True) for n in pair))
    order = [0, 1, *(4 + 2 * i for i in range(axes)), 2, *(3 + 2 * i for i in range(axes))]
    columns = x.permute(order).reshape(groups, channels * math.prod(kernel), -1)
    y = (weight.to(x.dtype).reshape(groups, out, -1) @ columns).reshape(groups * out, batch, *counts)
    for axis, (_, kind) in reversed(list(enumerate(windows, 2))):  # the first axis last: it copies whole rows
        y = y.index_select(axis, kind.to(y.device))
    return y


def _convolve_all(x: Tensor, weight: Tensor, taps: Sequence[Taps]) -> Tensor:
    groups, out, channels, *kernel = weight.shape
    flat = weight.to(x.dtype).reshape(groups, out, -1)
    for axis, one in enumerate(taps):
        x = one.padded(x, axis + 2)
    batch, positions = x.shape[1], [one.positions for one in taps]
    grouped = x.reshape(groups, channels, *x.shape[1:])
    bands = []
    for start, stop in _bands(groups * flat.shape[2] * batch, positions):
        sizes = [stop - start, *positions[1:]]
        if math.prod(kernel) == 1:
            columns = _place(grouped, taps, [0] * len(taps), start, stop)
        else:
            columns = x.new_empty(groups, channels, *kernel, batch, *sizes)
            for place in product(*map(range, kernel)):
                at: tuple[Any, ...] = (slice(None), slice(None), *place)
                columns[at] = _place(grouped, taps, place, start, stop)
        band = flat @ columns.reshape(groups, flat.shape[2], -1)
        bands.append(band.reshape(groups * out, batch, *sizes))
    return bands[0] if len(bands) == 1 else torch.cat(bands, 2)


def _spread_all(y: Tensor, weight: Tensor, taps: Sequence[Taps]) -> Tensor:
    """The transpose, along the padded axes."""
    groups, out, channels, *kernel = weight.shape
    flat = weight.to(y.dtype).reshape(groups, out, -1).mT
    batch, positions = y.shape[1], [one.positions for one in taps]
    padded = y.new_zeros(groups, channels, batch, *(len(one.source) for one in taps))
    for start, stop in _bands(groups * flat.shape[1] * batch, positions):
        sizes = [stop - start, *positions[1:]]
        band = y.narrow(2, start, stop - start).reshape(groups, out, -1)
        columns = (flat @ band).reshape(groups, channels, *kernel, batch, *sizes)
        for place in product(*map(range, kernel)):
            at: tuple[Any, ...] = (slice(None), slice(None), *place)
            _place(padded, taps, place, start, stop).add_(columns[at])
    return padded.reshape(groups * channels, *padded.shape[2:])


def _bands(rows: int, positions: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Runs of positions along the first axis whose columns fit a band."""
    step = max(1, _BAND // max(1, rows * math.prod(positions[1:])))
    for start in range(0, positions[0], step):
        yield start, min(start + step, positions[0])


def _place(padded: Tensor, taps: Sequence[Taps], place: Sequence[int], start: int, stop: int) -> Tensor:
    """What one place of the kernel reads, at positions `start` to `stop` of the first axis and all of the others."""
    where: list[slice] = []
    for one, offset in zip(taps, place, strict=True):
        first, last = (start, stop) if not where else (0, one.positions)
        begin = offset * one.dilation + first * one.stride
        where.append(slice(begin, begin + (last - first - 1) * one.stride + 1, one.stride))
    return padded[(slice(None), slice(None), slice(None), *where)]
