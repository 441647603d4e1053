"""Dealing networks out to the bins of accuracy: one network in one bin, as many bins filled as can be, many times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from synaplex.studies.la_malfa_2021.recipe import BINS

Composition = tuple[Int[np.ndarray, " _"], ...]
"""For each bin the rows (network at a moment) that stand in it."""


def composition(
    network: Int[np.ndarray, " rows"], bins: Int[np.ndarray, " rows"], per_bin: int, generator: np.random.Generator
) -> Composition:
    """One way to deal the networks out, at random among those that fill most places.

    Parameters
    ----------
    network, bins
        Of each row.
    per_bin
        Networks a bin, at most.
    generator
        Of the draw.
    """
    names, place = np.unique(network, return_inverse=True)
    order = generator.permutation(len(names))
    rows = order.argsort()[place]
    seats = np.concatenate([bins * per_bin + seat for seat in range(per_bin)])
    people = np.tile(rows, per_bin)
    # The matching looks at seats from the first to the last: in random order none is preferred.
    shuffle = generator.permutation(BINS * per_bin)
    allowed = csr_array((np.ones(len(seats), dtype=np.int8), (people, shuffle[seats])), (len(names), BINS * per_bin))
    allowed.sum_duplicates()
    taken = maximum_bipartite_matching(allowed, perm_type="column")
    where = {(int(r), int(b)): i for i, (r, b) in enumerate(zip(rows, bins, strict=True))}
    back = shuffle.argsort()
    dealt: list[list[int]] = [[] for _ in range(BINS)]
    for person, seat in enumerate(taken):
        if seat >= 0:
            chosen = int(back[seat]) // per_bin
            dealt[chosen].append(where[person, chosen])
    return tuple(np.array(sorted(one), dtype=np.int64) for one in dealt)


def compositions(
    network: Int[np.ndarray, " rows"], bins: Int[np.ndarray, " rows"], per_bin: int, count: int, seed: int
) -> list[Composition]:
    """Several ways to deal the networks out."""
    return [composition(network, bins, per_bin, np.random.default_rng((seed, draw))) for draw in range(count)]


def resampled(one: Composition, generator: np.random.Generator) -> Composition:
    """The same bins with networks drawn with replacement within each."""
    return tuple(rows[generator.integers(0, len(rows), len(rows))] if len(rows) else rows for rows in one)


def filled(drawn: Sequence[Composition]) -> list[int]:
    """The bins that hold at least two networks in every composition."""
    return [b for b in range(BINS) if all(len(one[b]) >= 2 for one in drawn)]
