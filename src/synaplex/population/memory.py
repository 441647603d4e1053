"""How many networks to train and measure at a time."""

from __future__ import annotations

from itertools import pairwise

from synaplex.population.specification import PopulationSpec
from synaplex.population.trainer import EVALUATION_BATCH

BUDGET = 2**30
"""Bytes that a chunk may take while it is trained and measured."""

LARGEST = 64
"""Networks beyond which a larger batch is no faster, but more is lost when a run is killed."""

_MEASURING = 6
"""Matrices of all pairs across the two sides of a network, in float64, that measuring holds at a time."""


def memory_of_a_network(spec: PopulationSpec) -> int:
    """Estimate of the bytes one network takes while a chunk is trained and measured."""
    widths = spec.network.widths
    item = spec.torch_dtype.itemsize
    parameters = spec.network.parameters * item * (1 + spec.optimizer.buffers)
    # Activations, the error of one layer and that of the next.
    training = 3 * sum(widths[1:]) * max(spec.batch_size, EVALUATION_BATCH) * item
    sides = sum(widths[::2]) * sum(widths[1::2])
    measuring = _MEASURING * 8 * sides if spec.snapshots else 0
    rows = len(spec.snapshots) * sum(widths[1:-1]) * 8 * len(spec.measures)
    return parameters + training + measuring + rows + 8 * sum(a * b for a, b in pairwise(widths))


def default_chunk_size(spec: PopulationSpec) -> int:
    """Networks a chunk: as many as fit the budget, from 1 to `LARGEST`."""
    return max(1, min(LARGEST, BUDGET // memory_of_a_network(spec)))
