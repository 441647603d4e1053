"""Networks of one architecture trained as one batch, each with a learning rate and initial scale of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from synaplex.datasets import Dataset
from synaplex.errors import TrainingError
from synaplex.networks import CNN, MLP, Kaiming
from synaplex.population.modules import TrainingSpec
from synaplex.population.modules.trainers import DenseTrainer, ModuleTrainer
from synaplex.population.optimizers import Adam, Gradient, UpdateRule
from synaplex.population.trainer import batch_order
from synaplex.studies.la_malfa_2021.grouped import GroupedTrainer

EVALUATED_AT_ONCE = 250
"""Samples a pass in an evaluation."""


class PacedAdam(UpdateRule):
    """Adam with a learning rate for each network of a batch.

    Parameters
    ----------
    rates
        One a network.
    parameters
        ``(networks, ...)`` each.
    """

    def __init__(self, rates: Float[Tensor, " networks"], parameters: Sequence[Tensor]) -> None:
        self._spec = Adam()
        self._rates = rates
        self._steps = [0] * len(parameters)
        self._gradients, self._means, self._squares = (
            [torch.zeros_like(parameter, requires_grad=False) for parameter in parameters] for _ in range(3)
        )

    def update(self, index: int, parameter: Tensor, gradient: Gradient) -> None:
        self._steps[index] += 1
        spec, step, value = self._spec, self._steps[index], self._gradients[index]
        gradient.add_to(value, 0.0, 1.0)
        mean = self._means[index].lerp_(value, 1 - spec.beta1)
        square = self._squares[index].mul_(spec.beta2).addcmul_(value, value, value=1 - spec.beta2)
        root = torch.sqrt(square, out=value).div_(math.sqrt(1 - spec.beta2**step)).add_(spec.epsilon)
        rates = self._rates.view(-1, *[1] * (parameter.ndim - 1)) / (1 - spec.beta1**step)
        parameter.sub_(torch.div(mean, root, out=root).mul_(rates))


class _PacedDense(DenseTrainer):
    def pace(self, rates: Float[Tensor, " networks"], scales: Float[Tensor, " networks"]) -> None:
        copies = len(self._chain.weights[0]) // len(rates)  # a network on its own is trained beside its copy
        for weight in self._chain.weights:
            weight.mul_(scales.repeat(copies)[:, None, None])
        self._rule = PacedAdam(rates.repeat(copies), self._chain.parameters)


class _PacedGrouped(GroupedTrainer):
    @torch.no_grad()
    def pace(self, rates: Float[Tensor, " networks"], scales: Float[Tensor, " networks"]) -> None:
        for value in self._stacked.values():
            if value.ndim > 2:
                value.mul_(scales.view(-1, *[1] * (value.ndim - 1)))
        self._rule = PacedAdam(rates, tuple(self._stacked.values()))


class Crowd:
    """Networks of one architecture, one a seed, that see the same batches.

    Weights start as He et al. (2015) draw them, times a scale of each network, and biases at zero; Adam, cross-entropy
    over classes or the mean squared error.

    Parameters
    ----------
    network
        The architecture.
    data
        What they learn.
    seeds, rates
        One a network.
    scales
        One a network, 1 by default.
    batch_size, data_seed
        Samples a step, and what decides their order.
    """

    def __init__(
        self,
        network: MLP | CNN,
        data: Dataset,
        seeds: Sequence[int],
        rates: Sequence[float],
        *,
        scales: Sequence[float] | None = None,
        batch_size: int = 100,
        data_seed: int = 0,
    ) -> None:
        spec = TrainingSpec(
            dataset=data.name,
            network=network,
            initializer=Kaiming(),
            objective="cross_entropy" if data.classes else "mean_squared_error",
            steps=0,
        )
        trainer = (_PacedDense if isinstance(network, MLP) else _PacedGrouped)(spec, seeds, "cpu")
        trainer.pace(torch.tensor(rates), torch.tensor(scales if scales is not None else [1.0] * len(seeds)))
        self._trainer: ModuleTrainer = trainer
        self._data = data
        self._batch_size, self._data_seed = batch_size, data_seed
        self._epoch = 0

    def epoch(self) -> None:
        """Train one epoch more."""
        self._epoch += 1
        x, y = self._data.x_train, self._data.y_train
        order = torch.from_numpy(batch_order(len(x), self._data_seed, self._epoch))
        for batch in torch.split(order, self._batch_size):
            self._trainer.step(x[batch], y[batch])

    def performance(self) -> dict[str, Float[np.ndarray, " networks"]]:
        """Accuracy, or R2 of a regression, on the training set (``"train"``) and on the test set (``"test"``).

        Raises
        ------
        TrainingError
            If a network has diverged.
        """
        data = self._data
        return {
            "train": self._evaluate(data.x_train, data.y_train),
            "test": self._evaluate(data.x_test, data.y_test),
        }

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """Weights and biases of each layer in turn, ``(networks, ...)``."""
        return {name: value.numpy() for name, value in self._trainer.parameters.items()}

    def _evaluate(self, x: Float[Tensor, "samples features"], y: Tensor) -> Float[np.ndarray, " networks"]:
        total: Tensor | float = 0.0
        for inputs, targets in zip(torch.split(x, EVALUATED_AT_ONCE), torch.split(y, EVALUATED_AT_ONCE), strict=True):
            score = self._trainer.score(inputs, targets)
            total = total + (score.loss if score.hits is None else score.hits).double()
        mean = torch.as_tensor(total) / len(x)
        if not bool(mean.isfinite().all()):
            raise TrainingError(f"a network on {self._data.name} has diverged: lower its learning rate")
        if self._data.classes:
            return mean.numpy()
        return (1 - mean / y.double().var(0, correction=0).mean()).numpy()
