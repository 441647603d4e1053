"""One method on one split: fitted to some graphs, and the performance of others decoded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from synaplex.encoders import PerformanceDecoder
from synaplex.studies.structurereps.measured_once import MeasuredOnce
from synaplex.studies.structurereps.methods import (
    ABLATIONS,
    BASELINES,
    BLIND,
    ENCODERS,
    NEURON_TYPES,
    ablation,
    method,
    told,
)
from synaplex.studies.structurereps.pieces import Arrays, Pieces
from synaplex.studies.structurereps.recipe import TARGETS, Settings, Task, grid, traced
from synaplex.studies.structurereps.samples import Sample, network_sample, trajectory_sample
from synaplex.studies.structurereps.splits import EPOCHS, HALF, UNSEEN, Rows, by_epoch, by_network
from synaplex.studies.structurereps.trajectories import Trajectories

BLIND_SEEDS = 2
"""Networks of which the encoders are also fitted with weights through edge attention alone."""

ABLATED = UNSEEN[1]
"""What of a network is unseen where parts of the encoder are taken away."""

DECODERS = ("linear", "ridge")
"""The paper's, and one that bears more features than networks."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """Predictions of one method for graphs that were held out.

    Attributes
    ----------
    task, split, fold, method
        Whose they are. The fold is a trajectory, or what was held out.
    rows
        Of the sample, those judged.
    epochs, networks
        Of these.
    actual
        Their performance, by target.
    arrays
        Predictions, as ``DECODER/TARGET``.
    """

    task: str
    split: str
    fold: int
    method: str
    rows: Int[np.ndarray, " rows"]
    epochs: Float[np.ndarray, " rows"]
    networks: Int[np.ndarray, " rows"]
    actual: Mapping[str, Float[np.ndarray, " rows"]]
    arrays: Arrays


def decode(
    estimator: Any, sample: Sample, train: Int[np.ndarray, " known"], test: Int[np.ndarray, " unseen"]
) -> Arrays:
    """Fit an estimator and decoders to some rows, and predict others: ``DECODER/TARGET``, and ``columns``."""
    if isinstance(estimator, MeasuredOnce):
        estimator.share(sample.measured)
    fitted = estimator.fit(sample.graphs[train])
    known, unseen = fitted.transform(sample.graphs[train]), fitted.transform(sample.graphs[test])
    groups = sample.networks[train] if len(np.unique(sample.networks[train])) > 1 else None
    arrays = {"columns": np.array(known.shape[1])}
    for decoder in DECODERS:
        for target in TARGETS:
            regression = PerformanceDecoder(decoder).fit(known, sample.performance[target][train], groups)
            arrays[f"{decoder}/{target}"] = regression.predict(unseen)
    return arrays


@dataclass(frozen=True, eq=False)
class Bench:
    """A task, its networks, and where fits to them are kept.

    Attributes
    ----------
    task, known
        Which, and its networks by layout.
    settings, seed
        Of the run.
    pieces
        Finished fits.
    """

    task: Task
    known: tuple[Trajectories, ...]
    settings: Settings
    seed: int
    pieces: Pieces

    def trajectory_fits(self) -> Iterator[Decoded]:
        """Every method on every traced network, on the paper's split and on the second half."""
        middle = self.known[self.task.middle[0]]
        for place in range(sum(traced(self.task, member, self.settings) for member in middle.networks)):
            sample = trajectory_sample(self.task, self.known, place)
            for split in (EPOCHS, HALF):
                rows = by_epoch(split, self.settings.epochs, self._seed(place))
                both = split == EPOCHS and place < BLIND_SEEDS
                blind = tuple(f"{name}{BLIND}" for name in ENCODERS) if both else ()
                for name in (*ENCODERS, *blind, *BASELINES):
                    made = self._method(name, self.settings.encoder_epochs, place)
                    yield self._decoded(split, place, name, made, sample, rows)

    def network_fits(self) -> Iterator[Decoded]:
        """Every method with whole networks held out: their seeds, widths or learning rates unseen."""
        sample, members = network_sample(self.task, self.known, self.settings), list(grid(self.task, self.settings))
        for unseen in UNSEEN:
            for fold, *rows in by_network(unseen, members, sample.networks):
                for name in (*ENCODERS, *BASELINES):
                    made = self._method(name, self.settings.network_epochs, fold)
                    yield self._decoded(unseen, fold, name, made, sample, (rows[0], rows[1]))

    def ablation_fits(self) -> Iterator[Decoded]:
        """EA+TC+LF without each of its parts, networks of unseen widths held out."""
        sample, members = network_sample(self.task, self.known, self.settings), list(grid(self.task, self.settings))
        for fold, *rows in by_network(ABLATED, members, sample.networks):
            for name in ABLATIONS:
                epochs, options = self.settings.network_epochs, self.settings.encoder
                made = ablation(name, epochs=epochs, seed=self._seed(fold), options=options)
                yield self._decoded(ABLATED, fold, name, made, sample, (rows[0], rows[1]))

    def _seed(self, fold: int) -> int:
        return self.seed * 1000 + fold

    def _method(self, name: str, epochs: int, fold: int) -> Any:
        """Without neuron types for convolutional networks, whose neurons are one channel at many places."""
        types = 0 if self.task.images else NEURON_TYPES
        return method(name, epochs=epochs, seed=self._seed(fold), options=self.settings.encoder, types=types)

    def _decoded(
        self, split: str, fold: int, name: str, estimator: Any, sample: Sample, rows: tuple[Rows, Rows]
    ) -> Decoded:
        own, (train, test) = self.settings, rows
        kept = (own.epochs, own.snapshots, own.seeds, own.varied, self.seed)
        identity = (self.task, kept, split, fold, name, told(estimator))
        file = f"fits/{self.task.name}/{split}/{fold}/{name}".replace(" ", "-").replace(",", "")
        arrays = self.pieces.get(file, identity, lambda: decode(estimator, sample, train, test))
        assert sample.graphs.epochs is not None
        actual = {target: values[test] for target, values in sample.performance.items()}
        epochs, networks = sample.graphs.epochs[test], sample.networks[test]
        return Decoded(self.task.name, split, fold, name, test, epochs, networks, actual, arrays)
