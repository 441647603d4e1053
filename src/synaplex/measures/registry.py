"""The registry of measures: a name, a function and what it reads."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.measures.elsewhere import advice
from synaplex.measures.gaps import guarded

MeasureFunction = Callable[..., Tensor]

CONTROLS = ("method", "tolerance", "seed", "sources")
"""Options that say how a measure is computed, not what it is."""

_FAMILIES = ("strength", "flow", "clustering", "spectral", "paths", "cliques", "laplacian")


@dataclass(frozen=True)
class Measure:
    """A measure of neurons, as `sx.measure` knows it.

    Attributes
    ----------
    name
        Its own name.
    function
        ``function(graph, *, neurons="all", undefined=None, **options)``, returning ``(*networks, neurons)``.
    counts
        Whether its values are whole numbers.
    aliases
        Other names it answers to, those of NetworkX among them that mean the same quantity.
    asked
        The alias by which it was asked for, if it was.
    """

    name: str
    function: MeasureFunction
    counts: bool = False
    aliases: tuple[str, ...] = ()
    asked: str = ""

    @property
    def column(self) -> str:
        """The column it fills: the name by which it was asked for."""
        return self.asked or self.name

    @property
    def defaults(self) -> dict[str, Any]:
        """The options that say what is measured, and their default values: edge rule, binarisation, variant."""
        names = ("graph", "neurons", "undefined", "bounds", *CONTROLS)
        return {p.name: p.default for p in self._parameters if p.name not in names}

    @property
    def controls(self) -> dict[str, Any]:
        """The options that say how it is computed, and their default values; none where it always is exact."""
        return {p.name: p.default for p in self._parameters if p.name in CONTROLS}

    @property
    def bounded(self) -> bool:
        """Whether it can say how far its values may be off: whether it takes ``bounds=``."""
        return any(p.name == "bounds" for p in self._parameters)

    @property
    def _parameters(self) -> Iterable[inspect.Parameter]:
        return inspect.signature(self.function).parameters.values()

    @property
    def summary(self) -> str:
        """First line of the docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]


_measures: dict[str, Measure] = {}


def register(
    *, counts: bool = False, aliases: Iterable[str] = (), reach: int | None = None
) -> Callable[[MeasureFunction], MeasureFunction]:
    """Make a function a measure under its own name.

    `reach` says how far from a neuron it reads: 1 for its own edges, 2 for its neighbours' as well, None for the whole
    graph; by it the measure is refused next to parts of a model that were not understood.
    """

    def add(function: MeasureFunction) -> MeasureFunction:
        measure = guarded(function, reach)
        _measures[function.__name__] = Measure(function.__name__, measure, counts, tuple(aliases))
        return measure

    return add


def measures() -> Mapping[str, Measure]:
    """All registered measures by name."""
    for family in _FAMILIES:
        importlib.import_module(f"synaplex.measures.{family}")
    return dict(_measures)


def find(name: str) -> Measure:
    """The measure of that name or alias; `UnknownNameError` suggests the nearest names, or says where else to look."""
    if not isinstance(name, str):
        raise SpecificationError(f"a measure is asked for by its name, such as 'strength', not by {name!r}")
    known = measures()
    if name in known:
        return known[name]
    by_alias = {alias: measure for measure in known.values() for alias in measure.aliases}
    if name in by_alias:
        return by_alias[name]
    names = [*known, *by_alias]
    raise UnknownNameError("measure", name, names, advice=advice(name, names))
