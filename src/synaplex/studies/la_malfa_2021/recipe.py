"""The recipe: which networks are trained, how accuracy is cut into bins, and how much of it at which scale."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal

from synaplex.datasets import Dataset
from synaplex.errors import SpecificationError
from synaplex.networks import InitializerBase, la_malfa_2021, la_malfa_2021_initializer
from synaplex.networks.la_malfa import IMAGES
from synaplex.studies.la_malfa_2021.plan import Plan

Kind = Literal["dense", "cnn"]
BINS = 10
"""Of test accuracy, each 0.1 wide. The paper's range from 0.1 to 1 holds nine; the tenth is below chance."""

SCALES = (0.05, 0.5)
ORDERS = (10_000, 100_000)
INITIALIZERS = ("normal", "uniform")
KINDS: tuple[Kind, ...] = ("dense", "cnn")
POPULATIONS = tuple(product(INITIALIZERS, ORDERS))
LEARNING_RATES = {0.05: 0.007, 0.5: 0.02}
"""Of Adam, by the scale of the initial weights: the paper names neither optimiser nor rate."""

WIDE_RATE = 0.05
"""Of CNNs of 10^5 parameters from weights of scale 0.5: at a lower one few leave chance within hundreds of steps."""

_SEEDS_APART = 10_000_000
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Settings:
    """How much is trained, kept and drawn.

    Attributes
    ----------
    per_bin
        Networks a bin. The paper: at least 50.
    networks
        Trained in each cell; each may stand in one bin of a composition.
    steps
        Of training: kind of network, order of parameters, scale of the initial weights, how many. From large initial
        weights networks learn slowly.
    batch_size
        Samples a step.
    evaluated
        Test samples that decide the bin of a network.
    kept_neurons, kept_weights
        Of each layer and link, at most so many, at places drawn once, stand for its distribution.
    compositions
        How often networks are dealt out to the bins anew.
    resamples
        Bootstrap samples behind an interval, dealt out in turn to the compositions.
    confidence
        Of intervals.
    null_draws
        Draws of each null model.
    individual_steps, individual_batch, individual_networks
        Training of the single network, or of several that are analysed one by one.
    populations
        Distribution of the initial weights and order of parameters, each for both kinds and both scales.
    """

    per_bin: int
    networks: int
    steps: tuple[tuple[str, int, float, int], ...]
    batch_size: int = 50
    evaluated: int = 400
    kept_neurons: int = 256
    kept_weights: int = 512
    compositions: int = 10
    resamples: int = 100
    confidence: float = 0.95
    null_draws: int = 3
    individual_steps: int = 10_000
    individual_batch: int = 32
    individual_networks: int = 1
    populations: tuple[tuple[str, int], ...] = POPULATIONS


SETTINGS = {
    "small": Settings(
        per_bin=4,
        networks=44,
        steps=(
            ("dense", 10_000, 0.05, 2000),
            ("dense", 10_000, 0.5, 3000),
            ("dense", 100_000, 0.05, 400),
            ("dense", 100_000, 0.5, 600),
            ("cnn", 10_000, 0.05, 400),
            ("cnn", 10_000, 0.5, 600),
            ("cnn", 100_000, 0.05, 100),
            ("cnn", 100_000, 0.5, 300),
        ),
        populations=(("normal", 10_000), ("normal", 100_000), ("uniform", 10_000)),
    ),
    "paper": Settings(
        per_bin=50,
        networks=600,
        steps=tuple((kind, order, scale, 6000) for kind in KINDS for order in ORDERS for scale in SCALES),
        batch_size=100,
        evaluated=10_000,
        compositions=20,
        resamples=500,
        null_draws=10,
        individual_steps=40_000,
        individual_networks=5,
    ),
}
"""By name of the scale."""


@dataclass(frozen=True)
class Cell:
    """One population: networks alike in all but their seeds.

    Attributes
    ----------
    kind
        ``"dense"``: four dense layers; ``"cnn"``: two convolutions and two dense layers.
    initializer
        ``"normal"`` or ``"uniform"``.
    scale
        Standard deviation of normal, half-width of uniform initial weights.
    order
        Of the number of parameters.
    """

    kind: Kind
    initializer: str
    scale: float
    order: int

    @property
    def name(self) -> str:
        """For files and tables."""
        return f"{self.kind}-{self.initializer}-{self.scale:g}-{self.order}"

    @property
    def title(self) -> str:
        """For readers."""
        return f"{self.kind if self.kind == 'dense' else 'CNN'}, {self.initializer} {self.scale:g}, {power(self.order)}"

    @property
    def distribution(self) -> InitializerBase:
        """Of the initial weights."""
        return la_malfa_2021_initializer(self.initializer, self.scale)

    @property
    def learning_rate(self) -> float:
        """Of Adam."""
        wide = self.kind == "cnn" and self.order > ORDERS[0] and self.scale > SCALES[0]
        return WIDE_RATE if wide else LEARNING_RATES[self.scale]


def steps_of(cell: Cell, settings: Settings) -> int:
    """How many steps a cell is trained."""
    key = cell.kind, cell.order, cell.scale
    return next(steps for *of, steps in settings.steps if tuple(of) == key)


def power(order: int) -> str:
    """A power of ten in words."""
    return f"10{str(round(math.log10(order))).translate(_SUPERSCRIPT)} parameters"


def cells(settings: Settings) -> Iterator[tuple[int, Cell]]:
    """All populations: the paper's and, since its table and captions disagree, both initialisers of each.

    The number of a population, from which its seeds come, is the same whichever others are trained.
    """
    for number, (kind, initializer, scale, order) in enumerate(product(KINDS, INITIALIZERS, SCALES, ORDERS)):
        if (initializer, order) in settings.populations:
            yield number, Cell(kind, initializer, scale, order)


def plan(kind: Kind, order: int, dataset: Dataset) -> Plan:
    """The network of a cell: four layers with about so many parameters."""
    return Plan(la_malfa_2021(kind, order, dataset.name))  # type: ignore[arg-type]


def individual_plan(dataset: Dataset) -> Plan:
    """The single network: four convolutions and two dense layers."""
    return Plan(la_malfa_2021("cnn", ORDERS[-1], dataset.name, convolutions=4))  # type: ignore[arg-type]


def network_seeds(cell: int, networks: int, seed: int) -> list[int]:
    """Seeds of a cell's networks; those of another cell or study are others."""
    first = seed * _SEEDS_APART + cell * (_SEEDS_APART // 100)
    return list(range(first, first + networks))


def check(dataset: Dataset, settings: Settings, seed: int) -> None:
    """Raise `SpecificationError` where the study would say nothing."""
    if dataset.name not in IMAGES:
        raise SpecificationError(f"{dataset!r} is none of the images that convolutions need: {', '.join(IMAGES)}")
    if not 0 <= seed < 400:
        raise SpecificationError(f"a seed from 0 to 399, got {seed}")
    if settings.per_bin < 2 or settings.networks < BINS * settings.per_bin:
        raise SpecificationError(
            f"{settings.networks} networks do not fill {BINS} bins with {settings.per_bin}, at least 2, each"
        )


def evaluation_steps(steps: int) -> list[int]:
    """When networks are tested: after every step at first, then at growing distances."""
    result, at = [], 0.0
    while round(at) < steps:
        result.append(round(at))
        at = max(at + 1, at * 1.2)
    return [*result, steps]
