"""The plan: which groups of networks are trained, at which scale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import product
from types import MappingProxyType

from synaplex.errors import SpecificationError
from synaplex.studies.heath.budget import BUDGETED
from synaplex.studies.heath.recipe import (
    GRID,
    MLP,
    RELEASED,
    STATED,
    STATIC,
    Hyper,
    Method,
    Recipe,
    censet_method,
    set_method,
)

STAGES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"final": ("final*",), "centrality": ("final*",), "thresholds": ("wide*", "narrow*"), "grid": ("grid*",)}
)
"""Parts of the plan by name, as patterns of groups: the final comparison (table 4), whose networks are those that
centrality is followed in (tables 9 and 10), the threshold searches (tables 5 to 8), and the grid of rules."""

WIDE = tuple(k / 2 for k in range(9))
"""Thresholds of the wide search (table 5)."""

THRESHOLD = {"cifar10": 3.2}
"""The k of table 4; that of Fashion-MNIST where a dataset is not named."""

FASHION_THRESHOLD = 2.6

DROPS: Mapping[str, str] = MappingProxyType(
    {
        "random": "random",
        "SET": "set",
        "least Laplacian": f"{BUDGETED}:laplacian_centrality",
        "least strength": f"{BUDGETED}:strength",
        "least Katz": f"{BUDGETED}:katz",
    }
)
"""Drop rules of the grid by name; each drops the share zeta of every layer's connections."""

GROWS: Mapping[str, str] = MappingProxyType(
    {"random": "random", "gradient": "gradient", "central": "central", "away": "away", "CH2-L3n": "ch2-l3n"}
)
"""Grow rules of the grid by name."""


@dataclass(frozen=True)
class Group:
    """Networks that see the same batches: one seed of one experiment.

    Attributes
    ----------
    stage
        Of the plan.
    recipe
        How they are trained.
    seed
        Of first weights, first connections, order of samples, augmentation and dropout, which all members share.
    epochs
        For how long.
    methods
        Of its members: what they differ in.
    """

    stage: str
    recipe: Recipe
    seed: int
    epochs: int
    methods: tuple[Method, ...]

    @property
    def name(self) -> str:
        """For files, and to choose it by."""
        kind = "-dense" if self.methods[0].dense else ""
        recipe = "" if self.stage == "grid" else f"-{self.recipe.name}"
        return f"{self.stage}{kind}{recipe}-{self.seed}"


@dataclass(frozen=True)
class Settings:
    """How much is trained.

    Attributes
    ----------
    epochs
        By stage. The paper: final 200 (Fashion-MNIST) and 400 (CIFAR-10), wide 50 and 100, narrow 200 and 400.
    seeds
        By stage and recipe.
    wide, narrow
        Thresholds; the one of table 4 is part of the final comparison, and not trained again.
    drops, grows
        Of the grid.
    dense
        Whether the MLP is trained.
    train_size, test_size
        Only the first so many images; all where None.
    snapshots
        Epochs between two at which the centralities of all neurons are kept and null models drawn.
    last
        Epochs at the end over which accuracy is averaged.
    draws
        Of each null model at a snapshot.
    hyper
        Of training.
    """

    epochs: Mapping[str, int]
    seeds: Mapping[str, int]
    wide: tuple[float, ...] = WIDE
    narrow: tuple[float, ...] = ()
    drops: tuple[str, ...] = tuple(DROPS)
    grows: tuple[str, ...] = tuple(GROWS)
    dense: bool = True
    train_size: int | None = None
    test_size: int | None = None
    snapshots: int = 25
    last: int = 10
    draws: int = 20
    hyper: Hyper = field(default_factory=Hyper)


_NARROW = tuple(round(2 + k / 10, 1) for k in range(11))

