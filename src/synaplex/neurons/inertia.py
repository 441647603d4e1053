"""The elbow of the inertia: how many neuron types a population has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from jaxtyping import Float, Int

from synaplex.errors import SpecificationError
from synaplex.neurons.bag import BagOfNeurons

PAPER_RANGE = range(2, 19)
"""The numbers of types that the paper tries: 2 to 18."""


@dataclass(frozen=True, eq=False)
class Elbow:
    """The inertia over the number of types, and the number at its elbow.

    Parameters
    ----------
    rows
        Which neurons: ``"layer 1"``, ``"all layers"``, or what the caller said.
    n_types
        The number of types at the elbow.
    table
        Columns `rows`, `n_types`, `inertia`, `gap` (how far the curve lies below its chord, both axes
        scaled to [0, 1]) and `picked`.
    """

    rows: str
    n_types: int
    table: pl.DataFrame


def elbow(
    values: Float[np.ndarray, "neurons measures"],
    n_types: Sequence[int] = PAPER_RANGE,
    *,
    n_init: int = 100,
    tol: float = 1e-3,
    seed: int = 0,
    rows: str = "all layers",
) -> Elbow:
    """The inertia for each number of types, and the number at the elbow of that curve.

    Both axes are scaled so that the curve runs from (0, 1) to (1, 0)::

        x_k = (k - k_first) / (k_last - k_first)       y_k = (I_k - I_last) / (I_first - I_last)

    The elbow is the k whose point lies farthest below the chord between the ends, the largest gap 1 - x_k -
    y_k (which is the distance from the chord times the square root of 2); the smallest such k.

    Parameters
    ----------
    values
        Descriptors, normalized; one row a neuron.
    n_types
        The numbers of types to try, at least three, ascending.
    n_init, tol, seed
        As `BagOfNeurons` has them.
    rows
        A name for these neurons, for the table.

    Returns
    -------
    Elbow
        The curve and its elbow.

    Raises
    ------
    SpecificationError
        If there are fewer than three numbers of types or they do not ascend, fewer distinct neurons than
        types, or no point lies below the chord: then the curve has no elbow.

    Notes
    -----
    Scabini and Bruno (2021), section 4.1 and figure 6, find 6 by eye. The rule is the one of Satopaa et al.
    (2011), "Finding a 'kneedle' in a haystack", without smoothing and with the whole curve as its window;
    it depends on the range of `n_types`.

    Cost: a fit of `BagOfNeurons` for each number of types; for the paper's range 30 to 50 times a bag of 6.
    """
    counts = [int(k) for k in n_types]
    if len(counts) < 3 or any(b <= a for a, b in pairwise(counts)):
        raise SpecificationError(f"an elbow needs at least three numbers of types, ascending, got {counts}")
    inertia = np.array(
        [BagOfNeurons(k, n_init=n_init, tol=tol, random_state=seed).fit(values).inertia_ for k in counts]
    )
    gap = _gap(np.array(counts, dtype=np.float64), inertia)
    picked = int(gap.argmax())
    if gap[picked] <= 0:
        raise SpecificationError(
            f"the inertia of {rows} for {counts[0]} to {counts[-1]} types has no elbow: "
            "no point lies below the chord between its ends"
        )
    table = pl.DataFrame(
        {
            "rows": [rows] * len(counts),
            "n_types": pl.Series(counts, dtype=pl.Int32),
            "inertia": inertia,
            "gap": gap,
            "picked": [k == picked for k in range(len(counts))],
        }
    )
    return Elbow(rows, counts[picked], table)


def elbow_by_layer(
    values: Float[np.ndarray, "neurons measures"],
    layers: Int[np.ndarray, " neurons"],
    n_types: Sequence[int] = PAPER_RANGE,
    *,
    n_init: int = 100,
    tol: float = 1e-3,
    seed: int = 0,
) -> tuple[Elbow, ...]:
    """The elbow of each layer by itself, and of all layers together: the panels of the paper's figure 6.

    Parameters
    ----------
    values
        Descriptors, normalized; one row a neuron.
    layers
        The layer of each neuron.
    n_types, n_init, tol, seed
        As in `elbow`.

    Returns
    -------
    tuple of Elbow
        One for each layer, ascending, named ``"layer 1"`` and so on; last, where there are several, ``"all
        layers"``. ``pl.concat([e.table for e in result])`` is one tidy table.

    Raises
    ------
    SpecificationError
        As in `elbow`, or if there are not as many layers as neurons.
    """
    if len(layers) != len(values):
        raise SpecificationError(f"{len(values)} neurons, but the layers of {len(layers)}")
    parts = [(f"layer {layer}", values[layers == layer]) for layer in np.unique(layers)]
    if len(parts) > 1:
        parts.append(("all layers", values))
    return tuple(elbow(part, n_types, n_init=n_init, tol=tol, seed=seed, rows=name) for name, part in parts)


def _gap(counts: Float[np.ndarray, " k"], inertia: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
    """How far each point of the scaled curve lies below the chord; zero if the curve does not fall."""
    fall = inertia[0] - inertia[-1]
    if fall <= 0:
        return np.zeros_like(inertia)
    x = (counts - counts[0]) / (counts[-1] - counts[0])
    return np.asarray(1 - x - (inertia - inertia[-1]) / fall)
