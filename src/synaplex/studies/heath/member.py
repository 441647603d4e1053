"""Member: one network of a group with its rules, its optimiser's state, and what was seen of it so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from synaplex.sparse import Evolution, SparseLinear
from synaplex.sparse.rules import drop_rule
from synaplex.sparse.topologies import erdos_renyi, random_keys
from synaplex.studies.heath.budget import BUDGETED, LeastCentral
from synaplex.studies.heath.recipe import Hyper, Method, Recipe
from synaplex.studies.heath.srelu import first_slopes


@dataclass(eq=False)
class Member:
    """A network in training.

    Attributes
    ----------
    method
        How it is trained.
    model
        Its linear layers with ReLU between them: what rules and measures read. Training itself computes them for all
        members of a group at once, with the recipe's activation.
    slopes
        Parameters of SReLU of each hidden layer; none with ReLU.
    optimizer
        Holds its momentum from one epoch to the next.
    evolution
        Its rules; None of a dense network.
    rows
        What was seen after each epoch.
    snapshots
        Centralities of all neurons, ``VERSION/EPOCH``.
    hubs
        How unequal they are beside null models, rows of a table.
    lost
        The epoch in which its loss was no number any more; None while it goes on.
    """

    method: Method
    model: nn.Sequential
    slopes: list[nn.Parameter]
    optimizer: torch.optim.SGD
    evolution: Evolution | None
    rows: list[dict[str, Any]] = field(default_factory=list)
    snapshots: dict[str, np.ndarray] = field(default_factory=dict)
    hubs: list[dict[str, Any]] = field(default_factory=list)
    lost: int | None = None

    @property
    def links(self) -> list[Any]:
        """Its linear layers in their order."""
        return [one for one in self.model if isinstance(one, SparseLinear | nn.Linear)]

    def parameters(self) -> dict[str, nn.Parameter]:
        """Everything that is trained: ``weight.0``, ``bias.0``, ``slopes.0``, ..."""
        found: dict[str, nn.Parameter] = {}
        for i, link in enumerate(self.links):
            found |= {f"weight.{i}": link.weight, f"bias.{i}": link.bias}
        return found | {f"slopes.{i}": one for i, one in enumerate(self.slopes)}

    def momentum(self, parameter: nn.Parameter) -> Tensor | None:
        """What the optimiser remembers of a parameter."""
        found: Tensor | None = self.optimizer.state.get(parameter, {}).get("momentum_buffer")
        return found

    def keep(self, parameter: nn.Parameter, value: Tensor, momentum: Tensor | None) -> None:
        """Take up values and momentum of a parameter."""
        with torch.no_grad():
            parameter.copy_(value)
        if momentum is not None:
            self.optimizer.state[parameter]["momentum_buffer"] = momentum.clone()


def make_member(
    method: Method, widths: Sequence[int], recipe: Recipe, hyper: Hyper, seed: int, epochs: int, device: torch.device
) -> Member:
    """A network before training.

    Sparse members of one seed have the same first connections and weights: only their rules differ. Weights are drawn
    by Glorot's uniform rule for the full matrix, biases are 0.
    """
    generator = torch.Generator().manual_seed(seed)
    shapes = [(after, before) for before, after in pairwise(widths)]
    parts: list[nn.Module] = []
    for shape, density in zip(shapes[:-1], erdos_renyi(shapes[:-1], hyper.epsilon), strict=True):
        keys = random_keys(shape, density, generator)
        sparse = SparseLinear(shape[1], shape[0], keys, generator=generator)
        parts += [_linear(shape, generator) if method.dense else sparse, nn.ReLU()]
    model = nn.Sequential(*parts, _linear(shapes[-1], generator)).to(device)
    slopes = [first_slopes(size, generator) for size in widths[1:-1]] if recipe.activation == "srelu" else []
    kept = [nn.Parameter(one.to(device)) for one in slopes]
    optimizer = torch.optim.SGD([*model.parameters(), *kept], lr=hyper.learning_rate, momentum=hyper.momentum)
    return Member(method, model, kept, optimizer, _evolution(method, model, optimizer, recipe, seed, epochs))


def _linear(shape: tuple[int, int], generator: torch.Generator) -> nn.Linear:
    """A dense layer with weights by Glorot's uniform rule, drawn without the global random state."""
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, shape[1], shape[0])  # type: ignore[no-untyped-call]
    limit = math.sqrt(6 / sum(shape))
    with torch.no_grad():
        layer.weight.copy_((2 * torch.rand(shape, generator=generator, dtype=torch.float64) - 1) * limit)
        layer.bias.zero_()
    return layer


def _evolution(
    method: Method, model: nn.Module, optimizer: torch.optim.SGD, recipe: Recipe, seed: int, epochs: int
) -> Evolution | None:
    if method.dense:
        return None
    name, _, rest = method.drop.partition(":")
    return Evolution(
        model,
        optimizer,
        drop=LeastCentral.from_text(rest) if name == BUDGETED else drop_rule(method.drop),
        grow=method.grow,
        schedule=f"epoch+until:{epochs}" if method.evolves else "never",
        values=recipe.values,
        seed=seed,
    )
