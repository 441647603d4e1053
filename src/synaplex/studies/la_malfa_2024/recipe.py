"""The recipe: which networks are trained, and how much of it at which scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from synaplex.datasets import Dataset
from synaplex.errors import SpecificationError
from synaplex.networks import Activation, Architecture, InitializerBase, la_malfa_2024, la_malfa_2024_initializer
from synaplex.networks.la_malfa import IMAGES

Kind = Literal["dense", "cnn", "rnn", "autoencoder"]
KINDS: tuple[Kind, ...] = ("dense", "cnn", "rnn", "autoencoder")
NAMES: dict[Kind, str] = {"dense": "FC", "cnn": "CNN", "rnn": "RNN", "autoencoder": "AE"}
"""As the paper calls them."""

DEPTHS: dict[Kind, tuple[int, ...]] = {"dense": (3, 5, 7, 9), "cnn": (3, 5), "rnn": (3,), "autoencoder": (3, 5, 7, 9)}
"""Layers of neurons, input and output included."""

ACTIVATIONS: tuple[Activation, ...] = ("linear", "relu", "sigmoid")
SHOWN: Activation = "sigmoid"
"""Activation of the networks in figures 2, 3 and 5 to 8: figure 2's activations lie in the sigmoid's range."""

LEARNING_RATES: dict[Kind, float] = {"dense": 0.01, "cnn": 0.003, "rnn": 0.003, "autoencoder": 0.03}
"""Of Adam: the paper names neither optimiser nor rate."""

SAMPLE = 100
"""Inputs of the training set a network is observed on (table 1)."""

_SEEDS_APART = 10_000_000


@dataclass(frozen=True)
class Settings:
    """How much is trained, kept and drawn.

    Attributes
    ----------
    networks
        A cell, by kind of network. The paper: 30.
    steps
        Of training: kind of network, layers, how many.
    batch_size
        Samples a step.
    train_size, test_size
        Only the first so many images; all where None.
    sample
        Inputs that a network is observed on.
    kept_values, kept_neurons
        Of each layer and network, at most so many values of Neurons Strength and so many neurons, at places drawn
        once, stand for it in figures and distances. Moments and shares are of all.
    parameters
        Wanted number of parameters of every network.
    depths, activations
        Of each kind, and of all.
    folds
        Of the cross-validation behind the control.
    """

    networks: tuple[tuple[Kind, int], ...]
    steps: tuple[tuple[Kind, int, int], ...]
    batch_size: int = 50
    train_size: int | None = None
    test_size: int | None = None
    sample: int = SAMPLE
    kept_values: int = 1000
    kept_neurons: int = 300
    parameters: int = 100_000
    depths: tuple[tuple[Kind, tuple[int, ...]], ...] = tuple(DEPTHS.items())
    activations: tuple[Activation, ...] = ACTIVATIONS
    folds: int = 4


SETTINGS = {
    "small": Settings(
        networks=tuple((kind, 4) for kind in KINDS),
        steps=(
            *(("dense", depth, 400) for depth in DEPTHS["dense"]),
            *(("autoencoder", depth, 500) for depth in DEPTHS["autoencoder"]),
            ("cnn", 3, 240),
            ("cnn", 5, 50),
            ("rnn", 3, 150),
        ),
        train_size=15_000,
        test_size=1000,
    ),
    "paper": Settings(
        networks=tuple((kind, 30) for kind in KINDS),
        steps=tuple((kind, depth, 10_000) for kind in KINDS for depth in DEPTHS[kind]),
        batch_size=100,
        kept_values=4000,
        kept_neurons=1000,
        folds=10,
    ),
}
"""By name of the scale."""


@dataclass(frozen=True)
class Cell:
    """Networks alike in all but their seeds.

    Attributes
    ----------
    dataset
        What they learn.
    kind
        Of network.
    depth
        Layers of neurons, input and output included.
    activation
        Of the hidden layers.
    """

    dataset: str
    kind: Kind
    depth: int
    activation: Activation

    @property
    def name(self) -> str:
        """For files and tables."""
        return f"{self.dataset}-{self.kind}-{self.depth}-{self.activation}"

    @property
    def title(self) -> str:
        """For readers."""
        return f"{NAMES[self.kind]} of {self.depth} layers, {self.activation}, {self.dataset}"

    def network(self, settings: Settings) -> Architecture:
        """The architecture."""
        return la_malfa_2024(self.kind, self.depth, self.activation, self.dataset, parameters=settings.parameters)

    @property
    def initializer(self) -> InitializerBase:
        """Gaussian, of the paper's variances."""
        return la_malfa_2024_initializer(self.dataset)

    @property
    def classifies(self) -> bool:
        """Whether it is judged by its accuracy; an autoencoder by its loss."""
        return self.kind != "autoencoder"


def cells(datasets: Sequence[str], settings: Settings) -> Iterator[Cell]:
    """All cells: datasets, kinds, depths, activations."""
    depths = dict(settings.depths)
    for dataset in datasets:
        for kind in KINDS:
            for depth in depths.get(kind, ()):
                for activation in settings.activations:
                    yield Cell(dataset, kind, depth, activation)


def steps_of(cell: Cell, settings: Settings) -> int:
    """How many steps a cell is trained."""
    return next(steps for kind, depth, steps in settings.steps if (kind, depth) == (cell.kind, cell.depth))


def network_seeds(cell: int, cell_of: Cell, settings: Settings, seed: int) -> list[int]:
    """Seeds of the networks of cell number `cell`; those of another cell or study are others."""
    first = seed * _SEEDS_APART + cell * (_SEEDS_APART // 1000)
    return list(range(first, first + dict(settings.networks)[cell_of.kind]))


def check(datasets: Sequence[Dataset], settings: Settings, seed: int) -> None:
    """Raise `SpecificationError` where the study would say nothing."""
    if not 1 <= len(datasets) <= 2:
        raise SpecificationError(f"one or two datasets, got {len(datasets)}")
    for one in datasets:
        if one.name not in IMAGES:
            raise SpecificationError(f"{one!r} is none of the images that convolutions need: {', '.join(IMAGES)}")
    if not 0 <= seed < 400:
        raise SpecificationError(f"a seed from 0 to 399, got {seed}")
    if min(count for _, count in settings.networks) < 2:
        raise SpecificationError("an interval needs at least 2 networks a cell")
