"""Between a layer's neurons in a row and the images that a kernel slides over."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.errors import SpecificationError
from synaplex.graph.sparse import SparseLink


def per_axis(value: int | Sequence[int], axes: int) -> tuple[int, ...]:
    """One number per spatial axis, from one for all or one each."""
    values = (value,) * axes if isinstance(value, int) else tuple(value) * (axes if len(value) == 1 else 1)
    if len(values) != axes:
        raise SpecificationError(f"{value!r} must be one number or one for each of {axes} spatial axes")
    return values


def as_images(
    x: Float[Tensor, "*batch neurons"], shape: tuple[int, ...], networks: int | None
) -> Float[Tensor, "channels batch ..."]:
    """Neurons as images of one batch, the channels of all networks in a row."""
    if networks is None:
        return x.reshape(-1, *shape).movedim(0, 1)
    expanded = x.expand(*x.shape[:-2], networks, x.shape[-1])
    images = expanded.reshape(-1, networks, *shape).movedim(0, 2)
    return images.reshape(networks * shape[0], *images.shape[2:])


def as_vectors(
    images: Float[Tensor, "channels batch ..."], like: Float[Tensor, "*batch neurons"], networks: int | None
) -> Float[Tensor, "*batch2 neurons2"]:
    """The reverse, with the leading axes of `like`."""
    if networks is None:
        return images.movedim(1, 0).reshape(*like.shape[:-1], -1)
    split = images.reshape(networks, -1, *images.shape[1:]).movedim(2, 0)
    return split.reshape(*like.shape[:-2], networks, -1)


def grouped_kernel(weight: Float[Tensor, ...], groups: int, axes: int) -> Float[Tensor, "groups out in ..."]:
    """Kernels of each group of channels; networks are groups that share nothing."""
    out, *rest = weight.shape[-axes - 2 :]
    return weight.reshape(-1, out // groups, *rest)


def kernel_edges(
    kernel: Float[Tensor, "groups out in ..."],
    tables: Sequence[tuple[Tensor, Tensor]],
    in_shape: tuple[int, ...],
    out_shape: tuple[int, ...],
    networks: int | None,
) -> SparseLink:
    """The edges that a kernel makes, one by one; those of the same two neurons summed.

    Parameters
    ----------
    kernel
        As `grouped_kernel` gives it.
    tables
        Per spatial axis which input each place of the kernel reads at each position, -1 for none, and which output
        position that is.
    """
    axes, device = len(tables), kernel.device
    count = 1 if networks is None else networks
    groups = kernel.shape[0] // count
    row = column = place = torch.zeros((), dtype=torch.long)
    reads = torch.ones((), dtype=torch.bool)
    for axis, (table, positions) in enumerate(tables, 1):  # a pair of axes each: position, place of the kernel
        row = row[..., None, None] * out_shape[axis] + positions[:, None]
        column = column[..., None, None] * in_shape[axis] + table.clamp(min=0)
        place = place[..., None, None] * table.shape[1] + torch.arange(table.shape[1])
        reads = reads[..., None, None] & (table >= 0)
    row, column, place = (part.expand(reads.shape)[reads].to(device) for part in (row, column, place))
    number = torch.arange(kernel.shape[0], device=device)
    network, group = (number // groups).view(-1, 1, 1, 1), (number % groups).view(-1, 1, 1, 1)
    out = torch.arange(kernel.shape[1], device=device).view(1, -1, 1, 1)
    into = torch.arange(kernel.shape[2], device=device).view(1, 1, -1, 1)
    weight = kernel.flatten(-axes)[..., place]
    rows = (group * kernel.shape[1] + out) * math.prod(out_shape[1:]) + row
    columns = (group * kernel.shape[2] + into) * math.prod(in_shape[1:]) + column
    return SparseLink.from_edges(
        rows.expand(weight.shape).flatten(),
        columns.expand(weight.shape).flatten(),
        weight.flatten(),
        (math.prod(out_shape), math.prod(in_shape)),
        network=None if networks is None else network.expand(weight.shape).flatten(),
        networks=networks,
        source=0,
        target=0,
    )
