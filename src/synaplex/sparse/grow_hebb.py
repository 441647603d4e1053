"""Growth by topology alone: Cannistraci-Hebb link prediction on each layer as a bipartite graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from scipy.sparse import csr_array
from torch import Tensor

from synaplex.sparse.grow import Grow, drawn_evenly
from synaplex.sparse.grow_gradient import _largest
from synaplex.sparse.view import View

_ENTRIES = 2**22
"""Scores that are held at a time."""


class CannistraciHebb(Grow):
    """The absent connections with the highest CH2-L3n scores.

    For an absent connection of neurons u and v, every neuron z on a path of three connections between them belongs to
    their local community, and adds (1 + i_z) / (1 + e_z): i_z connections of z lead to other neurons of the community,
    e_z to neurons outside it other than u and v. Where fewer connections than asked for have such a path, the others
    are drawn at random; of equal scores those with lower numbers come first.

    Notes
    -----
    With the layer's pattern A ``(out, in)``: a target neuron z with a connection from v shares c = (A A^T)_uz sources
    with u, and these are its connections inside, so that i = c and e = deg(z) - c - 1. The sum over z is the product
    F(A A^T) A with F(c) = (1 + c) / (deg - c) where c > 0. Source neurons add the same with A^T. Cost: four sparse
    products a layer, in blocks of rows. Source: Muscoloni, Michieli, Zhang & Cannistraci 2022; Zhang et al. 2024.
    """

    name = "ch2-l3n"

    def choose(self, view: View, name: str, kept: Tensor, count: int) -> Tensor:
        layer = view.layers[name]
        if not count:
            return kept[:0]
        found = highest_scores(kept.cpu(), layer.shape, count)
        if len(found) < count:
            possible = layer.in_features * layer.out_features
            taken = torch.cat([kept.cpu(), found]).sort().values
            rest = drawn_evenly(possible, taken, count - len(found), view.generator)
            found = torch.cat([found, rest]).sort().values
        return found.to(kept.device)


def highest_scores(kept: Int[Tensor, " kept"], shape: tuple[int, int], count: int) -> Int[Tensor, " found"]:
    """The absent connections with the highest scores above 0, at most `count`, ascending."""
    out_size, in_size = shape
    row, column = kept.numpy() // in_size, kept.numpy() % in_size
    matrix = csr_array((np.ones(len(kept)), (row, column)), shape=shape)
    between_sources = _inside_over_outside((matrix.T @ matrix).tocsr(), matrix.sum(0))
    shared_by_targets: Any = matrix @ matrix.T
    degree: Any = matrix.sum(1)
    best, keys = torch.empty(0, dtype=torch.float64), torch.empty(0, dtype=torch.long)
    rows = max(1, _ENTRIES // in_size)
    for first in range(0, out_size, rows):
        last = min(out_size, first + rows)
        along_targets = _inside_over_outside(shared_by_targets[first:last].tocsr(), degree) @ matrix
        along_sources = matrix[first:last] @ between_sources.T
        block = torch.from_numpy((along_targets + along_sources).toarray().reshape(-1))
        start, stop = torch.searchsorted(kept, torch.tensor([first * in_size, last * in_size])).tolist()
        block[kept[start:stop] - first * in_size] = 0
        top = _largest(block, count)
        best = torch.cat([best, block[top]])
        keys = torch.cat([keys, top + first * in_size])
        merged = _largest(best, count)
        best, keys = best[merged], keys[merged]
    return keys[best > 0].sort().values


def _inside_over_outside(shared: Any, degree: Any) -> Any:
    """(1 + c) / (deg - c) for each pair of neurons of a layer that share c > 0 partners; degree of the second.

    Where deg = c, all partners are shared and no absent connection reads the entry: it is set to 0.
    """
    outside = degree[shared.indices] - shared.data
    value = np.divide(1 + shared.data, outside, out=np.zeros_like(shared.data), where=outside > 0)
    return csr_array((value, shared.indices, shared.indptr), shape=shared.shape)
