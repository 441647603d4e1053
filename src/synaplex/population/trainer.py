"""Training the networks of one chunk together, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from synaplex.datasets import Dataset
from synaplex.errors import SpecificationError
from synaplex.networks import initial_weights
from synaplex.population.chain import DenseChain
from synaplex.population.objectives import OBJECTIVES, Objective, mean_squared_error
from synaplex.population.specification import PopulationSpec

EVALUATION_BATCH = 512
"""Samples a pass in an evaluation; the same for every chunk, so that sums are taken in the same order."""


@dataclass(frozen=True)
class EpochScores:
    """How each network did in one epoch; accuracies are None for a regression.

    Attributes
    ----------
    train_loss, train_accuracy
        Mean over the samples of the epoch, each scored just before the step that its batch makes, as Keras
        reports them; for epoch 0 the untrained network over the training set.
    test_loss, test_accuracy
        Over the test set, after the epoch.
    finite
        Whether losses and weights are all finite numbers: the network has not diverged.
    """

    train_loss: Float[Tensor, " networks"]
    train_accuracy: Float[Tensor, " networks"] | None
    test_loss: Float[Tensor, " networks"]
    test_accuracy: Float[Tensor, " networks"] | None
    finite: Bool[Tensor, " networks"]


class Trainer:
    """Networks of one specification, one a seed, trained as one batch.

    Each network is a function of the specification and its own seed; the others in the batch do not enter
    into its numbers.

    Parameters
    ----------
    spec
        What to train.
    dataset
        Of the inputs and outputs of the network, already cut to the sizes in `spec`.
    seeds
        One network each.
    device
        Where to train.

    Raises
    ------
    SpecificationError
        If the network does not fit the dataset.
    """

    def __init__(
        self,
        spec: PopulationSpec,
        dataset: Dataset,
        seeds: Sequence[int],
        device: torch.device | str = "cpu",
    ) -> None:
        check_fit(spec, dataset)
        self._spec = spec
        self._networks = len(seeds)
        # A batched product of one matrix takes another road than one of several, and rounds otherwise. So a
        # network on its own is trained beside a copy of itself: the same, bit by bit, as in a larger batch.
        copies = 2 if len(seeds) == 1 else 1
        drawn = initial_weights(spec.network.widths, seeds, spec.initializer, shared_stream=spec.shared_stream)
        weights = tuple(w.repeat(copies, 1, 1).to(device, spec.torch_dtype) for w in drawn)
        biases = tuple(w.new_zeros(*w.shape[:2], 1) for w in weights) if spec.network.bias else ()
        self._chain = DenseChain(weights, biases, spec.network.activation)
        self._rule = spec.optimizer.rule(self._chain.parameters)
        self._objective: Objective = OBJECTIVES[spec.loss] if dataset.classes else mean_squared_error
        self._train, self._test = (
            (
                x.to(device, spec.torch_dtype),
                y.to(device, spec.torch_dtype if y.is_floating_point() else None),
            )
            for x, y in ((dataset.x_train, dataset.y_train), (dataset.x_test, dataset.y_test))
        )
        self._epoch = 0

    @property
    def weights(self) -> list[Float[Tensor, "networks _out _in"]]:
        """The weights as they are now, not copied."""
        return [weight[: self._networks] for weight in self._chain.weights]

    @property
    def biases(self) -> list[Float[Tensor, "networks _out"]]:
        """The biases as they are now, not copied; empty where the networks have none."""
        return [bias[: self._networks, :, 0] for bias in self._chain.biases]

    def untrained(self) -> EpochScores:
        """Scores of the untrained networks, epoch 0."""
        return self._scores(*self._evaluate(*self._train))

    def epoch(self) -> EpochScores:
        """Train one more epoch."""
        self._epoch += 1
        x, y = self._train
        order = torch.as_tensor(batch_order(len(x), self._spec.data_seed, self._epoch), device=x.device)
        total = _Total(len(self._chain.weights[0]), x.device)
        for batch in torch.split(order, self._spec.batch_size):
            inputs = x.index_select(0, batch)
            layers = self._chain.forward(inputs)
            score = self._objective(layers[-1], y.index_select(0, batch))
            total.add(score.loss, score.hits)
            self._chain.step(inputs, layers, score.delta, self._rule)
        return self._scores(*total.means(len(x)))

    def _evaluate(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor | None]:
        total = _Total(len(self._chain.weights[0]), x.device)
        for inputs, targets in zip(*(torch.split(part, EVALUATION_BATCH) for part in (x, y)), strict=True):
            score = self._objective(self._chain.forward(inputs)[-1], targets)
            total.add(score.loss, score.hits)
        return total.means(len(x))

    def _scores(self, train_loss: Tensor, train_accuracy: Tensor | None) -> EpochScores:
        test_loss, test_accuracy = self._evaluate(*self._test)
        finite = torch.isfinite(train_loss) & torch.isfinite(test_loss)
        for parameter in self._chain.parameters:
            # Both extremes are finite where every entry is; a sum in float64 would copy the weights first.
            finite &= torch.isfinite(parameter.amax((1, 2))) & torch.isfinite(parameter.amin((1, 2)))
        cut = slice(self._networks)
        return EpochScores(
            train_loss[cut],
            None if train_accuracy is None else train_accuracy[cut],
            test_loss[cut],
            None if test_accuracy is None else test_accuracy[cut],
            finite[cut],
        )


class _Total:
    """Sums of losses and hits over batches, in float64."""

    def __init__(self, networks: int, device: torch.device) -> None:
        self._loss = torch.zeros(networks, dtype=torch.float64, device=device)
        self._hits: Int[Tensor, " networks"] | None = None

    def add(self, loss: Tensor, hits: Tensor | None) -> None:
        self._loss += loss
        if hits is not None:
            self._hits = hits if self._hits is None else self._hits + hits

    def means(self, samples: int) -> tuple[Tensor, Tensor | None]:
        return self._loss / samples, None if self._hits is None else self._hits.double() / samples


def batch_order(samples: int, data_seed: int, epoch: int) -> Int[np.ndarray, " samples"]:
    """The order in which all networks see the samples in an epoch, the first being epoch 1."""
    return np.random.default_rng((data_seed, epoch)).permutation(samples)


def check_fit(spec: PopulationSpec, dataset: Dataset) -> None:
    """Raise `SpecificationError` where network and dataset do not fit."""
    if spec.network.inputs != dataset.features or spec.network.outputs != dataset.outputs:
        raise SpecificationError(
            f"the network {spec.network} does not fit {dataset!r}: "
            f"it needs {dataset.features} inputs and {dataset.outputs} outputs"
        )
