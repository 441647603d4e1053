"""Null models of weights: shuffled within a link, or with signs flipped at random; and a number beside their draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float

FIXED = "fixed by the weight distribution alone"
_NO_SPREAD = 1e-9


def shuffled(
    weights: Float[np.ndarray, "out source"], generator: np.random.Generator
) -> Float[np.ndarray, "out source"]:
    """The weights of a link in random order: each weight stays, its place does not."""
    return generator.permutation(weights.ravel()).reshape(weights.shape)


def flipped(
    weights: Float[np.ndarray, "out source"], generator: np.random.Generator
) -> Float[np.ndarray, "out source"]:
    """The weights of a link with random signs: each |w| stays in its place."""
    signs = generator.integers(0, 2, size=weights.shape, dtype=np.int8) * 2 - 1
    return np.asarray(weights * signs.astype(weights.dtype))


Null = Callable[[np.ndarray, np.random.Generator], np.ndarray]

NULLS: Mapping[str, Null] = {"shuffled": shuffled, "flipped": flipped}
"""By name: ``"shuffled"``, weights shuffled within each layer; ``"flipped"``, signs flipped at random."""


def against_null(observed: float, draws: Float[np.ndarray, " draws"]) -> dict[str, float | str | None]:
    """An observed quantity beside the same quantity in draws of a null model.

    Returns
    -------
    dict
        `observed`, `null_mean`, `null_deviation` (of a sample), `z` = (observed - mean) / deviation, and `remark`.
        Where the null has no spread, z is null and the remark says so.
    """
    known = draws[np.isfinite(draws)]
    mean = float(known.mean()) if len(known) else float("nan")
    deviation = float(known.std(ddof=1)) if len(known) > 1 else float("nan")
    spreads = deviation > _NO_SPREAD
    return {
        "observed": observed,
        "null_mean": mean,
        "null_deviation": deviation if spreads else 0.0,
        "z": (observed - mean) / deviation if spreads else None,
        "remark": "" if spreads else FIXED,
    }
