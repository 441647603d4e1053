"""From the numbers of neurons to links: who stands where in a layer, and how one layer feeds another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.graph.diagonal import DiagonalLink
from synaplex.graph.fold import FoldLink
from synaplex.graph.gain import GainLink
from synaplex.graph.identity import IdentityLink
from synaplex.graph.link import Link
from synaplex.graph.select import SelectLink
from synaplex.graph.sparse import SparseLink
from synaplex.graph.tracing.assembly import Assembly
from synaplex.graph.tracing.axis import Axis, Use
from synaplex.graph.tracing.draft import Draft
from synaplex.graph.tracing.signal import NONE, Signal, condensed
from synaplex.graph.transposed import TransposedLink


def order_in(ids: Int[Tensor, ...], draft: Draft) -> tuple[int, ...] | None:
    """How to permute a tensor of numbers so that it lists a whole layer in order; None where it does not.

    A tensor of no dimension lists a layer of one neuron.
    """
    if ids.numel() != draft.size:
        return None
    origin = int(ids[(0,) * ids.ndim])
    steps = [
        int(ids[tuple(int(axis == other) for other in range(ids.ndim))]) - origin if size > 1 else 0
        for axis, size in enumerate(ids.shape)
    ]
    order = tuple(sorted(range(ids.ndim), key=lambda axis: -steps[axis]))
    listed = ids.permute(order).reshape(-1)
    return order if torch.equal(listed, draft.ids.view(-1)) else None


def owners(ids: Int[Tensor, ...], signal: Signal, assembly: Assembly) -> list[Draft]:
    """The layers that numbers belong to, in order of their numbers."""
    found: dict[Draft, None] = {}
    flat = ids[ids != NONE]
    while flat.numel():
        draft = assembly.owner(int(flat.min()))
        found[draft] = None
        if len(signal.drafts) == 1:
            break
        flat = flat[flat >= draft.base + draft.size]
    return list(found)


def axis_of(assembly: Assembly, signal: Signal, axis: int) -> list[Axis]:
    """The dimensions of layers that an axis of a tensor runs along."""
    ids = signal.ids
    if ids.shape[axis] < 2 or ids.stride(axis) == 0:
        return []
    line = ids.movedim(axis, -1).reshape(-1, ids.shape[axis])
    line = line[(line != NONE).sum(1).argmax()]
    found = []
    for draft in owners(line, signal, assembly):
        own = line[(line >= draft.base) & (line < draft.base + draft.size)] - draft.base
        places = torch.unravel_index(own, draft.shape)
        found += [one for one, place in zip(draft.axes, places, strict=True) if bool((place != place[0]).any())]
    return found


def dimension(assembly: Assembly, signal: Signal, axis: int) -> Axis:
    """The dimension that an axis of a tensor is; a new one where neurons do not differ along it."""
    return Axis.merged(axis_of(assembly, signal, axis))


def mark(assembly: Assembly, signal: Signal, axes: Sequence[int], use: Use) -> None:
    """Note a use of the dimensions that some axes of a tensor run along."""
    for axis in axes:
        for one in axis_of(assembly, signal, axis % signal.ids.ndim):
            one.mark(use)


def layer_like(assembly: Assembly, name: str, shape: Sequence[int], axes: Sequence[int], *read: Signal) -> Draft:
    """A new layer for a tensor of the given shape, whose neurons differ along the given axes, as those it reads do."""
    joined = [dimension(assembly, read[0], axis) for axis in axes]
    for signal in read[1:]:
        for axis, known in zip(axes, joined, strict=True):
            known.join(dimension(assembly, signal, axis))
    return assembly.add_layer(name, [shape[axis] for axis in axes], joined)


def join_axes(assembly: Assembly, draft: Draft, axes: Sequence[int], order: Sequence[int], signal: Signal) -> None:
    """Note that a layer's dimensions are those of a signal that is added to it.

    The layer is a tensor's axes `axes` in the order `order`, and the signal has that tensor's shape.
    """
    for place, one in enumerate(order):
        if place < len(draft.axes):
            draft.axes[place].join(dimension(assembly, signal, axes[one]))


def feed(
    assembly: Assembly,
    target: Draft,
    ids: Int[Tensor, " target"],
    signal: Signal,
    weight: float | Tensor = 1.0,
    name: str = "",
) -> list[Draft]:
    """Feed each neuron of a layer from one neuron; returns the layers that feed it.

    Parameters
    ----------
    ids
        The neuron that each neuron of `target` reads, in its order.
    signal
        Where these come from.
    weight
        Of every edge, or one an edge.
    """
    sources = owners(ids, signal, assembly)
    for source in sources:
        own = (ids >= source.base) & (ids < source.base + source.size)
        index = torch.where(own, ids - source.base, -1)
        target.incoming.append((source, _one_to_one(assembly, index, source.size, weight, name)))
    return sources


def _one_to_one(assembly: Assembly, index: Tensor, size: int, weight: float | Tensor, name: str) -> Link:
    device = assembly.device
    if isinstance(weight, Tensor) and weight.is_meta:
        return _without_values(index, size, name)
    whole = len(index) == size and torch.equal(index, torch.arange(size))
    if isinstance(weight, float):
        scale = torch.tensor(weight, dtype=torch.float64, device=device)
        if whole:
            return IdentityLink(source=0, target=0, name=name, size=size, scale=scale)
        place = (index >= 0).nonzero()[:, 0]
        if size < len(index) and len(place) <= size:
            back = torch.full((size,), -1).index_put((index[place],), place)
            if int((back >= 0).sum()) == len(place):  # no source feeds two targets
                turned = SelectLink(source=0, target=0, name=name, index=back, size=len(index), scale=scale)
                return TransposedLink.of(turned)
        return SelectLink(source=0, target=0, name=name, index=index, size=size, scale=scale)
    if whole:
        return DiagonalLink(source=0, target=0, name=name, gain=weight.to(device))
    place = (index >= 0).nonzero()[:, 0].to(device)
    return SparseLink.from_edges(
        place, index.to(device)[place], weight.to(device)[place], (len(index), size), source=0, target=0, name=name
    )


def _without_values(index: Tensor, size: int, name: str) -> Link:
    """A diagonal or, where it takes edges one by one, their places alone: there are no values to drop zeros by."""
    if len(index) == size and torch.equal(index, torch.arange(size)):
        return DiagonalLink(source=0, target=0, name=name, gain=torch.empty(size, device="meta"))
    place = (index >= 0).nonzero()[:, 0]
    shape = (len(index), size)
    return SparseLink.from_edges(place, index[place], torch.ones(len(place)), shape, source=0, target=0, name=name)


def weigh(
    assembly: Assembly,
    target: Draft,
    ids: Int[Tensor, "target sources"],
    signal: Signal,
    weight: Float[Tensor, "target sources"],
    name: str,
) -> list[Draft]:
    """Feed each neuron of a layer from several neurons, every edge with a weight of its own; returns what feeds it."""
    sources = owners(ids, signal, assembly)
    for source in sources:
        local = (ids - source.base).to(assembly.device)
        row, column = ((local >= 0) & (local < source.size)).nonzero(as_tuple=True)
        edges = local[row, column], weight.to(assembly.device)[row, column]
        link = SparseLink.from_edges(row, *edges, (target.size, source.size), source=0, target=0, name=name)
        target.incoming.append((source, link))
    return sources


def gather(
    assembly: Assembly, target: Draft, ids: Int[Tensor, "target sources"], signal: Signal, weight: float
) -> None:
    """Feed each neuron of a layer from several neurons, all edges with the same weight."""
    if ids.shape[1] == 1:
        feed(assembly, target, ids[:, 0], signal, weight)
        return
    scale = torch.tensor(weight, dtype=torch.float64, device=assembly.device)
    for source in owners(ids, signal, assembly):
        local = ids - source.base
        row, column = ((local >= 0) & (local < source.size)).nonzero(as_tuple=True)
        index = local[row, column]
        if ids.numel() == source.size and torch.equal(index, torch.arange(source.size)):
            link: Link = FoldLink(source=0, target=0, outer=ids.shape[0], positions=ids.shape[1], inner=1, scale=scale)
        elif len(torch.bincount(index).nonzero()) == len(index):  # no source feeds two targets
            back = torch.full((source.size,), -1).index_put((index,), row)
            link = TransposedLink.of(SelectLink(source=0, target=0, index=back, size=target.size, scale=scale))
        else:
            link = SparseLink.from_edges(
                row.to(assembly.device),
                index.to(assembly.device),
                scale.expand(len(row)),
                (target.size, source.size),
                source=0,
                target=0,
            )
        target.incoming.append((source, link))


def settled(assembly: Assembly, signal: Signal, name: str) -> Signal:
    """A signal that carries no factor, for weights to read.

    A number that multiplies plain sums makes a layer of its own; one that multiplies what an activation function gave
    is part of that function.
    """
    if isinstance(signal.scale, float) and (signal.scale == 1.0 or not signal.linear):
        return replace(signal, scale=1.0)
    axes = signal.axes
    return copied(assembly, signal, axes, name, signal.weight(axes))


def copied(assembly: Assembly, signal: Signal, axes: Sequence[int], name: str, weight: float | Tensor = 1.0) -> Signal:
    """The same activations as a layer of their own, with the dimensions of the tensor's given axes."""
    plain = isinstance(weight, float) and weight == 1.0
    for ids, known, made in assembly.copies if plain else ():
        if ids is signal.ids and known == tuple(axes):
            return made
    draft = layer_like(assembly, name, signal.shape, axes, signal)
    feed(assembly, draft, condensed(signal.ids, axes).reshape(-1), signal, weight)
    made = assembly.signal(draft, axes, signal.shape)
    if plain:  # queries, keys and values read the same rearranged activations, one after the other
        assembly.copies = [*assembly.copies[-2:], (signal.ids, tuple(axes), made)]
    return made


def diagonal(gain: Tensor, shape: Sequence[int], name: str) -> Link:
    """A gain a neuron as the link that stores it once: `gain` broadcasts to a layer's shape."""
    gain = gain.expand(tuple(shape))
    differ = [axis for axis, size in enumerate(shape) if size > 1 and gain.stride(axis) != 0]
    if not differ:
        scale = gain[(0,) * gain.ndim]
        return IdentityLink(source=0, target=0, name=name, size=math.prod(shape), scale=scale)
    first, last = differ[0], differ[-1]
    vector = condensed(gain, range(first, last + 1)).reshape(-1)
    outer, inner = math.prod(shape[:first]), math.prod(shape[last + 1 :])
    return GainLink(source=0, target=0, name=name, gain=vector, outer=outer, inner=inner)
