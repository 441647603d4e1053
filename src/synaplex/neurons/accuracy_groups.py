"""How often neuron types occur in the worst, the median and the best networks of a population."""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl
from jaxtyping import Float, Int

from synaplex.errors import SpecificationError

AccuracyGroup = Literal["worst", "median", "best"]


def accuracy_groups(
    accuracy: Float[np.ndarray, " networks"], n: int | None = None
) -> dict[AccuracyGroup, Int[np.ndarray, " n"]]:
    """The n networks of least accuracy, the n around the median, and the n of greatest accuracy.

    With the networks ranked by accuracy (equals stay in their order), the groups are the ranks 0 to n-1,
    the n ranks from (networks - n) // 2, and the last n.

    Parameters
    ----------
    accuracy
        The accuracy of each network.
    n
        The size of each group. By default a tenth of the networks, which is the paper's 100 of 1,000, and
        at least 1.

    Returns
    -------
    dict
        ``"worst"``, ``"median"`` and ``"best"``: the networks' positions in `accuracy`, by ascending
        accuracy.

    Raises
    ------
    SpecificationError
        If groups of n would overlap (fewer than 3n networks), n is not positive, or an accuracy is not a
        number.

    Examples
    --------
    >>> groups = accuracy_groups(np.array([0.9, 0.1, 0.5, 0.4, 0.6]), n=1)
    >>> {name: positions.tolist() for name, positions in groups.items()}
    {'worst': [1], 'median': [2], 'best': [0]}
    """
    total = len(accuracy)
    size = max(1, total // 10) if n is None else n
    if size < 1:
        raise SpecificationError(f"a group of networks needs at least one, got n={size}")
    if total < 3 * size:
        raise SpecificationError(
            f"{total} networks are too few for three groups of {size} without overlap: n can be at most {total // 3}"
        )
    if not np.isfinite(accuracy).all():
        wrong = np.flatnonzero(~np.isfinite(accuracy))
        raise SpecificationError(f"{len(wrong)} networks have no accuracy, the first at position {wrong[0]}")
    ranked = np.argsort(accuracy, kind="stable")
    middle = (total - size) // 2
    return {
        "worst": ranked[:size],
        "median": ranked[middle : middle + size],
        "best": ranked[total - size :],
    }


def occurrence(
    frequencies: Float[np.ndarray, "networks types"],
    accuracy: Float[np.ndarray, " networks"],
    n: int | None = None,
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int | np.random.Generator = 0,
) -> pl.DataFrame:
    """The occurrence of neuron types in the worst, the median and the best networks.

    Parameters
    ----------
    frequencies
        The shares of types in each network, as `BagOfNeurons.histogram` gives them.
    accuracy
        The accuracy of each network, in the same order.
    n
        The size of each group, see `accuracy_groups`.
    confidence
        Of the intervals, between 0 and 1.
    resamples
        How many bootstrap samples the intervals come from.
    seed
        Of the bootstrap.

    Returns
    -------
    pl.DataFrame
        A row for each type and group: `type` (Int32, from 1), `group` ("worst", "median", "best"),
        `networks` (how many), `mean_share`, `standard_deviation` (over the group's networks, divided by
        their number), `low` and `high` (percentile bootstrap interval of the mean share, networks resampled
        within the group).

    Raises
    ------
    SpecificationError
        As in `accuracy_groups`, or if the arguments' lengths differ or the confidence is not between 0 and 1.

    Notes
    -----
    Scabini and Bruno (2021), section 4.1 and figure 7, with n = 100 of 1,000. The intervals are ours.
    Cost: O(resamples * n * types).
    """
    if len(frequencies) != len(accuracy):
        raise SpecificationError(f"types of {len(frequencies)} networks, but accuracies of {len(accuracy)}")
    if not 0 < confidence < 1:
        raise SpecificationError(f"confidence must lie between 0 and 1, got {confidence}")
    if resamples < 1:
        raise SpecificationError(f"a bootstrap needs at least one resample, got {resamples}")
    generator = np.random.default_rng(seed)
    tables = []
    for group, networks in accuracy_groups(accuracy, n).items():
        shares = frequencies[networks]
        # How often each network is drawn says as much as the draws themselves, and needs one product.
        draws = generator.multinomial(len(networks), np.full(len(networks), 1 / len(networks)), size=resamples)
        tail = (1 - confidence) / 2
        low, high = np.quantile(draws @ shares / len(networks), [tail, 1 - tail], axis=0)
        tables.append(
            pl.DataFrame(
                {
                    "type": pl.Series(range(1, shares.shape[1] + 1), dtype=pl.Int32),
                    "group": [group] * shares.shape[1],
                    "networks": pl.Series([len(networks)] * shares.shape[1], dtype=pl.Int32),
                    "mean_share": shares.mean(axis=0),
                    "standard_deviation": shares.std(axis=0),
                    "low": low,
                    "high": high,
                }
            )
        )
    return pl.concat(tables).sort("type", maintain_order=True)
