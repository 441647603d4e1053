"""Training a cell, and observing its networks and their null models."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from safetensors.numpy import load_file, save_file
from torch import Tensor

from synaplex.datasets import Dataset
from synaplex.population.modules import ModulePopulation, train_modules
from synaplex.population.optimizers import Adam
from synaplex.report.files import replacing
from synaplex.studies.la_malfa_2024.observation import Arrays, observe, stacked
from synaplex.studies.la_malfa_2024.recipe import LEARNING_RATES, Cell, Settings, steps_of
from synaplex.studies.la_malfa_2024.versions import VERSIONS, version

_FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "sigmoid": lambda z: 1 / (1 + np.exp(-np.clip(z, -60, 60))),
}


@dataclass(frozen=True, eq=False)
class Observed:
    """What was seen of a cell.

    Attributes
    ----------
    cell
        Which.
    arrays
        A row a network: ``performance``, and for each version what `observe` gives, as ``VERSION/...``; and
        ``seconds``, how long training and observing took.
    """

    cell: Cell
    arrays: Arrays

    @property
    def networks(self) -> int:
        """How many."""
        return len(self.arrays["performance"])

    @property
    def layers(self) -> range:
        """Numbers of the layers after the input; the paper's are larger by 1."""
        return range(1, self.arrays["trained/number/mean"].shape[1] + 1)

    @property
    def performance(self) -> Float[np.ndarray, " networks"]:
        """Test accuracy, or mean squared error of an autoencoder; NaN of a network that diverged."""
        return self.arrays["performance"]

    def values(self, layer: int, name: str = "trained") -> Float[np.ndarray, "networks values"]:
        """Some values of Neurons Strength."""
        return self.arrays[f"{name}/values/{layer}"].astype(np.float64)

    def bent(self, layer: int, name: str = "trained") -> Float[np.ndarray, "networks values"]:
        """The Neurons Activations of the same."""
        return _FUNCTIONS[self.function(layer)](self.values(layer, name))

    def function(self, layer: int) -> str:
        """The activation function of a layer."""
        last = layer == self.layers[-1]
        plain = last and not (self.cell.kind == "autoencoder" and self.cell.activation == "sigmoid")
        return "linear" if plain else self.cell.activation

    def neurons(self, what: str, layer: int, name: str = "trained") -> Float[np.ndarray, "networks neurons"]:
        """``"node"``, ``"strength"`` or ``"activation"`` of some neurons."""
        return self.arrays[f"{name}/{what}/{layer}"].astype(np.float64)

    def number(self, quantity: str, layer: int, name: str = "trained") -> Float[np.ndarray, " networks"]:
        """A number of a layer, of each network."""
        return self.arrays[f"{name}/number/{quantity}"][:, layer - 1]


def train(cell: Cell, data: Dataset, settings: Settings, seeds: list[int], store: Path) -> ModulePopulation:
    """The networks of a cell, or what is missing of them."""
    return train_modules(
        cell.network(settings),
        data,
        seeds=seeds,
        steps=steps_of(cell, settings),
        initializer=cell.initializer,
        optimizer=Adam(learning_rate=LEARNING_RATES[cell.kind]),
        batch_size=settings.batch_size,
        store=store,
        progress=False,
    )


def inputs(cell: Cell, data: Dataset, settings: Settings, seed: int) -> Float[Tensor, "samples ..."]:
    """The sample of the training set that all networks of a cell are observed on, as they take it."""
    generator = np.random.default_rng((seed, len(data.x_train)))
    rows = generator.choice(len(data.x_train), min(settings.sample, len(data.x_train)), replace=False)
    return cell.network(settings).arrange(data.x_train[torch.from_numpy(rows)])


def observe_cell(cell: Cell, population: ModulePopulation, data: Dataset, settings: Settings, seed: int) -> Observed:
    """What is seen of all sound networks of a cell, and of their null models."""
    x = inputs(cell, data, settings, seed)
    last = population.networks().filter(population.networks()["step"] == population.spec.steps)
    column = "test_accuracy" if cell.classifies else "test_loss"
    scores = dict(zip(last["seed"], last[column], strict=True))
    rows: list[Arrays] = []
    for one in population.seeds:
        if scores[one] is None:  # diverged
            continue
        module = population.module(one)
        row: Arrays = {"performance": np.array(scores[one], dtype=np.float64)}
        for name in VERSIONS:
            own = version(name, module, cell, settings, one)
            found = observe(own, x, cell, settings, dimension=name == "trained")
            row |= {f"{name}/{key}": value for key, value in found.items()}
        rows.append(row)
    return Observed(cell, stacked(rows) if rows else {"performance": np.empty(0)})


def piece(path: Path, identity: str, cell: Cell, make: Callable[[], Observed]) -> Observed:
    """What a finished piece of the study holds, or else what `make` makes, which is kept there.

    Parameters
    ----------
    path
        Of the piece, without its ending: a short digest of `identity` is put behind it, so that a piece of other
        settings is never taken for this one.
    identity
        What it depends on.
    cell
        Whose it is.
    make
        Observes the cell.
    """
    digest = hashlib.sha256(identity.encode()).hexdigest()[:12]
    file = path.with_name(f"{path.name}-{digest}.safetensors")
    if file.is_file():
        return Observed(cell, load_file(file))
    started = time.perf_counter()
    made = make()
    arrays = made.arrays | {"seconds": np.array(time.perf_counter() - started)}
    with replacing(file) as part:
        save_file(arrays, part)
    return Observed(cell, arrays)
