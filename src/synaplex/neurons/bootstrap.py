"""How stable a vocabulary of neuron types is when other networks of the population had been drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score

from synaplex.errors import SpecificationError
from synaplex.neurons.bag import BagOfNeurons


@dataclass(frozen=True, eq=False)
class Stability:
    """The agreement of vocabularies from resampled populations with the reference vocabulary.

    Parameters
    ----------
    scores
        The adjusted Rand index of each resample: 1 for the same types, about 0 for unrelated ones.
    mean
        Of the scores.
    low, high
        The percentile interval of the scores that holds the share `confidence` of them.
    confidence
        Of the interval.
    """

    scores: Float[np.ndarray, " resamples"]
    mean: float
    low: float
    high: float
    confidence: float


def stability(
    bag: BagOfNeurons,
    values: Float[np.ndarray, "neurons measures"],
    groups: Shaped[np.ndarray, " neurons"],
    *,
    resamples: int = 100,
    n_init: int | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> Stability:
    """The bootstrapped adjusted Rand index of a vocabulary.

    Each resample draws as many networks as there are, with replacement and each with all its neurons
    (neurons of one network are not independent), fits a bag to them, and labels *all* neurons with it. Its
    score is the adjusted Rand index of those labels and the reference bag's. The order of types plays no
    role in it.

    Parameters
    ----------
    bag
        The reference. If it is not fitted, a copy is fitted to all neurons; it is not changed.
    values
        Descriptors, normalized; one row a neuron. (Their normalization is not learned anew in a resample.)
    groups
        The network of each neuron.
    resamples
        How many times to resample.
    n_init
        Starts of k-means in a resample; by default as many as `bag` has.
    confidence
        Of the interval, between 0 and 1.
    seed
        Of the draws and of the fits. Resample i is the same however many follow it.

    Returns
    -------
    Stability
        The scores, their mean and interval.

    Raises
    ------
    SpecificationError
        If there are fewer than two networks, not as many groups as neurons, a parameter makes no sense, or
        a resample has fewer distinct neurons than types.

    Notes
    -----
    Hubert and Arabie (1985) for the index. Cost: `resamples` times a fit of the bag.
    """
    if len(groups) != len(values):
        raise SpecificationError(f"{len(values)} neurons, but the networks of {len(groups)}")
    if resamples < 1:
        raise SpecificationError(f"a bootstrap needs at least one resample, got {resamples}")
    if not 0 < confidence < 1:
        raise SpecificationError(f"confidence must lie between 0 and 1, got {confidence}")
    networks, codes = np.unique(groups, return_inverse=True)
    if len(networks) < 2:
        raise SpecificationError("stability resamples networks, and there is only one")
    rows = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    reference = bag if hasattr(bag, "cluster_centers_") else clone(bag).fit(values)
    labels = reference.predict(values)
    scores = np.empty(resamples)
    for i, child in enumerate(np.random.SeedSequence(seed).spawn(resamples)):
        generator = np.random.default_rng(child)
        drawn = np.concatenate([rows[k] for k in generator.integers(len(networks), size=len(networks))])
        refit = clone(bag).set_params(
            n_init=bag.n_init if n_init is None else n_init, random_state=int(generator.integers(2**32))
        )
        scores[i] = adjusted_rand_score(labels, refit.fit(values[drawn]).predict(values))
    tail = (1 - confidence) / 2
    low, high = np.quantile(scores, [tail, 1 - tail])
    return Stability(scores, float(scores.mean()), float(low), float(high), confidence)
