"""What is kept of a layer while batches pass: streams of moments and counts, never the values unless asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from synaplex.errors import SpecificationError, UndefinedMeasureError
from synaplex.measures.activity.dimension import Dimension
from synaplex.measures.activity.functions import BOUNDS
from synaplex.measures.activity.moments import Moments
from synaplex.measures.activity.sketch import Sketch

MARGIN = 0.05
"""A bounded activation counts as saturated within this share of its range from either end."""

LARGEST_KEPT = 2**28
"""Bytes of values that are kept of all layers together, where they are asked for."""


@dataclass(eq=False)
class Tally:
    """One quantity of the neurons of a layer at one step.

    Attributes
    ----------
    moments
        Of each neuron.
    zeros
        How often each neuron was exactly zero.
    near_low, near_high
        How often each neuron was near the ends of its activation function.
    undefined
        Neurons with a value that was not a finite number.
    """

    moments: Moments
    zeros: Int[Tensor, " neurons"]
    near_low: Int[Tensor, " neurons"]
    near_high: Int[Tensor, " neurons"]
    undefined: Bool[Tensor, " neurons"]

    @classmethod
    def of(cls, values: Float[Tensor, "observations neurons"], bounds: tuple[float, float] | None) -> Tally:
        """Of one batch; values that are not finite count as zero, and are marked."""
        finite = torch.isfinite(values)
        undefined = ~finite.all(0)
        if bool(undefined.any()):
            values = torch.where(finite, values, torch.zeros_like(values))
        none = torch.zeros(values.shape[1], dtype=torch.int64, device=values.device)
        low, high = none, none
        if bounds is not None:
            reach = MARGIN * (bounds[1] - bounds[0])
            low = (values <= bounds[0] + reach).sum(0)
            high = (values >= bounds[1] - reach).sum(0)
        return cls(Moments.of(values), (values == 0).sum(0), low, high, undefined)

    def merge(self, other: Tally) -> Tally:
        """Of both streams."""
        return Tally(
            self.moments.merge(other.moments),
            self.zeros + other.zeros,
            self.near_low + other.near_low,
            self.near_high + other.near_high,
            self.undefined | other.undefined,
        )


@dataclass(eq=False)
class Stream:
    """One quantity of a layer, strength or activation, over all steps.

    Attributes
    ----------
    tallies
        By step; None for a layer without steps.
    sketch
        The distribution over all neurons, steps and observations.
    kept
        Values by step, batch after batch; empty unless they are kept.
    """

    tallies: dict[int | None, Tally] = field(default_factory=dict)
    sketch: Sketch = field(default_factory=Sketch)
    kept: dict[int | None, list[Tensor]] = field(default_factory=dict)

    def add(
        self, values: Float[Tensor, "observations neurons"], step: int | None, bounds: tuple[float, float] | None
    ) -> None:
        """Take a batch into account."""
        new = Tally.of(values, bounds)
        held = self.tallies.get(step)
        if held is not None and len(held.zeros) != len(new.zeros):
            raise SpecificationError(
                f"the layer has {len(held.zeros)} neurons in one batch and {len(new.zeros)} in another; "
                "pass inputs of one shape, padded where they are shorter"
            )
        self.tallies[step] = new if held is None else held.merge(new)
        self.sketch.add(values[torch.isfinite(values)])


@dataclass(eq=False)
class Record:
    """A layer while it is observed.

    Attributes
    ----------
    name
        Of the module, as ``named_modules`` calls it; with the part of a recurrent module.
    kind
        Class of the module.
    shape
        Of its neurons.
    strength, activation
        Before and after the activation function.
    functions
        Name of the activation function of each call in a pass; None where there is none.
    dimension
        Of the activations; None where it is not asked for, or the layer changes its size from step to step.
    uneven
        Whether it does.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    strength: Stream = field(default_factory=Stream)
    activation: Stream = field(default_factory=Stream)
    functions: dict[int, str | None] = field(default_factory=dict)
    dimension: Dimension | None = None
    uneven: bool = False

    @property
    def function(self) -> str | None:
        """The activation functions of all calls, each once."""
        names = dict.fromkeys(name for name in self.functions.values() if name is not None)
        return ", ".join(names) or None

    @property
    def final(self) -> Stream:
        """The activations: the strengths themselves of a layer without an activation function."""
        return self.strength if self.function is None else self.activation

    def function_at(self, step: int | None) -> str | None:
        """The activation function of one call."""
        return None if step is None else self.functions.get(step)

    def bounds_at(self, step: int | None) -> tuple[float, float] | None:
        """Ends of the activation function of one call, where it has two."""
        return BOUNDS.get(self.function_at(step) or "")

    def refuse_undefined(
        self, values: Float[Tensor, "observations neurons"], quantity: str, samples: Int[Tensor, " samples"]
    ) -> None:
        """Raise `UndefinedMeasureError`, naming neurons and sample, if a value is not a finite number.

        Parameters
        ----------
        values
            Of one batch.
        quantity
            What they are.
        samples
            Positions of the batch's samples among the inputs.
        """
        if bool(torch.isfinite(values).all()):
            return
        where = (~torch.isfinite(values)).nonzero()
        neurons = torch.unique(where[:, 1]).tolist()
        named = ", ".join(map(str, neurons[:5])) + (f" and {len(neurons) - 5} more" if len(neurons) > 5 else "")
        first = int(where[0, 0]) // max(1, len(values) // len(samples))
        raise UndefinedMeasureError(
            f"layer {self.name!r}: the {quantity} of neuron {named} is {values[tuple(where[0])].item()}, first for "
            f"sample {int(samples[min(first, len(samples) - 1)])}; look for weights that have grown without bound, or "
            "pass undefined='null' to leave such neurons out"
        )
