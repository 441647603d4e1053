"""Training a cell: every network is kept at the moments in which it stands in each bin of accuracy."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

from synaplex.datasets import Dataset
from synaplex.report.files import replacing
from synaplex.studies.la_malfa_2021.crowd import Crowd
from synaplex.studies.la_malfa_2021.observation import Arrays, Kept, observe
from synaplex.studies.la_malfa_2021.plan import Plan
from synaplex.studies.la_malfa_2021.recipe import (
    BINS,
    Cell,
    Settings,
    evaluation_steps,
    network_seeds,
    plan,
    steps_of,
)


@dataclass(frozen=True, eq=False)
class Moments:
    """Networks of one architecture at moments of their training.

    Attributes
    ----------
    plan
        Of all.
    arrays
        A row a network and moment: ``network``, ``step``, ``accuracy``, ``bin``, and what `observe` keeps.
    """

    plan: Plan
    arrays: Arrays

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers."""
        return self.plan.layer_names

    def strength(self, layer: int, kind: str = "trained") -> np.ndarray:
        """Strengths of a layer's kept neurons, a row a network and moment."""
        return self.arrays[f"strength/{kind}/{layer}"]

    def fluctuation(self, layer: int, kind: str = "trained") -> np.ndarray:
        """Fluctuation of a layer, a value a network and moment."""
        return self.arrays[f"fluctuation/{kind}"][:, layer]

    def weights(self, link: int) -> np.ndarray:
        """A link's kept weights, a row a network and moment."""
        return self.arrays[f"weights/{link}"]


def bin_of(accuracy: np.ndarray) -> np.ndarray:
    """Number of the bin of an accuracy: bin b holds [b / 10, (b + 1) / 10), the last one also 1."""
    return np.minimum(np.floor(accuracy * BINS + 1e-9).astype(np.int64), BINS - 1)


def train_cell(cell: Cell, index: int, dataset: Dataset, settings: Settings, seed: int) -> Moments:
    """Train a cell's networks.

    A network is kept once for each bin that it visits: when it is first seen there, in the highest bin when training
    ends (if it ends there).
    """
    network = plan(cell.kind, cell.order, dataset)
    crowd = Crowd(network, network_seeds(index, settings.networks, seed), cell.distribution, cell.learning_rate)
    kept = kept_of(network, settings, seed)
    test = dataset.x_test[: settings.evaluated], dataset.y_test[: settings.evaluated]
    seen = np.zeros((settings.networks, BINS), dtype=bool)
    parts: list[Arrays] = []
    steps = steps_of(cell, settings)
    due = set(evaluation_steps(steps))
    generator = np.random.default_rng((seed, index))
    for step in range(steps + 1):
        if step in due:
            accuracy = crowd.accuracy(*test).numpy()
            bins = bin_of(accuracy)
            fresh = ~seen[np.arange(len(bins)), bins] & ((bins < BINS - 1) | (step == steps))
            chosen = np.flatnonzero(fresh)
            if len(chosen):
                seen[chosen, bins[chosen]] = True
                keys = [index * 10**9 + int(one) * BINS + int(bins[one]) for one in chosen]
                parts.append(
                    {
                        "network": chosen.astype(np.int32),
                        "step": np.full(len(chosen), step, dtype=np.int32),
                        "accuracy": accuracy[chosen],
                        "bin": bins[chosen].astype(np.int32),
                        **observe(crowd.graph(chosen.tolist()), keys, kept),
                    }
                )
        if step < steps:
            batch = torch.from_numpy(generator.integers(0, len(dataset.x_train), settings.batch_size))
            crowd.step(dataset.x_train[batch], dataset.y_train[batch])
    return Moments(network, joined(parts))


def kept_of(network: Plan, settings: Settings, seed: int) -> Kept:
    """Which neurons and weights of an architecture are kept."""
    weights = [math.prod(shape) for shape in network.weight_shapes]
    return Kept.of(network.sizes, weights, (settings.kept_neurons, settings.kept_weights), settings.null_draws, seed)


def joined(parts: list[Arrays]) -> Arrays:
    """The rows of all parts, ordered by network, then bin."""
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((whole["bin"], whole["network"]))
    return {name: np.ascontiguousarray(values[order]) for name, values in whole.items()}


def piece(path: Path, identity: str, make: Callable[[], Moments], network: Plan) -> Moments:
    """What a finished piece of the study holds, or else what `make` makes, which is kept there.

    Parameters
    ----------
    path
        Of the piece, without its ending: a short digest of `identity` is put behind it, so that a piece of other
        settings is never taken for this one.
    """
    digest = hashlib.sha256(identity.encode()).hexdigest()[:12]
    file = path.with_name(f"{path.name}-{digest}.safetensors")
    if file.is_file():
        return Moments(network, load_file(file))
    made = make()
    with replacing(file) as part:
        save_file(made.arrays, part)
    return made
