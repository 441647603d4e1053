"""How the weights of an untrained network are drawn, and from which random stream.

A network's weights are a function of its own seed alone. They come from
``torch.Generator().manual_seed(seed)``, on the CPU and in float32 whatever device and precision the training
uses, so that a seed names one network everywhere. Each matrix is filled input neuron by input neuron (all
outgoing weights of the first input, then of the second, ...), the order in which Keras stores a kernel.
Biases start at zero.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal

import torch
from jaxtyping import Float
from pydantic import Field, PositiveFloat, model_validator
from torch import Tensor

from synaplex.errors import SpecificationError
from synaplex.networks.specification import Specification, named

SEED_LIMIT = 2**32
"""Seeds are below this: torch's generator on the CPU reads only the lower 32 bits of a seed."""


class InitializerBase(Specification):
    """A distribution of initial weights."""

    @abstractmethod
    def sample(
        self, shape: tuple[int, int], fans: tuple[int, int], generator: torch.Generator
    ) -> Float[Tensor, "_rows _columns"]:
        """Numbers from `generator`, row by row, for a layer with so many connections into and out of a neuron."""

    def draw(self, inputs: int, outputs: int, generator: torch.Generator) -> Float[Tensor, "in out"]:
        """One matrix of weights from `generator`, a row an input neuron."""
        return self.sample((inputs, outputs), (inputs, outputs), generator)


class Uniform(InitializerBase):
    """Uniform on ``[low, high)``; the default is that of Scabini & Bruno (2021), section 3.1."""

    kind: Literal["uniform"] = "uniform"
    low: float = -0.9
    high: float = 0.9

    @model_validator(mode="after")
    def _in_order(self) -> Uniform:
        if self.low >= self.high:
            raise ValueError(f"low must be below high, got {self.low} and {self.high}")
        return self

    def sample(
        self, shape: tuple[int, int], fans: tuple[int, int], generator: torch.Generator
    ) -> Float[Tensor, "_rows _columns"]:
        return torch.empty(shape).uniform_(self.low, self.high, generator=generator)


class Normal(InitializerBase):
    """Normal with mean 0 and standard deviation `std`."""

    kind: Literal["normal"] = "normal"
    std: PositiveFloat = 0.05

    def sample(
        self, shape: tuple[int, int], fans: tuple[int, int], generator: torch.Generator
    ) -> Float[Tensor, "_rows _columns"]:
        return torch.empty(shape).normal_(0.0, self.std, generator=generator)


class GlorotUniform(InitializerBase):
    """Uniform on ``[-b, b)`` with ``b = sqrt(6 / (in + out))`` (Glorot & Bengio 2010, eq. 16)."""

    kind: Literal["glorot_uniform"] = "glorot_uniform"

    def sample(
        self, shape: tuple[int, int], fans: tuple[int, int], generator: torch.Generator
    ) -> Float[Tensor, "_rows _columns"]:
        bound = math.sqrt(6 / sum(fans))
        return torch.empty(shape).uniform_(-bound, bound, generator=generator)


class GlorotNormal(InitializerBase):
    """Normal with standard deviation ``sqrt(2 / (in + out))`` (Glorot & Bengio 2010, eq. 12), untruncated."""

    kind: Literal["glorot_normal"] = "glorot_normal"

    def sample(
        self, shape: tuple[int, int], fans: tuple[int, int], generator: torch.Generator
    ) -> Float[Tensor, "_rows _columns"]:
        std = math.sqrt(2 / sum(fans))
        return torch.empty(shape).normal_(0.0, std, generator=generator)


class Kaiming(InitializerBase):
    """Standard deviation ``sqrt(2 / in)``, normal or uniform (He et al. 2015, eq. 10), meant for ReLU."""

    kind: Literal["kaiming"] = "kaiming"
    distribution: Literal["normal", "uniform"] = "normal"

    def sample(
        self, shape: tuple[int, int], fans: tuple[int, int], generator: torch.Generator
    ) -> Float[Tensor, "_rows _columns"]:
        std = math.sqrt(2 / fans[0])
        values = torch.empty(shape)
        if self.distribution == "normal":
            return values.normal_(0.0, std, generator=generator)
        bound = math.sqrt(3) * std
        return values.uniform_(-bound, bound, generator=generator)


Initializer = Annotated[
    Uniform | Normal | GlorotUniform | GlorotNormal | Kaiming,
    Field(discriminator="kind"),
    named("initializer", Uniform, Normal, GlorotUniform, GlorotNormal, Kaiming),
]
"""Any initializer, in a specification also by its name."""


def check_seeds(seeds: Iterable[Any]) -> tuple[int, ...]:
    """The seeds as a tuple of integers.

    Raises
    ------
    SpecificationError
        If there is none, one is given twice, or one is not an integer from 0 to 2^32 - 1.
    """
    if isinstance(seeds, str) or not isinstance(seeds, Iterable):
        raise SpecificationError(f"seeds are several integers, one a network, such as range(300), not {seeds!r}")
    known: dict[int, None] = {}
    for seed in seeds:
        if isinstance(seed, bool) or not _is_whole(seed) or not 0 <= seed < SEED_LIMIT:
            raise SpecificationError(f"a seed is an integer from 0 to {SEED_LIMIT - 1}, got {seed!r}")
        if int(seed) in known:
            raise SpecificationError(f"seed {seed} is given twice")
        known[int(seed)] = None
    if not known:
        raise SpecificationError("no seeds: a population needs at least one network")
    return tuple(known)


def _is_whole(value: Any) -> bool:
    try:
        return bool(int(value) == value)
    except (TypeError, ValueError, OverflowError):
        return False


def initial_weights(
    widths: Sequence[int], seeds: Sequence[int], initializer: InitializerBase, *, shared_stream: bool = False
) -> list[Float[Tensor, "networks _out _in"]]:
    """The weights of untrained networks, one network a seed.

    Parameters
    ----------
    widths
        Number of neurons of each layer, input and output included.
    seeds
        One seed a network.
    initializer
        The distribution of the weights.
    shared_stream
        False: the layers of a network are drawn one after the other from the one stream of its seed. True:
        each layer starts that stream anew, so that all layers hold the same random sequence, as in the data
        released with Scabini & Bruno (2021). The first layer is the same either way.

    Returns
    -------
    list of Tensor
        For each link ``(networks, out, in)``, float32.
    """
    shapes = list(pairwise(widths))
    weights = [torch.empty(len(seeds), outputs, inputs) for inputs, outputs in shapes]
    generator = torch.Generator()
    for network, seed in enumerate(check_seeds(seeds)):
        generator.manual_seed(seed)
        for link, (inputs, outputs) in enumerate(shapes):
            if shared_stream:
                generator.manual_seed(seed)
            weights[link][network] = initializer.draw(inputs, outputs, generator).T
    return weights
