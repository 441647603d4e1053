"""Null models of weights: shuffled within a link, or with signs flipped at random."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float


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
