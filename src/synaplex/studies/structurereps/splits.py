"""Splits: which graphs a method is fitted on, and which it is judged by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Int

from synaplex.studies.structurereps.recipe import Member

Rows = Int[np.ndarray, " _"]

EPOCHS, HALF = "random epochs", "random epochs of the second half"
"""The paper's split, and the same where time alone says less."""

HELD_OUT = 0.2
"""Share of the epochs that are held out, as in the paper."""

UNSEEN = ("seed", "width", "learning rate")
"""What of a network has not been seen, where whole networks are held out."""


def by_epoch(split: str, epochs: int, seed: int) -> tuple[Rows, Rows]:
    """The rows of one trajectory, a row an epoch, to fit on and to judge by; drawn at random."""
    first = epochs // 2 if split == HALF else 0
    order = np.random.default_rng((seed, 5)).permutation(np.arange(first, epochs))
    count = max(1, round(HELD_OUT * len(order)))
    return np.sort(order[count:]), np.sort(order[:count])


def by_network(
    unseen: str, members: Sequence[Member], networks: Int[np.ndarray, " rows"]
) -> Iterator[tuple[int, Rows, Rows]]:
    """Each fold with its rows to fit on and to judge by: all networks of one seed, width or learning rate are held out.

    Parameters
    ----------
    unseen
        One of `UNSEEN`.
    members
        The networks.
    networks
        The network of each row, an index of `members`.
    """
    fields = {"seed": "seed", "width": "layout", "learning rate": "rate"}
    values = np.array([getattr(member, fields[unseen]) for member in members])
    for value in np.unique(values):
        out = values[networks] == value
        yield int(value), np.flatnonzero(~out), np.flatnonzero(out)
