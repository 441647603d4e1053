"""PopulationSpec: what a population is. Seeds, chunks and machines are no part of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import torch
from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveInt,
    field_validator,
    model_validator,
)

from synaplex.networks import MLP, Architecture, Initializer, Specification, Uniform
from synaplex.population.optimizers import SGD, Optimizer
from synaplex.population.snapshots import Option, spell_out

_EVERY_EPOCH: tuple[int, ...] = (-1,)


class PopulationSpec(Specification):
    """The identity of a population: two runs with equal specifications train the same networks.

    Attributes
    ----------
    dataset
        Name of the dataset.
    network
        The architecture that all networks share.
    initializer
        How untrained weights are drawn; an initializer or its name.
    shared_stream
        Whether all layers of a network start from the same random sequence; see
        `synaplex.networks.initial_weights`.
    optimizer
        An optimizer or its name.
    loss
        Over classes: ``"cross_entropy"``, or ``"clipped_cross_entropy"``, as Keras 2.2 computes it after a softmax
        layer; see `synaplex.population.objectives`. A regression minimizes the mean squared error.
    epochs
        Passes over the training set; 0 leaves the networks untrained.
    batch_size
        Samples a step. The last batch of an epoch holds what is left over.
    data_seed
        Decides the order of the samples in each epoch, the same for all networks.
    train_size, test_size
        Only the first so many samples; all by default.
    measures
        What is measured of each hidden neuron: the name of a preset, a measure or several, or measures with
        options as `synaplex.measure` takes them; nothing by default. Kept with every option spelled out, and
        subgraph centrality as its logarithm, `log_subgraph_centrality`.
    snapshots
        The epochs after which neurons are measured, 0 being the untrained network; every one by default.
        Empty where there is nothing to measure.
    dtype
        Precision of the training.
    """

    dataset: str
    network: MLP
    initializer: Initializer = Uniform()
    shared_stream: bool = False
    optimizer: Optimizer = SGD()
    loss: Literal["cross_entropy", "clipped_cross_entropy"] = "cross_entropy"
    epochs: NonNegativeInt = 30
    batch_size: PositiveInt = 100
    data_seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    train_size: PositiveInt | None = None
    test_size: PositiveInt | None = None
    measures: Annotated[dict[str, dict[str, Option]], BeforeValidator(spell_out), Field(default_factory=dict)]
    snapshots: Annotated[tuple[NonNegativeInt, ...], Field(validate_default=True)] = _EVERY_EPOCH
    dtype: Literal["float32", "float64"] = "float32"

    @field_validator("network", mode="before")
    @classmethod
    def _described(cls, network: Any) -> Any:
        """Say who trains other architectures."""
        if isinstance(network, Architecture) and not isinstance(network, MLP):
            raise ValueError(
                f"train_population is for multilayer perceptrons; of the kind {type(network).__name__}, "
                "synaplex.population.train_modules trains populations"
            )
        return described(network)

    @field_validator("snapshots", mode="before")
    @classmethod
    def _every_epoch(cls, snapshots: Any, known: Any) -> Any:
        """Spell out the default, which depends on fields that stand before."""
        if snapshots is not None and snapshots is not _EVERY_EPOCH:
            return snapshots
        return range(known.data.get("epochs", 0) + 1) if known.data.get("measures") else ()

    @model_validator(mode="after")
    def _consistent(self) -> PopulationSpec:
        if list(self.snapshots) != sorted(set(self.snapshots)):
            raise ValueError(f"snapshots must be increasing epochs, got {self.snapshots}")
        if self.snapshots and self.snapshots[-1] > self.epochs:
            raise ValueError(f"a snapshot after epoch {self.snapshots[-1]}, but training has {self.epochs} epochs")
        if self.snapshots and not self.measures:
            raise ValueError("snapshots were named, but no measures")
        if self.measures and len(self.network.widths) < 3:
            raise ValueError(f"a network {self.network} has no hidden layer, so there are no neurons to measure")
        return self

    @property
    def torch_dtype(self) -> torch.dtype:
        """The precision of the training, as torch names it."""
        return torch.float64 if self.dtype == "float64" else torch.float32


def described(network: Any) -> Any:
    """The network as it is; raises `ValueError` for a module, which has weights of its own, not one draw a seed."""
    if isinstance(network, torch.nn.Module):
        raise ValueError(
            f"a module ({type(network).__name__}) has weights, and a population draws them for each seed: describe the "
            "architecture by synaplex.networks.mlp, or by cnn, rnn or autoencoder for synaplex.population.train_modules"
        )
    return network
