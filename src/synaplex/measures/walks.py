"""Subgraph centrality of graphs of any size, with bounds of its error."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.graph import Adjacency
from synaplex.measures.bounds import Bound
from synaplex.measures.compressed import compressed
from synaplex.measures.extremes import FAILURE
from synaplex.measures.leading import leading_part
from synaplex.measures.limits import check_work
from synaplex.measures.quadrature import log_diagonal_exponential

_PIECES = 8
_STEPS = 20


def log_subgraph_bounds(
    view: Adjacency, chosen: Int[Tensor, " chosen"], tolerance: float
) -> tuple[Float[Tensor, "*networks chosen"], Bound]:
    """Logarithms of (e^A)_ii for some neurons of each network, and how far they may be off.

    First for all neurons at once by the leading eigenvector of each large component; then, for neurons of which that
    does not say enough, by Lanczos quadrature from each.

    Parameters
    ----------
    view
        Of one network or a batch.
    chosen
        Neurons.
    tolerance
        How far logarithms may be off.

    Raises
    ------
    GraphTooLargeError
        If so many neurons would need a quadrature of their own that it would take hours.
    """
    rows = [_of_one(single, chosen, tolerance) for single in view.singles()]
    shape = (*view.batch_shape, len(chosen))
    values = torch.stack([value for value, _, _ in rows]).reshape(shape)
    errors = torch.stack([error for _, error, _ in rows]).reshape(shape)
    methods = dict.fromkeys(method for _, _, method in rows)
    return values, Bound(errors, max(0.0, 1 - 2 * FAILURE * len(rows)), "; ".join(methods))


def _of_one(view: Adjacency, chosen: Tensor, tolerance: float) -> tuple[Tensor, Tensor, str]:
    values = torch.zeros(view.neurons, dtype=torch.float64, device=view.device)
    errors = torch.where(view.degree == 0, 0.0, torch.inf)
    fast, labels = compressed(view), view.components
    sizes = torch.bincount(labels[chosen], minlength=1)
    for piece in sizes.topk(min(_PIECES, len(sizes))).indices.tolist():
        inside = labels == piece
        if int(inside.sum()) > 1 and bool(sizes[piece] > 0):
            shared, error = leading_part(fast, inside)
            values, errors = torch.where(inside, shared, values), torch.where(inside, error, errors)
    method = ["leading eigenvector"]
    left = torch.unique(chosen[errors[chosen] > tolerance])
    if len(left):
        check_work("subgraph_centrality", len(left), _STEPS, sum(link.edge_count for link in fast.links))
        values[left], errors[left], steps = log_diagonal_exponential(fast, left, tolerance)
        method.append(f"Lanczos quadrature of {steps} steps for {len(left):,} neurons")
    return values[chosen], errors[chosen], ", ".join(method)
