"""Crowd: many networks of one architecture, trained on the same batches and read as one batch of graphs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.graph import Layer, NeuralGraph
from synaplex.graph.conv import conv_link
from synaplex.graph.dense import DenseLink
from synaplex.graph.link import Link
from synaplex.networks import CNN, InitializerBase
from synaplex.population import Adam
from synaplex.population.modules import TrainingSpec
from synaplex.population.modules.trainers import ModuleTrainer, trainer
from synaplex.studies.la_malfa_2021.grouped import NARROW, GroupedTrainer
from synaplex.studies.la_malfa_2021.plan import Plan

EVALUATED_AT_ONCE = 200
"""Samples a pass in an evaluation."""


class Crowd:
    """Networks of one architecture, one a seed; biases are drawn like weights, as in the paper's released code.

    Narrow convolutional networks are trained by `GroupedTrainer`, others as `train_modules` trains them.

    Parameters
    ----------
    plan
        Of all networks.
    seeds
        One network each.
    initializer
        The distribution of the weights.
    learning_rate
        Of Adam.
    """

    def __init__(self, plan: Plan, seeds: Sequence[int], initializer: InitializerBase, learning_rate: float) -> None:
        self.plan = plan
        self.networks = len(seeds)
        self._trainer = _trainer(plan, seeds, initializer, learning_rate)

    def step(self, x: Float[Tensor, "samples features"], y: Int[Tensor, " samples"]) -> None:
        """One step of training, all networks on the same batch; the loss is cross-entropy."""
        self._trainer.step(x, y)

    def accuracy(self, x: Float[Tensor, "samples features"], y: Int[Tensor, " samples"]) -> Float[Tensor, " networks"]:
        """The share of samples that each network classifies rightly."""
        hits = torch.zeros(self.networks, dtype=torch.float64)
        for inputs, targets in zip(*(torch.split(part, EVALUATED_AT_ONCE) for part in (x, y)), strict=True):
            found = self._trainer.score(inputs, targets).hits
            assert found is not None  # they classify
            hits += found
        return hits / len(x)

    def graph(self, chosen: Sequence[int]) -> NeuralGraph:
        """Some of the networks as they are now, as a batch of graphs."""
        shapes, names = self.plan.shapes, self.plan.layer_names
        roles = ["input", *["hidden"] * (len(shapes) - 2), "output"]
        layers = tuple(
            Layer(name, shape, role)  # type: ignore[arg-type]
            for name, shape, role in zip(names, shapes, roles, strict=True)
        )
        links: list[Link] = []
        biases: dict[int, Tensor] = {}
        values = [value[list(chosen)] for value in self._trainer.parameters.values()]
        for index, (weight, bias) in enumerate(zip(values[::2], values[1::2], strict=True)):
            name = names[index + 1]
            link: Link
            if index < len(self.plan.convolutions):
                one = self.plan.convolutions[index]
                link = conv_link(weight, shapes[index], stride=one.stride, padding=one.padding, name=name)
            else:
                link = DenseLink(source=0, target=0, weight=weight, name=name)
            links.append(link.between(index, index + 1))
            positions = math.prod(shapes[index + 1][1:])
            biases[index + 1] = bias.repeat_interleave(positions, dim=1)
        return NeuralGraph(layers, tuple(links), biases)


def _trainer(plan: Plan, seeds: Sequence[int], initializer: InitializerBase, learning_rate: float) -> ModuleTrainer:
    network = plan.specification
    spec = TrainingSpec(
        dataset="images",
        network=network,
        initializer=initializer,
        biases="weights",
        optimizer=Adam(learning_rate=learning_rate),
        steps=0,
    )
    if isinstance(network, CNN) and max(network.channels) <= NARROW:
        return GroupedTrainer(spec, seeds)
    return trainer(spec, seeds)
