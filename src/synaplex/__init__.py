"""Synaplex: complex-network theory for neural networks.

A trained network becomes a weighted graph of neurons, and each neuron gets the exact measures of network
science.

>>> import synaplex as sx
>>> graph = sx.graph([[[0.5, -1.0], [2.0, 0.0], [1.0, 1.0]], [[1.0, -2.0, 3.0]]])
>>> sx.measure(graph, ["strength", "disparity"]).columns
['layer', 'layer_name', 'neuron', 'strength', 'disparity']

Importing the package is light: PyTorch and the rest are imported when a name that needs them is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOME = {
    "BagOfNeurons": "synaplex.neurons",
    "NeuralGraph": "synaplex.graph",
    "Population": "synaplex.population",
    "compare": "synaplex.report",
    "load": "synaplex.graph",
    "measure": "synaplex.measures",
    "measure_file": "synaplex.checkpoint",
    "train_population": "synaplex.population",
}
"""The public functions and classes, each with the module it lives in."""

_SUBMODULES = frozenset(
    {
        "checkpoint",
        "datasets",
        "encoders",
        "errors",
        "graph",
        "measures",
        "networks",
        "neurons",
        "population",
        "report",
        "sparse",
        "studies",
    }
)
"""The public modules; ``graph`` and ``report`` are called like functions as well."""

__all__ = [
    "BagOfNeurons",
    "NeuralGraph",
    "Population",
    "checkpoint",
    "compare",
    "datasets",
    "encoders",
    "errors",
    "graph",
    "load",
    "measure",
    "measure_file",
    "measures",
    "networks",
    "neurons",
    "population",
    "report",
    "sparse",
    "studies",
    "train_population",
]

if TYPE_CHECKING:
    from synaplex import (
        checkpoint,
        datasets,
        encoders,
        errors,
        measures,
        networks,
        neurons,
        population,
        sparse,
        studies,
    )
    from synaplex._callable_module import make_callable
    from synaplex.checkpoint import measure_file
    from synaplex.graph import NeuralGraph, load
    from synaplex.graph import graph as _graph
    from synaplex.measures import measure
    from synaplex.neurons import BagOfNeurons
    from synaplex.population import Population, train_population
    from synaplex.report import compare
    from synaplex.report import report as _report

    graph = make_callable("synaplex.graph", _graph)
    report = make_callable("synaplex.report", _report)
else:

    def __getattr__(name: str) -> object:
        """Import a public name when it is first asked for (PEP 562)."""
        if name in _SUBMODULES:
            return importlib.import_module(f"synaplex.{name}")
        if name in _HOME:
            value: object = getattr(importlib.import_module(_HOME[name]), name)
            globals()[name] = value
            return value
        raise AttributeError(f"module 'synaplex' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
