"""Curveball trades: a random wiring in which every neuron keeps its number of connections; compiled."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from numba import njit

ROUNDS = 20
"""In each of which every row trades once. A trade moves half of what it may: 10 moves a connection in all."""


def _compile(function: Any) -> Any:
    """Compile the bare function (a type checker may have wrapped it), cached on disk where a cache can be written."""
    function = inspect.unwrap(function)
    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:
        return njit(nogil=True)(function)


def _trade(order, start, column, twin, within, mark, slot, chance):  # type: ignore[no-untyped-def]
    """One round: the first row of `order` trades with the second, the third with the fourth, and so on.

    `column` and `twin` change. `mark` holds a zero a column, and does so afterwards; `slot` is working space; `chance`
    holds numbers from 0 to 1, as many as there are connections.
    """
    drawn = 0
    for pair in range(len(order) // 2):
        one, other = order[2 * pair], order[2 * pair + 1]
        for place in range(start[one], start[one + 1]):
            mark[column[place]] = 1
        count = 0
        for place in range(start[other], start[other + 1]):
            end = column[place]
            if mark[end]:
                mark[end] = 2
            elif not within or end != one:
                slot[count] = place
                count += 1
        theirs = count
        for place in range(start[one], start[one + 1]):
            end = column[place]
            if mark[end] == 1 and (not within or end != other):
                slot[count] = place
                count += 1
            mark[end] = 0
        if theirs == 0 or count == theirs:
            continue
        for last in range(count - 1, 0, -1):
            chosen = int(chance[drawn] * (last + 1))
            drawn += 1
            first, second = slot[last], slot[chosen]
            column[first], column[second] = column[second], column[first]
            if len(twin):
                twin[first], twin[second] = twin[second], twin[first]
        if len(twin):
            for at in range(count):
                place = slot[at]
                column[twin[place]] = other if at < theirs else one
                twin[twin[place]] = place


trade = _compile(_trade)


def traded(
    row: Int[np.ndarray, " edges"],
    column: Int[np.ndarray, " edges"],
    shape: tuple[int, int],
    generator: torch.Generator,
    *,
    within: bool = False,
) -> tuple[Int[np.ndarray, " edges"], Int[np.ndarray, " edges"]]:
    """Other connections of the same rows and columns, as many of each, drawn at random; none twice.

    Parameters
    ----------
    row, column
        Of each connection, without doubles.
    shape
        How many rows and columns there are.
    generator
        Of the trades.
    within
        Whether rows and columns are the same neurons, of which none is to be joined with itself; none is before.

    Returns
    -------
    tuple
        Row and column of each connection.

    Notes
    -----
    In a trade two rows lay together the connections that only one of them has and deal them out again at random, to
    each as many as it had (Strona et al. 2014). Rounds of trades between all rows in random pairs come as near as one
    likes to even odds of all wirings with these numbers (Carstens 2015; Carstens et al. 2018).

    Cost: `ROUNDS` passes over the connections.
    """
    order = np.lexsort((column, row))
    return row[order], _rounds(row[order], column[order], shape, np.empty(0, np.int64), within, generator)


def traded_undirected(
    first: Int[np.ndarray, " edges"], second: Int[np.ndarray, " edges"], neurons: int, generator: torch.Generator
) -> tuple[Int[np.ndarray, " edges"], Int[np.ndarray, " edges"]]:
    """Other undirected edges of the same neurons, as many of each: simple graphs stay simple; see `traded`.

    Each edge is listed once, and is so in what is returned, from its lower neuron to its higher.
    """
    row, column = np.concatenate([first, second]), np.concatenate([second, first])
    order = np.lexsort((column, row))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    twin = place[(order + len(first)) % max(len(order), 1)]  # where the same edge is listed from its other end
    row = row[order]
    column = _rounds(row, column[order], (neurons, neurons), twin, True, generator)
    once = row < column
    return row[once], column[once]


def _rounds(
    row: Int[np.ndarray, " edges"],
    column: Int[np.ndarray, " edges"],
    shape: tuple[int, int],
    twin: Int[np.ndarray, " twins"],
    within: bool,
    generator: torch.Generator,
) -> Int[np.ndarray, " edges"]:
    """The columns after all rounds, of connections listed row by row."""
    column = column.copy()
    degree = np.bincount(row, minlength=shape[0])
    start = np.concatenate([np.zeros(1, np.int64), degree.cumsum()])
    # Rows without connections, or with all, have nothing to trade and would only take others' turns.
    trading = np.flatnonzero((degree > 0) & (degree < shape[1] - within))
    mark, slot = np.zeros(shape[1], np.uint8), np.empty(len(column), np.int64)
    for _ in range(ROUNDS):
        order = trading[torch.randperm(len(trading), generator=generator).numpy()]
        chance = torch.rand(len(column), generator=generator, dtype=torch.float64).numpy()
        trade(order, start, column, twin, within, mark, slot, chance)
    return column
