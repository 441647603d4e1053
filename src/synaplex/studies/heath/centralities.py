"""Laplacian centrality of a layered network in three versions: the definition, CenSET's, and as the code put it.

All are of the input and hidden neurons. Links are matrices ``(out, in)`` from layer to layer, dense or in compressed
rows, the link into the output layer last.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.sparse import coo_array, csr_array

from synaplex.sparse import SparseLinear

Matrix = Any
"""A NumPy array, or a SciPy array in compressed rows, in float64."""

VERSIONS = ("exact", "variant", "released")
"""The definition on the whole network; what CenSET's code computes, on the right graph; the same on the graph that
the code built for the method."""


def matrix_of(link: Any) -> Matrix:
    """The weights of a linear layer, sparse or dense, in float64."""
    weight = link.weight.detach().cpu().double().numpy()
    if not isinstance(link, SparseLinear):
        return weight
    return csr_array((weight, link.column.cpu().numpy(), link.row_start.cpu().numpy()), shape=link.shape)


def exact(links: Sequence[Matrix]) -> Float[np.ndarray, " neurons"]:
    """s^2 + sum w^2 + 2 sum w s over the undirected network, output layer included; of its input and hidden neurons.

    Source: Heath 2021, eqs. 1 to 4; Qi et al. 2012. Cost: six passes over the weights.
    """
    ones = [np.ones(size) for size in (links[0].shape[1], *(link.shape[0] for link in links))]
    strength = _from_both_sides(links, ones)
    squares = _from_both_sides([squared(link) for link in links], ones)
    around = _from_both_sides(links, strength)
    values = [s**2 + q + 2 * a for s, q, a in zip(strength, squares, around, strict=True)]
    return np.concatenate(values[:-1])


def _from_both_sides(links: Sequence[Matrix], values: Sequence[np.ndarray]) -> list[np.ndarray]:
    """For each layer, the sum over its neighbours of weight times their value."""
    sums = [np.zeros_like(value) for value in values]
    for i, link in enumerate(links):
        sums[i + 1] += link @ values[i]
        sums[i] += link.T @ values[i + 1]
    return sums


def variant(links: Sequence[Matrix]) -> Float[np.ndarray, " neurons"]:
    """What CenSET's code computes: trunc(s_out)^2 + sum over out-links of w (w + 2 s_out of the far end).

    On the directed graph of all links but the one into the output layer; neurons without out-links in it get 0.
    """
    starts = [0, *accumulate(link.shape[1] for link in links)]
    blocks = [(starts[i], starts[i + 1], link.T) for i, link in enumerate(links[:-1])]
    return _directed(blocks, starts[-1])


def released(links: Sequence[Matrix], method: str) -> Float[np.ndarray, " nodes"]:
    """The same formula on the graph that the published code built for a method, one value a node of it.

    The code of CenSET puts the links where they belong. That of SET and of the MLP passes the hidden layers' sizes in
    the place of all layers' sizes: offsets are those of a network that begins with the first hidden layer, only two
    links are put in, and where they overlap the later entry stays. For SET these are the first two links, for the MLP
    twice the first. On Fashion-MNIST the graphs have 784 and 1,040 nodes.

    Parameters
    ----------
    method
        Its name: ``"MLP"``, one that begins with ``"CenSET"``, or a sparse one that is read as SET's.

    Notes
    -----
    Source: the notebooks of the paper's repository (CenBench.ipynb, CenBench_MLP.ipynb; github.com/andrewjh9/CenBench).
    """
    if method.startswith("CenSET"):
        return variant(links)
    one, two = links[0].shape[0], links[1].shape[0]
    first, later = links[0].T, (links[0] if method == "MLP" else links[1]).T
    blocks = [(0, one, _cleared(first, later, one, two)), (one, one + two, later)]
    ends = [row + block.shape[0] for row, _, block in blocks] + [column + block.shape[1] for _, column, block in blocks]
    return _directed(blocks, max(*ends, sum(link.shape[0] for link in links[:-1])))


def _directed(blocks: Sequence[tuple[int, int, Matrix]], nodes: int) -> Float[np.ndarray, " nodes"]:
    """CenSET's formula on a directed graph, given as blocks ``(source, target)`` of its adjacency and their places."""

    def sent(values: np.ndarray, parts: Sequence[Matrix]) -> np.ndarray:
        total = np.zeros(nodes)
        for (row, column, _), part in zip(blocks, parts, strict=True):
            total[row : row + part.shape[0]] += part @ values[column : column + part.shape[1]]
        return total

    weights, ones = [block for _, _, block in blocks], np.ones(nodes)
    strength = sent(ones, weights)
    squares = sent(ones, [squared(one) for one in weights])
    return np.asarray(np.trunc(strength) ** 2 + squares + 2 * sent(strength, weights))


def _cleared(first: Matrix, later: Matrix, row: int, column: int) -> Matrix:
    """A block without the entries that a later one overwrites, which begins at a row and column of it."""
    rows, columns = min(first.shape[0] - row, later.shape[0]), min(first.shape[1] - column, later.shape[1])
    if rows <= 0 or columns <= 0:
        return first
    if isinstance(first, np.ndarray):
        left = first.copy()
        left[row : row + rows, column : column + columns][later[:rows, :columns] != 0] = 0
        return left
    window = csr_array(first)[row : row + rows, column : column + columns]
    over = csr_array(later)[:rows, :columns].astype(bool).astype(np.float64)
    lost = coo_array(window.multiply(over))
    return first - csr_array((lost.data, (lost.row + row, lost.col + column)), shape=first.shape)


def squared(link: Matrix) -> Matrix:
    """The matrix with every weight squared."""
    return np.square(link) if isinstance(link, np.ndarray) else link.multiply(link)
