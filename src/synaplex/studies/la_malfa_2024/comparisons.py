"""Numbers of each network that a claim rests on: of one layer, or of a layer beside other layers and cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from synaplex.studies.la_malfa_2024.population import Observed
from synaplex.studies.la_malfa_2024.recipe import KINDS, Cell
from synaplex.studies.shape import distance

Observations = Mapping[Cell, Observed]

Numbers = Callable[[Observations, Cell, int, str], np.ndarray]
"""A number of each network of a cell, for a layer and a version; empty where there is none."""

SHALLOW, DEEP = 3, 7
"""Depths that the paper compares."""

MATCHES = {3: 1, 6: 2}
"""Layers of the deep network and those of the shallow one that they are said to match; the paper counts from 1."""

NONE: np.ndarray = np.empty(0)


def of(quantity: str) -> Numbers:
    """A number of the layer itself."""
    return lambda field, cell, layer, name: field[cell].number(quantity, layer, name)


def kurtosis_gap(field: Observations, cell: Cell, layer: int, name: str) -> np.ndarray:
    """Kurtosis of Neurons Strength less that of Nodes Strength."""
    one = field[cell]
    return np.asarray(one.number("kurtosis", layer, name) - one.number("node kurtosis", layer, name))


def pooled(field: Observations, cell: Cell, layer: int, name: str) -> np.ndarray:
    """Correlation of Nodes Strength with Neurons Strength over all neurons, steps and inputs, none averaged.

    The inputs' own spread counts as noise: it is the correlation with the means, times the spread of the means over
    that of all values.
    """
    one = field[cell]
    means = one.neurons("strength", layer, name).std(axis=1)
    return np.asarray(one.number("node-strength", layer, name) * means / one.number("deviation", layer, name))


def beyond(quantity: str, own: Callable[[np.ndarray], np.ndarray], *, activation: str | None = None) -> Numbers:
    """A number of a cell's first hidden layer, less the `own` (largest or smallest) of the other kinds of network.

    Only networks of three layers are compared; network i of one kind with network i of the others.

    Parameters
    ----------
    quantity
        The number.
    own
        ``numpy.max`` or ``numpy.min`` over the first axis, by other kinds.
    activation
        Only cells of this activation.
    """

    def numbers(field: Observations, cell: Cell, layer: int, name: str) -> np.ndarray:
        others = [field.get(replace(cell, kind=kind)) for kind in KINDS if kind != cell.kind]
        known = [one.number(quantity, 1, name) for one in others if one is not None]
        if layer != 1 or not known or (activation is not None and cell.activation != activation):
            return NONE
        mine = field[cell].number(quantity, 1, name)
        count = min(len(mine), *(len(one) for one in known))
        return np.asarray(mine[:count] - own(np.stack([one[:count] for one in known])))

    return numbers


def depth_distance(what: str) -> Numbers:
    """Wasserstein distance between a layer of a deep network and the one of a shallow network that it should match.

    In standard deviations of both; ``what`` is ``"strength"`` or ``"activation"``. Network i of one cell is compared
    with network i of the other.
    """

    def numbers(field: Observations, cell: Cell, layer: int, name: str) -> np.ndarray:
        shallow = field.get(replace(cell, depth=SHALLOW))
        if cell.depth != DEEP or layer not in MATCHES or shallow is None:
            return NONE
        return layer_distances(field[cell], layer, shallow, MATCHES[layer], what, name)

    return numbers


def nearest(field: Observations, cell: Cell, layer: int, name: str) -> np.ndarray:
    """How much farther from layer 2 of a shallow network layer 4 of a deep one is than the nearest other hidden one."""
    shallow = field.get(replace(cell, depth=SHALLOW))
    if cell.depth != DEEP or layer != 3 or shallow is None:
        return NONE
    hidden = [one for one in field[cell].layers if one < field[cell].layers[-1] and one != layer]
    others = [layer_distances(field[cell], one, shallow, 1, "strength", name) for one in hidden]
    return np.asarray(layer_distances(field[cell], layer, shallow, 1, "strength", name) - np.min(others, axis=0))


def layer_distances(
    first: Observed, layer: int, second: Observed, other: int, what: str = "strength", name: str = "trained"
) -> Float[np.ndarray, " networks"]:
    """Wasserstein distances between layers of two cells, network by network."""
    pick = Observed.values if what == "strength" else Observed.bent
    pairs = zip(pick(first, layer, name), pick(second, other, name), strict=False)
    return np.array([distance(one, two) for one, two in pairs])


def chance_distances(one: Observed, layer: int, what: str = "strength", name: str = "trained") -> np.ndarray:
    """The same between networks of one cell, each with the next."""
    values = one.values(layer, name) if what == "strength" else one.bent(layer, name)
    return np.array([distance(mine, other) for mine, other in zip(values, np.roll(values, 1, axis=0), strict=True)])


def central_share(heat: Float[np.ndarray, "*networks steps features"], rows: int) -> np.ndarray:
    """Share of |heat| in the middle quarter of the image: half of its rows, and half of the pixels of each.

    Parameters
    ----------
    heat
        A row of the image a step; of several channels side by side.
    rows
        Pixels of a row: features beyond them belong to further channels.
    """
    image = as_image(np.abs(heat), rows)
    steps, width = image.shape[-2:]
    middle = image[..., steps // 4 : steps - steps // 4, width // 4 : width - width // 4]
    return np.asarray(middle.sum((-1, -2)) / image.sum((-1, -2)))


def as_image(
    heat: Float[np.ndarray, "*networks steps features"], rows: int
) -> Float[np.ndarray, "*networks steps rows"]:
    """The heat of the pixels, channels added."""
    return np.asarray(heat.reshape(*heat.shape[:-1], -1, rows).sum(-2))


def region(field: Observations, cell: Cell, layer: int, name: str) -> np.ndarray:
    """How much more of the heat map lies in the middle of the image than of the input itself."""
    arrays = field[cell].arrays
    if f"{name}/heat" not in arrays or layer != 1:
        return NONE
    heat = arrays[f"{name}/heat"]
    side = heat.shape[1]  # images are square, so a row has as many pixels as there are steps
    return np.asarray(central_share(heat, side) - central_share(arrays[f"{name}/image"], side))


def deeper(field: Observations, cell: Cell, layer: int, name: str) -> np.ndarray:
    """How much better a deep network does than a shallow one."""
    shallow = field.get(replace(cell, depth=SHALLOW))
    if cell.depth == SHALLOW or layer != 1 or name != "trained" or shallow is None:
        return NONE
    mine, other = field[cell].performance, shallow.performance
    count = min(len(mine), len(other))
    gain = mine[:count] - other[:count]
    return np.asarray(gain if cell.classifies else -gain)


def best(field: Observations, cell: Cell, layer: int, name: str) -> np.ndarray:
    """How much more accurate a kind of network is than the best other kind that classifies."""
    if layer != 1 or name != "trained":
        return NONE
    others = [field.get(replace(cell, kind=kind)) for kind in KINDS if kind not in (cell.kind, "autoencoder")]
    known = [one.performance for one in others if one is not None]
    if not known:
        return NONE
    count = min(len(field[cell].performance), *(len(one) for one in known))
    return np.asarray(field[cell].performance[:count] - np.max([one[:count] for one in known], axis=0))


def narrowing(field: Observations, cell: Cell, layer: int, name: str) -> np.ndarray:
    """Dimensions of the middle layer's activations, less those of the layer with the fewest others."""
    one = field[cell]
    if layer != cell.depth // 2 or name != "trained" or len(one.layers) < 2:
        return NONE
    others = np.min([one.number("dimension", other) for other in one.layers if other != layer], axis=0)
    return np.asarray(one.number("dimension", layer) - others)


def relu_reach(field: Observations, cell: Cell, layer: int, name: str) -> np.ndarray:
    """How much farther below the median the lowest hundredth of a ReLU layer lies than that of a sigmoid layer."""
    other = field.get(replace(cell, activation="sigmoid"))
    if cell.activation != "relu" or other is None:
        return NONE
    mine, theirs = field[cell].number("reach", layer, name), other.number("reach", layer, name)
    count = min(len(mine), len(theirs))
    return np.asarray(mine[:count] - theirs[:count])
