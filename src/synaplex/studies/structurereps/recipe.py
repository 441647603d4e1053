"""The recipe: which networks are trained, which methods are fitted to them, and how much of it at which scale."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.networks import CNN, MLP, cnn, mlp

TARGETS = ("train", "test")
"""Whose performance is decoded: table 1, table 2."""

_SEEDS_APART = 10_000_000


@dataclass(frozen=True)
class Task:
    """What networks learn, and which networks.

    Attributes
    ----------
    name, title
        For files and for readers.
    dataset
        Of `synaplex.datasets`.
    layouts
        Hidden layers of three networks: neurons, or channels of convolutions of stride 2. Tables 1 and 2 are of the
        middle one.
    rates
        Learning rates of Adam; tables 1 and 2 are of the middle one.
    images
        Whether networks are convolutional.
    train_size, test_size
        So many samples, drawn at random; all where None.
    batch_size
        Samples a step.
    """

    name: str
    title: str
    dataset: str
    layouts: tuple[tuple[int, ...], ...]
    rates: tuple[float, ...] = (3e-4, 1e-3, 3e-3)
    images: bool = False
    train_size: int | None = None
    test_size: int | None = None
    batch_size: int = 100

    @property
    def middle(self) -> tuple[int, int]:
        """Layout and rate of tables 1 and 2."""
        return len(self.layouts) // 2, len(self.rates) // 2

    def network(self, hidden: tuple[int, ...], features: int, outputs: int) -> MLP | CNN:
        """The network of some hidden layers; neurons have biases."""
        if not self.images:
            return mlp(features, *hidden, outputs, bias=True)
        return cnn(image_shape(features), *hidden, dense=(outputs,), stride=2, padding=1, bias=True)


def image_shape(features: int) -> tuple[int, int, int]:
    """Channels, height and width of square images in colour or grey.

    Raises
    ------
    SpecificationError
        If there are none of that many pixels.
    """
    for channels in (3, 1):
        side = math.isqrt(features // channels)
        if channels * side**2 == features:
            return channels, side, side
    raise SpecificationError(f"{features} features are no square image in one or three colours")


@dataclass(frozen=True)
class Member:
    """One network of a task: which layout, which learning rate, and its seed, counted from 0."""

    layout: int
    rate: int
    seed: int


@dataclass(frozen=True)
class Shapes:
    """Networks of equal parameter count (figure 2).

    Attributes
    ----------
    task
        What they learn.
    hidden
        Their hidden layers, by name.
    seeds, fitted
        Networks of each, and how many of these an encoder is fitted on; the others are looked at.
    every
        Epochs from one graph to the next.
    """

    task: str
    hidden: tuple[tuple[str, tuple[int, ...]], ...]
    seeds: int = 5
    fitted: int = 3
    every: int = 8


@dataclass(frozen=True)
class Crowd:
    """The population of the prediction across networks.

    Attributes
    ----------
    hidden
        Neurons of the hidden layers.
    networks
        How many.
    train, calibrate
        Shares that encoders and decoders are fitted on, and that intervals are calibrated on; the others are held out.
    encoder_networks
        An encoder, which sees no labels, is fitted on so many of the first; the decoder on all of them.
    encoder_epochs
        Passes over them.
    train_size, test_size, epochs, batch_size
        Of the training.
    rates, scales
        Range of learning rates of Adam, and of what initial weights (He et al.) are multiplied by; logarithms are
        uniform.
    together
        Networks that are trained as one batch.
    """

    hidden: tuple[int, ...] = (32, 16)
    networks: int = 1000
    train: float = 0.5
    calibrate: float = 0.25
    encoder_networks: int = 500
    encoder_epochs: int = 6
    train_size: int = 5000
    test_size: int = 4000
    epochs: int = 4
    batch_size: int = 100
    rates: tuple[float, float] = (1e-4, 3e-2)
    scales: tuple[float, float] = (0.1, 4.0)
    together: int = 100


@dataclass(frozen=True)
class Settings:
    """How much is trained, fitted and drawn.

    Attributes
    ----------
    tasks
        All of them.
    shapes, crowd
        Figure 2, and the population.
    epochs
        Of the networks; there is a graph each.
    snapshots
        Epochs whose graphs the split by whole networks reads.
    seeds
        Networks a task in tables 1 and 2, one fit of each encoder on each.
    varied
        Networks for each layout and learning rate.
    encoder
        Parameters of `StructureEncoder` that are not its default.
    encoder_epochs
        Passes of an encoder over the graphs of one trajectory.
    network_epochs
        Passes over the graphs of many networks.
    ablated
        Tasks on which parts of the encoder are taken away.
    regressors
        Decoders of the population; the encoder is saved with the one that errs least in cross-validation.
    resamples
        Of each bootstrap.
    """

    tasks: tuple[Task, ...]
    shapes: Shapes
    crowd: Crowd = Crowd()
    epochs: int = 200
    snapshots: tuple[int, ...] = (1, 2, 4, 7, 12, 20, 33, 55, 90, 125, 160, 200)
    seeds: int = 5
    varied: int = 2
    encoder: tuple[tuple[str, int | float], ...] = (("learning_rate", 0.01), ("batch_size", 16))
    encoder_epochs: int = 8
    network_epochs: int = 8
    ablated: tuple[str, ...] = ("covtype", "cifar10")
    regressors: tuple[str, ...] = ("ridge", "boosting")
    resamples: int = 300

    def chosen(self, names: str) -> tuple[Task, ...]:
        """The tasks of some names, ``"all"`` of them.

        Raises
        ------
        UnknownNameError
            If there is no such task.
        """
        known = {task.name: task for task in self.tasks}
        wanted = list(known) if names.strip() == "all" else [name.strip() for name in names.split(",")]
        for name in wanted:
            if name not in known:
                raise UnknownNameError("task", name, (*known, "all"))
        return tuple(task for name, task in known.items() if name in wanted)

    def number(self, task: Task) -> int:
        """The place of a task among all of them."""
        return [one.name for one in self.tasks].index(task.name)


def _tasks(
    dense: tuple[tuple[tuple[int, ...], ...], ...],
    images: tuple[tuple[int, ...], ...],
    pictures: str,
    rows: int | None,
    train_images: int | None,
    test_images: int | None,
) -> tuple[Task, ...]:
    moons, housing, forest = dense

    def table(name: str, title: str, layouts: tuple[tuple[int, ...], ...]) -> Task:
        return Task(name, title, name, layouts, train_size=rows, test_size=rows)

    def pictured(name: str, title: str, dataset: str) -> Task:
        return Task(name, title, dataset, images, images=True, train_size=train_images, test_size=test_images)

    return (
        Task("two-moons", "Two Moons", "two-moons", moons),
        table("california-housing", "California housing", housing),
        table("covtype", "Covertype", forest),
        pictured("cifar10", "CIFAR-10", "cifar10"),
        pictured("imagenette", "Imagenette", pictures),
    )


SETTINGS = {
    "small": Settings(
        tasks=_tasks(
            (((8, 8), (16, 16), (24, 24)), ((16, 8), (32, 16), (48, 24)), ((16, 8), (32, 16), (48, 24))),
            ((4, 8, 8), (6, 12, 12), (8, 16, 16)),
            "imagenette-32",
            4000,
            600,
            800,
        ),
        shapes=Shapes("covtype", (("regular", (32, 16)), ("deeper", (26, 16, 16, 12)), ("wider", (39,)))),
    ),
    "paper": Settings(
        tasks=_tasks(
            (((16, 16), (32, 32), (64, 64)), ((64, 32), (128, 64), (192, 96)), ((64, 32), (128, 64), (192, 96))),
            ((16, 32, 32), (32, 64, 64), (48, 96, 96)),
            "imagenette-64",
            None,
            None,
            None,
        ),
        shapes=Shapes(
            "covtype", (("regular", (128, 64)), ("deeper", (78, 64, 64, 32)), ("wider", (254,))), seeds=10, fitted=6
        ),
        crowd=Crowd(
            networks=4000, encoder_networks=2000, encoder_epochs=20, train_size=60_000, test_size=10_000, epochs=15
        ),
        seeds=10,
        varied=10,
        encoder=(),
        encoder_epochs=60,
        network_epochs=60,
        ablated=("two-moons", "california-housing", "covtype", "cifar10", "imagenette"),
        resamples=1000,
    ),
}
"""By name of the scale."""


def members(task: Task, layout: int, settings: Settings) -> tuple[Member, ...]:
    """The networks of a layout: `varied` of each learning rate, and of the middle ones `seeds`."""
    found = [Member(layout, rate, seed) for rate in range(len(task.rates)) for seed in range(settings.varied)]
    more = range(settings.varied, settings.seeds) if layout == task.middle[0] else ()
    return (*found, *(Member(layout, task.middle[1], seed) for seed in more))


def traced(task: Task, member: Member, settings: Settings) -> bool:
    """Whether every epoch of a network is kept: it is one of those of tables 1 and 2."""
    return (member.layout, member.rate) == task.middle and member.seed < settings.seeds


def network_seed(number: int, member: Member, seed: int) -> int:
    """The seed of a network of task number `number`; no two networks share one."""
    return seed * _SEEDS_APART + number * 100_000 + member.layout * 10_000 + member.rate * 1000 + member.seed


def grid(task: Task, settings: Settings) -> Iterator[Member]:
    """The networks of the split by whole networks: every layout, rate and seed."""
    for layout in range(len(task.layouts)):
        yield from (one for one in members(task, layout, settings) if one.seed < settings.varied)


def check(settings: Settings, seed: int) -> None:
    """Raise `SpecificationError` where the study would say nothing."""
    if not 0 <= seed < 400:
        raise SpecificationError(f"a seed from 0 to 399, got {seed}")
    if settings.snapshots[-1] > settings.epochs or settings.varied < 2 or settings.seeds < 2:
        raise SpecificationError("snapshots lie within training, and there are at least two networks of each kind")
    if settings.shapes.seeds - settings.shapes.fitted < 2:
        raise SpecificationError("figure 2 compares at least two networks of a shape that no encoder was fitted on")
