"""The recipe: how networks are built and trained, as the paper says and as its code does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from synaplex.datasets import Dataset
from synaplex.errors import SpecificationError

HIDDEN: Mapping[str, tuple[int, ...]] = MappingProxyType({"cifar10": (4000, 1000, 4000)})
"""Hidden layers by dataset (table 2); those of Fashion-MNIST where it is not named."""

FASHION = (256, 128, 100)
"""Hidden layers on Fashion-MNIST."""

SHAPES: Mapping[str, tuple[int, int, int]] = MappingProxyType(
    {"fashion-mnist": (1, 28, 28), "mnist": (1, 28, 28), "cifar10": (3, 32, 32), "digits": (1, 8, 8)}
)
"""Channels, height and width of the images that augmentation moves about."""

UNFLIPPED = ("digits", "mnist")
"""Datasets whose images are not flipped: a mirrored figure is another sign, or none."""


@dataclass(frozen=True)
class Hyper:
    """Table 3, and what section 5 and the code say of the images.

    Attributes
    ----------
    batch_size, learning_rate, momentum
        Of stochastic gradient descent.
    dropout
        Share of hidden neurons silenced in training.
    zeta
        Share of the positive and of the negative weights that SET replaces.
    epsilon
        Of the Erdos-Renyi topology; the output layer is dense.
    rotation
        Largest angle that images are turned by, in degrees.
    shift
        Largest share of their width and height that they are shifted by.
    """

    batch_size: int = 100
    learning_rate: int | float = 0.01
    momentum: int | float = 0.9
    dropout: int | float = 0.3
    zeta: int | float = 0.05
    epsilon: int | float = 20.0
    rotation: int | float = 10.0
    shift: int | float = 0.1


@dataclass(frozen=True)
class Recipe:
    """What text and code of the paper do not agree on, or leave open.

    Attributes
    ----------
    name
        For files and tables.
    activation
        Of the hidden layers: table 3 says SReLU, the code uses ReLU.
    restart
        Whether the optimiser is made anew each epoch, so that momentum starts from 0, as the code does.
    values
        Weights that grown connections start with: the code's masks let them start at 0, the original SET draws them
        from N(0, 0.1^2).
    variant
        Which Laplacian centrality CenSET's rule reads: eq. 4, or what the code computes.
    """

    name: str
    activation: Literal["relu", "srelu"]
    restart: bool
    values: str
    variant: Literal["exact", "censet"]


RELEASED = Recipe("released", "relu", True, "zero", "censet")
"""What the notebooks of github.com/andrewjh9/CenBench do: the recipe that the paper's numbers come from."""

STATED = Recipe("stated", "srelu", False, "normal:0.1", "exact")
"""What the text says: SReLU (table 3), eq. 4, and SET as its source describes it."""

GRID = Recipe("grid", "relu", False, "zero", "exact")
"""For the comparison of rules: momentum goes on, and grown weights start at 0 whatever the rule."""

RECIPES: Mapping[str, Recipe] = MappingProxyType({one.name: one for one in (RELEASED, STATED, GRID)})
"""By name."""


@dataclass(frozen=True)
class Method:
    """One way of training.

    Attributes
    ----------
    name
        For tables and files.
    drop, grow
        Rules by their text; an empty `drop` is a dense network.
    evolves
        Whether there are rounds at all: where not, the sparse network is static.
    """

    name: str
    drop: str = ""
    grow: str = "random"
    evolves: bool = True

    @property
    def dense(self) -> bool:
        """Whether its network is dense."""
        return not self.drop


MLP = Method("MLP", evolves=False)
STATIC = Method("static", "random:0.05", evolves=False)
"""Sparse, and its connections never change: what evolution has to beat."""


def set_method(hyper: Hyper) -> Method:
    """SET."""
    return Method("SET", f"set:{hyper.zeta:g}")


def censet_method(k: float, recipe: Recipe) -> Method:
    """CenSET with a threshold of k standard deviations."""
    return Method(f"CenSET {k:g}", f"censet:{k:g}:{recipe.variant}")


def widths(data: Dataset) -> tuple[int, ...]:
    """Neurons of all layers of the network for a dataset."""
    return (data.features, *HIDDEN.get(data.name, FASHION), data.outputs)


def check(data: Dataset, seed: int) -> None:
    """Raise `SpecificationError` where the study would say nothing."""
    if data.name not in SHAPES:
        raise SpecificationError(f"{data!r} is none of the images that are known here: {', '.join(SHAPES)}")
    if not 0 <= seed < 10_000:
        raise SpecificationError(f"a seed from 0 to 9,999, got {seed}")