SETTINGS: Mapping[tuple[str, str], Settings] = MappingProxyType(
    {
        ("paper", "fashion-mnist"): Settings(
            epochs={"final": 200, "wide": 50, "narrow": 200, "grid": 50},
            seeds={"final-released": 3, "final-stated": 3, "wide-released": 3, "narrow-released": 3, "grid": 5},
            narrow=_NARROW,
        ),
        ("paper", "cifar10"): Settings(
            epochs={"final": 400, "wide": 100, "narrow": 400, "grid": 50},
            seeds={"final-released": 1, "final-stated": 0, "wide-released": 0, "narrow-released": 1, "grid": 0},
            narrow=(2.0, 2.8, 3.2, 4.0),
            draws=5,
        ),
        ("small", "fashion-mnist"): Settings(
            epochs={"final": 20, "wide": 8, "narrow": 8, "grid": 10},
            seeds={"final-released": 2, "final-stated": 1, "wide-released": 2, "narrow-released": 0, "grid": 3},
            wide=(0.0, 1.0, 2.0, 3.0, 4.0),
            drops=("random", "SET", "least Laplacian"),
            grows=("random", "central", "away"),
            snapshots=5,
            last=3,
        ),
        ("small", "cifar10"): Settings(
            epochs={"final": 5, "wide": 2, "narrow": 2, "grid": 2},
            seeds={"final-released": 1, "final-stated": 0, "wide-released": 0, "narrow-released": 0, "grid": 0},
            wide=(),
            dense=False,
            train_size=10_000,
            test_size=2000,
            snapshots=2,
            last=2,
            draws=5,
        ),
        ("paper", "digits"): Settings(
            epochs={"final": 200, "wide": 50, "narrow": 200, "grid": 50},
            seeds={"final-released": 3, "final-stated": 3, "wide-released": 3, "narrow-released": 3, "grid": 5},
            narrow=_NARROW,
        ),
        ("small", "digits"): Settings(
            epochs={"final": 60, "wide": 30, "narrow": 30, "grid": 30},
            seeds={"final-released": 3, "final-stated": 2, "wide-released": 2, "narrow-released": 0, "grid": 3},
            drops=("random", "SET", "least Laplacian"),
            grows=("random", "central", "away"),
            snapshots=10,
            last=5,
        ),
    }
)
"""By scale and dataset; datasets that are not named are done as digits are."""


def settings_of(scale: str, dataset: str) -> Settings:
    """How much is trained at a scale."""
    return SETTINGS.get((scale, dataset)) or SETTINGS[scale, "digits"]


def groups(dataset: str, settings: Settings, seed: int) -> Iterator[Group]:
    """All groups, those first that answer most.

    Parameters
    ----------
    seed
        Of the first group of each experiment; the others follow.
    """
    k = THRESHOLD.get(dataset, FASHION_THRESHOLD)
    hyper, epochs = settings.hyper, settings.epochs

    def some(stage: str, recipe: Recipe, methods: Sequence[Method]) -> Iterator[Group]:
        count = settings.seeds["grid" if stage == "grid" else f"{stage}-{recipe.name}"]
        for number in range(count if methods else 0):
            yield Group(stage, recipe, seed + number, epochs[stage], tuple(methods))

    for recipe in (RELEASED, STATED):
        sparse = (STATIC, set_method(hyper), censet_method(k, recipe))
        yield from some("final", recipe, sparse)
        if settings.dense:
            yield from some("final", recipe, (MLP,))
    yield from some("grid", GRID, [STATIC, *cells(settings)])
    yield from some("wide", RELEASED, [censet_method(one, RELEASED) for one in settings.wide])
    narrow = [one for one in settings.narrow if one != k or epochs["narrow"] != epochs["final"]]
    yield from some("narrow", RELEASED, [censet_method(one, RELEASED) for one in narrow])


def cells(settings: Settings) -> list[Method]:
    """The grid's drop and grow rules in all combinations."""
    share = f"{settings.hyper.zeta:g}"
    pairs = product(settings.drops, settings.grows)
    return [Method(f"{drop} / {grow}", f"{DROPS[drop]}:{share}", GROWS[grow]) for drop, grow in pairs]


def chosen(plan: Sequence[Group], patterns: str) -> list[Group]:
    """The groups whose names match patterns, or parts of the plan, with commas between them; none for ``"none"``.

    Raises
    ------
    SpecificationError
        If a pattern matches nothing; lists the names.
    """
    if patterns.strip() == "none":
        return []
    found: set[str] = set()
    for pattern in (one.strip() for one in patterns.split(",")):
        meant = STAGES.get(pattern, (pattern,))
        names = {group.name for group in plan if any(fnmatchcase(group.name, one) for one in meant)}
        if not names:
            known = ", ".join(group.name for group in plan)
            raise SpecificationError(f"no run is called {pattern!r}; they are: {known}")
        found |= names
    return [group for group in plan if group.name in found]
