"""Splits of tables that come without one, and columns in units of their own spread."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int64

Table = Float[np.ndarray, "_ columns"]


def shuffled_split(rows: int, test_share: float, seed: int) -> tuple[Int64[np.ndarray, " _"], Int64[np.ndarray, " _"]]:
    """Numbers of the training and of the test rows, in random order, the same for the same seed."""
    order = np.random.default_rng(seed).permutation(rows)
    cut = rows - round(test_share * rows)
    return order[:cut], order[cut:]


def standardised(train: Table, test: Table) -> tuple[Table, Table]:
    """Both parts minus the means of the training columns, over their deviations; a constant column becomes 0."""
    mean, deviation = train.mean(0), train.std(0)
    deviation[deviation == 0] = 1
    return (train - mean) / deviation, (test - mean) / deviation
