"""The sign of eigenvectors, by a rule that does not depend on the order of nodes."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

UNDECIDED = 1e-6
"""Share of its largest possible size up to which a sum counts as 0."""


def fixed_signs(
    vectors: Float[Tensor, "networks nodes k"], position: Float[Tensor, " nodes"]
) -> tuple[Float[Tensor, "networks nodes k"], Bool[Tensor, "networks k"]]:
    """Vectors with the sign that makes a sum positive: of v³, else of v, else of the layer position times v.

    The first of them that is not 0 decides. Sums are over all nodes: renumbering those of a layer changes nothing.

    Parameters
    ----------
    vectors
        One a column.
    position
        Of each node: 0 for the input layer to 1 for the output layer.

    Returns
    -------
    vectors
        Where no sum decides, all zero.
    decided
        Where one does.

    Examples
    --------
    >>> fixed_signs(torch.tensor([[[-0.8], [0.6]]]), torch.tensor([0.0, 1.0]))[0].flatten().tolist()
    [0.8..., -0.6...]
    """
    sign = torch.zeros_like(vectors[:, 0])
    for terms in (vectors**3, vectors, position.to(vectors)[None, :, None] * vectors):
        total, most = terms.sum(1), terms.abs().sum(1)
        decides = (sign == 0) & (total.abs() > UNDECIDED * most)
        sign = torch.where(decides, total.sign(), sign)
    return vectors * sign[:, None], sign != 0
