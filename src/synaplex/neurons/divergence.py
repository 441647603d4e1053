"""The Jensen-Shannon divergence between distributions of neuron types, and between vocabularies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Shaped
from scipy.special import rel_entr
from sklearn.utils.validation import check_is_fitted

from synaplex.errors import SpecificationError
from synaplex.neurons.bag import BagOfNeurons

Base = Literal[2, "e"]


def jensen_shannon(
    p: Float[np.ndarray, "*p_networks types"],
    q: Float[np.ndarray, "*q_networks types"],
    *,
    base: Base = 2,
    root: bool = False,
) -> Float[np.ndarray, "*networks"]:
    """The Jensen-Shannon divergence of distributions p and q, or its square root.

    With m = (p + q) / 2 and the Kullback-Leibler divergence KL(p, m) = sum_t p_t log(p_t / m_t)::

        JSD(p, q) = (KL(p, m) + KL(q, m)) / 2

    It is symmetric, 0 for equal and log 2 for disjoint distributions: 1 in base 2. Its square root is a
    metric, the Jensen-Shannon distance (which is what `scipy.spatial.distance.jensenshannon` returns, in
    base e).

    Parameters
    ----------
    p, q
        Distributions over types along the last axis; each is divided by its sum. The axes before it are
        networks and broadcast.
    base
        Of the logarithm, 2 or "e".
    root
        Whether to return the square root.

    Returns
    -------
    Float[np.ndarray, "*networks"]
        The divergences; an array of no dimensions for two single distributions.

    Raises
    ------
    SpecificationError
        If the numbers of types differ, the networks do not broadcast, or a distribution has a negative
        value, one that is not finite, or the sum 0.

    Notes
    -----
    Scabini and Bruno (2021), section 4.1. The paper states neither the base nor whether its table 2 holds
    the divergence or its root.

    Examples
    --------
    >>> float(jensen_shannon(np.array([1.0, 0.0]), np.array([0.0, 1.0])))
    1.0
    """
    if base not in (2, "e"):
        raise SpecificationError(f"the base of the logarithm is 2 or 'e', got {base!r}")
    try:
        shape = np.broadcast_shapes(p.shape[:-1], q.shape[:-1])
    except ValueError:
        shape = None
    if shape is None or p.shape[-1] != q.shape[-1]:
        raise SpecificationError(f"distributions of shapes {p.shape} and {q.shape} do not pair up")
    p, q = _distribution(p, "p"), _distribution(q, "q")
    middle = (p + q) / 2
    nats = (rel_entr(p, middle) + rel_entr(q, middle)).sum(axis=-1) / 2
    divergence = np.clip(nats / np.log(2), 0, 1)
    if base == "e":
        divergence = divergence * np.log(2)
    return np.asarray(np.sqrt(divergence) if root else divergence)


@dataclass(frozen=True, eq=False)
class VocabularyDivergence:
    """How far apart two vocabularies describe the same networks.

    Parameters
    ----------
    values
        The divergence of each network, in the order of the sorted groups.
    mean, standard_deviation
        Over the networks (the latter divided by their number).
    """

    values: Float[np.ndarray, " networks"]
    mean: float
    standard_deviation: float


def vocabulary_divergence(
    bag: BagOfNeurons,
    other: BagOfNeurons,
    values: Float[np.ndarray, "neurons measures"],
    groups: Shaped[np.ndarray, " neurons"],
    *,
    other_values: Float[np.ndarray, "neurons measures"] | None = None,
    base: Base = 2,
    root: bool = False,
) -> VocabularyDivergence:
    """The divergence of a population's type frequencies under its own vocabulary and under another's.

    Both bags label the neurons of the same networks; the first type of one is matched with the first of the
    other, and so on, as both are sorted by strength. The divergence of the two frequencies is taken for
    each network. It is directed: the networks belong to the benchmark of `bag`, and the vocabulary of
    `other` was found on another.

    Parameters
    ----------
    bag
        The vocabulary found on these networks' benchmark.
    other
        The vocabulary found on another benchmark. As many types.
    values
        The networks' neurons, normalized as those that `bag` was fitted on.
    groups
        The network of each neuron.
    other_values
        The same neurons, normalized as those that `other` was fitted on; by default `values`.
    base, root
        As in `jensen_shannon`.

    Returns
    -------
    VocabularyDivergence
        The divergence of each network, with mean and standard deviation.

    Raises
    ------
    SpecificationError
        If the bags differ in types or measures, or the neurons in number.

    Notes
    -----
    Scabini and Bruno (2021), table 2. Cost: O(neurons * types * measures).
    """
    check_is_fitted(bag)
    check_is_fitted(other)
    if bag.cluster_centers_.shape != other.cluster_centers_.shape:
        raise SpecificationError(
            "vocabularies of {} types of {} measures and of {} types of {} cannot be matched".format(
                *bag.cluster_centers_.shape, *other.cluster_centers_.shape
            )
        )
    own = bag.histogram(values, groups)
    foreign = other.histogram(values if other_values is None else other_values, groups)
    divergences = jensen_shannon(own, foreign, base=base, root=root)
    return VocabularyDivergence(divergences, float(divergences.mean()), float(divergences.std()))


def _distribution(values: Float[np.ndarray, "*networks types"], name: str) -> Float[np.ndarray, "*networks types"]:
    total = values.sum(axis=-1, keepdims=True)
    if not np.isfinite(values).all() or (values < 0).any() or (total <= 0).any():
        raise SpecificationError(f"{name} is no distribution: values must be finite, none negative, not all zero")
    return np.asarray(values / total)
