"""Equal slices of an image: what is computed for one holds for all of them.

The strengths of a convolutional network hardly vary within a channel: away from the borders all neurons see the
same kernels. A product with such an image needs only its distinct rows and columns, which are some ten in hundreds.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.graph.taps import progression

_SAMPLE = 8
"""Channels that are looked at first."""


def find_repeats(x: Float[Tensor, "channels ..."], axis: int) -> tuple[Tensor, Tensor] | None:
    """The equal slices of `x` along `axis`, bit by bit, never by a tolerance.

    Returns
    -------
    tuple or None
        For each place the number of its distinct slice, and a place of each distinct slice. None where no two slices
        are equal, or where channels that were not looked at first differ.

    Notes
    -----
    Cost: one pass over `x`; where nothing repeats, a look at a few channels.
    """
    size = x.shape[axis]
    if x.dtype != torch.float64 or size < 2 or not x.numel():
        return None
    x = x.detach()
    if x.stride(axis) == 0:
        return torch.zeros(size, dtype=torch.long, device=x.device), torch.zeros(1, dtype=torch.long, device=x.device)
    channels = torch.linspace(0, len(x) - 1, min(len(x), _SAMPLE), device=x.device).long()
    kinds, label = torch.unique(_keys(x[channels], axis), return_inverse=True)
    if len(kinds) == size:
        return None
    places = [(label == kind).nonzero()[:, 0] for kind in range(len(kinds))]
    if not all(_equal(x, axis, place) for place in places):
        return None
    return label, torch.stack([place[0] for place in places])


def _keys(x: Tensor, axis: int) -> Int[Tensor, " places"]:
    """A checksum of each slice, equal for equal slices in whatever order it is summed."""
    bits = x.contiguous().view(torch.int64)
    total = torch.zeros((), dtype=torch.int64, device=x.device)
    for other in range(x.ndim):
        if other != axis:
            place = torch.arange(1, x.shape[other] + 1, device=x.device) * (6364136223846793005 + 2 * other)
            total = total + place.view(-1, *[1] * (x.ndim - other - 1))
    multiplier = (total ^ (total >> 31)) | 1
    mixed = (bits ^ (bits >> 29)) * multiplier
    return mixed.sum([other for other in range(x.ndim) if other != axis])


def _equal(x: Tensor, axis: int, places: Int[Tensor, " places"]) -> bool:
    """Whether the slices at some places are the same."""
    step = progression(places)
    if step is None:
        slices = x.index_select(axis, places)
    else:
        where = slice(int(places[0]), int(places[-1]) + 1, step)
        slices = x[(slice(None),) * axis + (where,)]
    return bool((slices == slices.narrow(axis, 0, 1)).all())
