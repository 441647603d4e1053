"""Harmonic centrality of graphs of any size: exact for a few neurons, sampled for many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.graph import Adjacency
from synaplex.measures.limits import check_edges
from synaplex.measures.sampling import FAILURE, growing_sample, mean_error, rounds

if TYPE_CHECKING:
    from scipy.sparse import csr_array

NEAR = 64
"""How many of the nearest neurons are not left to the sample."""

_LANDMARKS = 4
_VALUES = 20_000_000


@dataclass(frozen=True, eq=False)
class Sampled:
    """Values, how far they may be off, the probability that not all bounds hold, and what was done."""

    values: Float[Tensor, " chosen"]
    errors: Float[Tensor, " chosen"]
    failure: float
    method: str


def edge_lengths(view: Adjacency, distance: Literal["weight", "inverse"]) -> csr_array:
    """The edges that can be on a shortest path, as a symmetric sparse matrix of their lengths.

    An edge longer than the way between its ends through a landmark is on none. In a dense network few are left.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    first, second, weight = (part.cpu().numpy() for part in view.edges())
    length = weight if distance == "weight" else 1 / weight
    shape = (view.neurons, view.neurons)
    for mark in range(_LANDMARKS if len(length) > 4 * view.neurons else 0):
        matrix = csr_array((length, (first, second)), shape=shape)
        away = dijkstra(matrix, directed=False, indices=np.array(mark * view.neurons // _LANDMARKS))
        # Where the landmark is out of reach of both ends, the way through it is infinitely long.
        keep = length <= (away[first] + away[second]) * (1 + 1e-12)
        first, second, length = first[keep], second[keep], length[keep]
    matrix = csr_array((length, (first, second)), shape=shape)
    return csr_array(matrix + matrix.T)


def sampled_harmonic(
    view: Adjacency,
    chosen: Int[Tensor, " chosen"],
    distance: Literal["weight", "inverse"],
    tolerance: float,
    sources: int,
    seed: int,
) -> Sampled:
    """Sums of inverse distances of some neurons of one network.

    For at most `sources` neurons, shortest paths from each. For more, the nearest neurons exactly, and the others from
    the shortest paths of a growing random sample of neurons: their inverse distances lie in a narrow range.

    Parameters
    ----------
    view
        Of a single network, without self-loops and negative weights.
    chosen
        Neurons.
    distance
        As in `harmonic_centrality`.
    tolerance
        How far values may be off, as a share of themselves; the sample stops growing when all bounds are below it.
    sources
        The most neurons from which all shortest paths are searched.
    seed
        Of the sample.

    Raises
    ------
    GraphTooLargeError
        If the graph has too many edges to list.
    """
    check_edges(view, "harmonic_centrality")
    matrix = edge_lengths(view, distance)
    if len(chosen) <= sources:
        values = from_each(matrix, chosen)
        return Sampled(values, _rounding(values), 0.0, "shortest paths from each neuron")
    return _from_sample(matrix, chosen, tolerance, sources, seed)


def _rounding(values: Tensor) -> Tensor:
    return 1e-12 * values


def _distances(matrix: csr_array, sources: Tensor) -> Tensor:
    from scipy.sparse.csgraph import dijkstra

    return torch.as_tensor(dijkstra(matrix, indices=sources.cpu().numpy()))


def from_each(matrix: csr_array, chosen: Int[Tensor, " chosen"]) -> Float[Tensor, " chosen"]:
    """Sums of inverse distances of each neuron, by Dijkstra's algorithm."""
    values = torch.empty(len(chosen), dtype=torch.float64)
    for part in torch.split(torch.arange(len(chosen)), max(1, _VALUES // max(matrix.shape[0], 1))):
        sources = chosen[part].cpu()
        distances = _distances(matrix, sources)
        distances[torch.arange(len(part)), sources] = torch.inf
        values[part] = (1 / distances).sum(-1)
    return values.to(chosen.device)


def _from_sample(matrix: csr_array, chosen: Tensor, tolerance: float, sources: int, seed: int) -> Sampled:
    from synaplex.measures.nearest import nearest

    neurons, index = matrix.shape[0], chosen.cpu()
    found = torch.full((len(index), NEAR), -1, dtype=torch.long)
    near, radius = torch.zeros(len(index), dtype=torch.float64), torch.empty(len(index), dtype=torch.float64)
    rows = (matrix.indptr.astype("int64"), matrix.indices.astype("int64"), matrix.data)
    nearest(*rows, index.numpy(), found.numpy(), near.numpy(), radius.numpy())
    others = (neurons - 1 - (found >= 0).sum(-1)).to(torch.float64)
    reach = 1 / radius - _least_inverse(matrix, index)
    sums, squares, count = (torch.zeros(len(index), dtype=torch.float64) for _ in range(3))
    failure = FAILURE / len(index) / len(rounds(min(sources, neurons)))
    taken, block = 0, max(1, _VALUES // neurons)
    values = errors = near
    for drawn in growing_sample(neurons, sources, seed):
        for part in torch.split(drawn, block):
            inverse = 1 / _distances(matrix, part)[:, index]
            place = torch.full((neurons + 1,), -1)
            place[part] = torch.arange(len(part))
            counted = torch.ones_like(inverse, dtype=torch.bool)
            for of_sample, of_chosen in (_pairs(place, found), _pairs(place, index[:, None])):
                counted[of_sample, of_chosen] = False
            inverse = torch.where(counted, inverse, 0)
            sums += inverse.sum(0)
            squares += (inverse**2).sum(0)
            count += counted.sum(0)
        taken += len(drawn)
        mean = sums / count.clamp_min(1)
        error = mean_error(squares / count.clamp_min(1) - mean**2, count, others, reach, failure)
        values, errors = near + others * mean, others * error
        errors = errors + _rounding(values)
        if bool((errors <= tolerance * values).all()):
            break
    method = f"shortest paths from {taken:,} sampled neurons"
    return Sampled(values.to(chosen.device), errors.to(chosen.device), FAILURE, method)


def _pairs(place: Tensor, neurons: Int[Tensor, "chosen few"]) -> tuple[Tensor, Tensor]:
    """Where neurons listed for each chosen one (-1: none) stand in the sample: rows and columns of those that do."""
    row = place[neurons]  # -1 picks the last entry, which no neuron has
    inside = row >= 0
    return row[inside], inside.nonzero()[:, 0]


def _least_inverse(matrix: csr_array, index: Tensor) -> Tensor:
    """A lower bound of the inverse distances of each neuron: 0 in a graph that falls apart."""
    away = _distances(matrix, torch.tensor([0]))[0]
    return 1 / (away[index] + away.max())
