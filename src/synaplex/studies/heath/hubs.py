"""Hubs: how unequal centralities are, beside networks with the same weights in other places."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float
from scipy.sparse import csr_array

from synaplex.measures.nulls import against_null
from synaplex.studies.heath.centralities import Matrix, exact, variant

TOP = 0.01
"""Share of neurons whose part of the whole is reported."""

BEYOND = 3.0
"""Standard deviations above the mean from which a neuron is called a hub."""


def spread(values: Float[np.ndarray, " neurons"]) -> float:
    """Standard deviation over the number of neurons."""
    return float(values.std())


def top_share(values: Float[np.ndarray, " neurons"]) -> float:
    """What part of all centrality, sign left aside, the most central hundredth of the neurons has."""
    size = np.sort(np.abs(values))[::-1]
    return float(size[: max(1, round(TOP * len(size)))].sum() / max(size.sum(), np.finfo(np.float64).tiny))


def hubs(values: Float[np.ndarray, " neurons"]) -> float:
    """Share of neurons that lie more than `BEYOND` standard deviations above the mean."""
    return float((values > values.mean() + BEYOND * values.std()).mean())


STATISTICS: Mapping[str, Callable[[np.ndarray], float]] = {"sigma": spread, "top 1%": top_share, "hubs": hubs}
"""How unequal centralities are, by name."""

CENTRALITIES: Mapping[str, Callable[[Sequence[Matrix]], np.ndarray]] = {"exact": exact, "variant": variant}
"""The versions on the right graph."""


def shuffled(link: Matrix, random: np.random.Generator) -> Matrix:
    """The same connections with the layer's weights in random order."""
    if isinstance(link, np.ndarray):
        return random.permutation(link.ravel()).reshape(link.shape)
    return csr_array((random.permutation(link.data), link.indices, link.indptr), shape=link.shape)


def scattered(link: Matrix, random: np.random.Generator) -> Matrix:
    """The layer's weights at random places: neither connections nor degrees are kept."""
    if isinstance(link, np.ndarray):
        return shuffled(link, random)
    possible = link.shape[0] * link.shape[1]
    place = np.sort(random.choice(possible, link.nnz, replace=False, shuffle=False))
    row, column = np.divmod(place, link.shape[1])
    return csr_array((random.permutation(link.data), (row, column)), shape=link.shape)


def flipped(link: Matrix, random: np.random.Generator) -> Matrix:
    """The same connections, each weight with a random sign."""
    if isinstance(link, np.ndarray):
        return link * random.choice((-1.0, 1.0), link.shape)
    return csr_array((link.data * random.choice((-1.0, 1.0), link.nnz), link.indices, link.indptr), shape=link.shape)


NULLS: Mapping[str, Callable[[Matrix, np.random.Generator], Matrix]] = {
    "shuffled": shuffled,
    "scattered": scattered,
    "flipped": flipped,
}
"""Null models by name: weights in random order within each layer, at random places, or with random signs."""


def beside_nulls(links: Sequence[Matrix], draws: int, random: np.random.Generator) -> list[dict[str, object]]:
    """Every statistic of every centrality beside its null models, a row each."""
    rows: list[dict[str, object]] = []
    observed = _statistics(links)
    for null, make in NULLS.items():
        drawn = [_statistics([make(link, random) for link in links]) for _ in range(draws)]
        for (name, statistic), value in observed.items():
            found = against_null(value, np.array([one[name, statistic] for one in drawn]))
            rows.append({"centrality": name, "statistic": statistic, "null": null, **found})
    return rows


def _statistics(links: Sequence[Matrix]) -> dict[tuple[str, str], float]:
    values = {name: measure(links) for name, measure in CENTRALITIES.items()}
    return {(name, what): number(one) for name, one in values.items() for what, number in STATISTICS.items()}
