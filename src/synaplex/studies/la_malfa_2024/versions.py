"""A network beside its null models: as it was before training, with weights shuffled, with signs flipped."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from synaplex.population.modules.snapshot import filled
from synaplex.studies.la_malfa_2024.recipe import Cell, Settings
from synaplex.studies.nulls import NULLS

VERSIONS = ("trained", "untrained", "shuffled", "flipped")
"""A trained network; the same before its first step; and trained with the weights of each link shuffled, or with
random signs. Biases stay."""

NULL_VERSIONS = VERSIONS[1:]


def version(name: str, trained: nn.Module, cell: Cell, settings: Settings, seed: int) -> nn.Module:
    """A version of a network.

    Parameters
    ----------
    name
        One of `VERSIONS`.
    trained
        The network.
    cell, settings
        What it is.
    seed
        Its seed, and that of the null model.
    """
    if name == "trained":
        return trained
    network = cell.network(settings)
    if name == "untrained":
        return network.build(seed, cell.initializer)
    generator = np.random.default_rng((seed, VERSIONS.index(name)))
    state = {
        key: value if value.ndim < 2 else _null(name, value, generator) for key, value in trained.state_dict().items()
    }
    return filled(network, state)


def _null(name: str, weight: torch.Tensor, generator: np.random.Generator) -> torch.Tensor:
    matrix = weight.flatten(1).numpy()
    return torch.from_numpy(np.ascontiguousarray(NULLS[name](matrix, generator))).view(weight.shape)
