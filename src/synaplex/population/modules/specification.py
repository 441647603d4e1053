"""TrainingSpec: what a population of modules is. Seeds, chunks and machines are no part of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, NonNegativeInt, PositiveInt, field_validator, model_validator

from synaplex.errors import SpecificationError
from synaplex.networks import Autoencoder, Biases, Initializer, Network, Specification, Uniform
from synaplex.population.modules.objectives import ObjectiveName
from synaplex.population.optimizers import SGD, Optimizer
from synaplex.population.specification import described


class TrainingSpec(Specification):
    """The identity of a population of any architecture: two runs with equal specifications train the same networks.

    Attributes
    ----------
    dataset
        Name of the dataset.
    network
        The architecture that all networks share.
    initializer
        How untrained weights are drawn; an initializer or its name.
    biases
        Where biases start: ``"zero"``, or ``"weights"``, drawn like the weights of their layer.
    objective
        What is minimised: ``"cross_entropy"``, ``"mean_squared_error"`` or ``"binary_cross_entropy"``. An autoencoder's
        target is its input, by default with the mean squared error; else the default is cross-entropy.
    optimizer
        An optimizer or its name.
    steps
        Batches to train on; 0 leaves the networks untrained.
    batch_size
        Samples a step. The last batch of an epoch holds what is left over.
    data_seed
        Decides the order of the samples in each epoch, the same for all networks.
    train_size, test_size
        Only the first so many samples; all by default.
    snapshots
        The steps after which networks are tested and measured, 0 being the untrained network; by default the first and
        the last.
    kept
        The snapshots whose weights are kept: steps, or ``"all"``; by default the last.
    measured
        Name of what is measured at the snapshots; empty where nothing is.
    dtype
        Precision of the training.
    """

    dataset: str
    network: Network
    initializer: Initializer = Uniform()
    biases: Biases = "zero"
    objective: Annotated[ObjectiveName, Field(validate_default=True)] = "cross_entropy"
    optimizer: Optimizer = SGD()
    steps: NonNegativeInt
    batch_size: PositiveInt = 100
    data_seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    train_size: PositiveInt | None = None
    test_size: PositiveInt | None = None
    snapshots: Annotated[tuple[NonNegativeInt, ...], Field(validate_default=True)] = ()
    kept: Annotated[tuple[NonNegativeInt, ...], Field(validate_default=True)] = ()
    measured: str = ""
    dtype: Literal["float32", "float64"] = "float32"

    @model_validator(mode="before")
    @classmethod
    def _spell_out(cls, fields: Any) -> Any:
        """Fill in the objective that goes with the network, where none is named."""
        if isinstance(fields, dict) and fields.get("objective") is None:
            network = fields.get("network")
            kind = network.get("kind") if isinstance(network, dict) else getattr(network, "kind", None)
            return {**fields, "objective": "mean_squared_error" if kind == "autoencoder" else "cross_entropy"}
        return fields

    @field_validator("network", mode="before")
    @classmethod
    def _described(cls, network: Any) -> Any:
        return described(network)

    @field_validator("snapshots", mode="before")
    @classmethod
    def _first_and_last(cls, snapshots: Any, known: Any) -> Any:
        last = known.data.get("steps", 0)
        return sorted({0, last}) if snapshots is None or (isinstance(snapshots, tuple) and not snapshots) else snapshots

    @field_validator("kept", mode="before")
    @classmethod
    def _last(cls, kept: Any, known: Any) -> Any:
        snapshots = known.data.get("snapshots", ())
        if isinstance(kept, str) and kept == "all":
            return snapshots
        return snapshots[-1:] if kept is None or (isinstance(kept, tuple) and not kept) else kept

    @model_validator(mode="after")
    def _consistent(self) -> TrainingSpec:
        for name, steps in (("snapshots", self.snapshots), ("kept", self.kept)):
            if not steps or list(steps) != sorted(set(steps)):
                raise ValueError(f"{name} must be increasing steps, got {steps}")
        if self.snapshots[-1] > self.steps:
            raise ValueError(f"a snapshot after step {self.snapshots[-1]}, but training has {self.steps} steps")
        if not set(self.kept) <= set(self.snapshots):
            raise ValueError(f"weights are kept at snapshots only, got {self.kept} for snapshots {self.snapshots}")
        if self.reconstructs and self.objective == "cross_entropy":
            raise ValueError("an autoencoder returns its input, so its objective is no cross-entropy over classes")
        if self.objective == "binary_cross_entropy" and not (
            isinstance(self.network, Autoencoder) and self.network.output_activation == "sigmoid"
        ):
            raise ValueError("binary_cross_entropy is for an autoencoder with output_activation='sigmoid'")
        return self

    @property
    def reconstructs(self) -> bool:
        """Whether the target of a sample is the sample."""
        return isinstance(self.network, Autoencoder)

    @property
    def torch_dtype(self) -> torch.dtype:
        """The precision of the training, as torch names it."""
        return torch.float64 if self.dtype == "float64" else torch.float32


def geometric_steps(last: int, *, per_octave: int = 2) -> tuple[int, ...]:
    """Steps at growing distances from 0 to `last`: for snapshots of what changes fastest at first.

    Parameters
    ----------
    last
        The last step.
    per_octave
        Steps from each power of 2 to the next, once they are that far apart.

    Raises
    ------
    SpecificationError
        If there are no steps, or none an octave.

    Examples
    --------
    >>> geometric_steps(20)
    (0, 1, 2, 3, 4, 6, 8, 11, 16, 20)
    """
    if last < 0 or per_octave < 1:
        raise SpecificationError(f"steps from 0, at least one an octave; got {last} and {per_octave}")
    found = {0, last}
    power = 0
    while (step := round(2 ** (power / per_octave))) < last:
        found.add(step)
        power += 1
    return tuple(sorted(found))


def as_steps(steps: Iterable[int] | str | None) -> Any:
    """What a caller says of steps, as the specification takes it."""
    return steps if steps is None or isinstance(steps, str) else list(steps)
