"""Flow measures by dense algebra."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from synaplex.errors import SingularLaplacianError
from synaplex.graph import Adjacency
from synaplex.measures.flow_formulas import Formula
from synaplex.measures.inverse import inverse_diagonal, inverse_diagonal_two_sides


def flow_values(
    view: Adjacency, chosen: Int[Tensor, " chosen"], formula: Formula, *, by_component: bool, collect: bool
) -> tuple[Float[Tensor, "*networks chosen"], Bool[Tensor, "*networks chosen"]]:
    """Values of some neurons of each network, and which of them have none because a Laplacian is singular.

    Parameters
    ----------
    view
        Of one network or a batch, without self-loops.
    chosen
        Neurons.
    formula
        The measure.
    by_component
        Whether networks that fall apart are measured, each component by itself; they are NaN otherwise.
    collect
        Whether singular Laplacians are told of; else the first raises.

    Raises
    ------
    SingularLaplacianError
        If the Laplacian of a network, or of a component, is singular or nearly so.

    Notes
    -----
    Cost: N m^2 + 2 m^3 for a network or a component with sides of N >= m neurons, all connected networks together;
    2 n^3 without two sides.
    """
    whole = view.connected.reshape(-1)
    strength = view.strength.reshape(len(whole), view.neurons)
    values = torch.full_like(strength, torch.nan)
    singular = torch.zeros_like(strength, dtype=torch.bool)
    wanted = torch.zeros(view.neurons, dtype=torch.bool, device=view.device)
    wanted[chosen] = True
    rows = None if formula.trace else wanted

    def fill(part: Tensor) -> None:
        values[part] = formula.of_whole(_of_connected(view, part, rows), strength[part])

    connected = whole.nonzero()[:, 0]
    try:
        if len(connected):
            fill(connected)
    except SingularLaplacianError:
        if not collect:
            raise
        for k in connected:
            try:
                fill(k[None])
            except SingularLaplacianError:
                singular[k] = True
    if by_component:
        for k in (~whole).nonzero()[:, 0].tolist():
            single = view if view.networks is None else view.network(k)
            values[k], singular[k] = _of_pieces(single, wanted, formula, collect)
    shape = (*view.batch_shape, len(chosen))
    return values[:, chosen].reshape(shape), singular[:, chosen].reshape(shape)


def _of_connected(view: Adjacency, part: Tensor, rows: Tensor | None) -> Float[Tensor, "part neurons"]:
    """Diagonal of L^+ for some networks of the batch; in the mask of rows at least, where there is one."""
    sides = view.sides
    if sides is None:
        dense = view.dense.reshape(view.networks or 1, view.neurons, view.neurons)
        return inverse_diagonal(dense if len(part) == len(dense) else dense[part])
    matrix = view.biadjacency.reshape(view.networks or 1, len(sides.large_index), len(sides.small_index))
    some = None if rows is None else rows[sides.large_index].nonzero()[:, 0]
    diagonal = inverse_diagonal_two_sides(matrix if len(part) == len(matrix) else matrix[part], some)
    ordered = torch.empty_like(diagonal)
    ordered[:, torch.cat([sides.large_index, sides.small_index])] = diagonal
    return ordered


def _of_pieces(
    view: Adjacency, wanted: Tensor, formula: Formula, collect: bool
) -> tuple[Float[Tensor, " neurons"], Bool[Tensor, " neurons"]]:
    """Values and singular neurons of a network that falls apart; components without a wanted neuron are left out."""
    labels, strength = view.components, view.strength
    values, singular = torch.full_like(strength, torch.nan), torch.zeros_like(wanted)
    sizes = torch.bincount(labels)
    alone = sizes[labels] == 1
    nothing = strength[alone, None]
    values[alone] = formula.of_whole(torch.zeros_like(nothing), nothing)[:, 0]
    there = torch.bincount(labels[wanted], minlength=len(sizes)) > 0
    measured = ((sizes > 1) & there).tolist()
    pieces = torch.split(labels.argsort(stable=True), sizes.tolist())
    place = _places(view)
    for index in (piece for piece, asked in zip(pieces, measured, strict=True) if asked):
        try:
            order, inverse = _of_piece(view, index, place, None if formula.trace else wanted)
        except SingularLaplacianError:
            if not collect:
                raise
            singular[index] = True
        else:
            values[order] = formula.of_whole(inverse, strength[order][None])[0]
    return values, singular


def _places(view: Adjacency) -> Int[Tensor, " neurons"]:
    """Of each neuron, its row of the biadjacency matrix, or -1 - its column."""
    place = torch.arange(view.neurons, device=view.device)
    if view.sides is not None:
        rows, columns = view.biadjacency.shape
        place[view.sides.large_index] = torch.arange(rows, device=view.device)
        place[view.sides.small_index] = -1 - torch.arange(columns, device=view.device)
    return place


def _of_piece(
    view: Adjacency, index: Tensor, place: Tensor, rows: Tensor | None
) -> tuple[Int[Tensor, " size"], Float[Tensor, "1 size"]]:
    """The neurons of a component in some order, and the diagonal of its L^+; in the mask of rows at least."""
    if view.sides is None:
        return index, inverse_diagonal(view.dense[index[:, None], index][None])
    first, second = index[place[index] >= 0], index[place[index] < 0]
    block = view.biadjacency[place[first][:, None], -1 - place[second]]
    if len(first) < len(second):
        block, first, second = block.mT, second, first
    some = None if rows is None else rows[first].nonzero()[:, 0]
    return torch.cat([first, second]), inverse_diagonal_two_sides(block[None], some)
