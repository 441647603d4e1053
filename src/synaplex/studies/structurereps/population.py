"""Prediction across a population: networks of one architecture, varied seeds, initial scales and learning rates."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float, Int

from synaplex.datasets import Dataset
from synaplex.encoders import (
    FlatWeights,
    GraphSet,
    PerformanceDecoder,
    StructureEncoder,
    load_encoder,
    save_encoder,
)
from synaplex.graph import NeuralGraph
from synaplex.networks import MLP, mlp
from synaplex.studies.nulls import shuffled
from synaplex.studies.structurereps.crowd import Crowd
from synaplex.studies.structurereps.graphs import graph_of
from synaplex.studies.structurereps.judging import judged
from synaplex.studies.structurereps.methods import COMPLEX, EIGHT, FLAT, OWN, STATISTICS, UNTRAINED, method
from synaplex.studies.structurereps.pieces import Arrays, Pieces
from synaplex.studies.structurereps.recipe import Crowd as Recipe
from synaplex.studies.structurereps.recipe import Settings

SHUFFLED = ", weights shuffled within layers"
"""Behind the name of a method: it is fitted to and judged by networks whose weights have lost their places."""

METHODS = (OWN, f"{OWN}{SHUFFLED}", UNTRAINED, STATISTICS, COMPLEX, f"{COMPLEX}{SHUFFLED}", EIGHT, FLAT)
RESPLITS = 500
"""Times that held-out networks are parted anew into those that calibrate and those that are covered."""


@dataclass(frozen=True, eq=False)
class Population:
    """Trained networks.

    Attributes
    ----------
    dataset, network
        What they learned, and their architecture.
    rates, scales
        Of each network.
    performance
        Accuracy on the training and on the test set.
    parameters
        Weights and biases of each layer in turn, ``(networks, ...)``.
    recipe, seed
        What they are drawn by.
    """

    dataset: str
    network: MLP
    rates: Float[np.ndarray, " networks"]
    scales: Float[np.ndarray, " networks"]
    performance: Mapping[str, Float[np.ndarray, " networks"]]
    parameters: tuple[np.ndarray, ...]
    recipe: Recipe
    seed: int

    @cached_property
    def graph(self) -> NeuralGraph:
        """All of them."""
        return graph_of(self.network, self.parameters)

    @cached_property
    def without_places(self) -> NeuralGraph:
        """All of them with the weights of each layer in random order: each weight stays, its place does not."""
        generator = np.random.default_rng((self.seed, 17))
        mixed = [
            np.stack([shuffled(one, generator) for one in value]) if value.ndim == 3 else value
            for value in self.parameters
        ]
        return graph_of(self.network, mixed)

    @cached_property
    def parts(self) -> tuple[Int[np.ndarray, " _"], Int[np.ndarray, " _"], Int[np.ndarray, " _"]]:
        """Networks to fit on, to calibrate intervals on, and to judge by; drawn at random."""
        order = np.random.default_rng((self.seed, 13)).permutation(len(self.rates))
        first = round(self.recipe.train * len(order))
        second = first + round(self.recipe.calibrate * len(order))
        return order[:first], order[first:second], order[second:]


def draw(recipe: Recipe, seed: int) -> tuple[Float[np.ndarray, " networks"], Float[np.ndarray, " networks"]]:
    """The learning rate and the initial scale of each network; more networks begin with the same."""
    drawn = [np.random.default_rng((seed, 19, one)).uniform(size=2) for one in range(recipe.networks)]
    ends = np.log([recipe.rates, recipe.scales])
    rates, scales = np.exp(ends[:, 0] + np.array(drawn) * (ends[:, 1] - ends[:, 0])).T
    return rates, scales


def train_population(dataset: str, settings: Settings, seed: int, data: Dataset, pieces: Pieces) -> Population:
    """The networks, trained where they are not among the pieces; `dataset` names `data`."""
    recipe = settings.crowd
    rates, scales = draw(recipe, seed)
    parts = []
    for start in range(0, recipe.networks, recipe.together):
        own = slice(start, min(start + recipe.together, recipe.networks))

        def make(own: slice = own) -> Arrays:
            network = mlp(data.features, *recipe.hidden, data.outputs, bias=True)
            seeds = [seed * 10_000_000 + 5_000_000 + one for one in range(recipe.networks)[own]]
            paces, sizes = rates[own].tolist(), scales[own].tolist()
            crowd = Crowd(network, data, seeds, paces, scales=sizes, batch_size=recipe.batch_size)
            for _ in range(recipe.epochs):
                crowd.epoch()
            weights = {f"parameters/{i}": value for i, value in enumerate(crowd.parameters.values())}
            ends = np.array([data.features, data.outputs])
            return {**weights, **crowd.performance(), "ends": ends}

        kept = (recipe.hidden, recipe.train_size, recipe.test_size, recipe.epochs, recipe.batch_size)
        identity = (dataset, kept, rates[own].tolist(), scales[own].tolist(), own, seed)
        parts.append(pieces.get(f"population/{dataset}-{own.start}", identity, make))
    features, outputs = (int(size) for size in parts[0]["ends"])
    count = sum(name.startswith("parameters/") for name in parts[0])
    return Population(
        dataset,
        mlp(features, *recipe.hidden, outputs, bias=True),
        rates,
        scales,
        {key: np.concatenate([part[key] for part in parts]) for key in ("train", "test")},
        tuple(np.concatenate([part[f"parameters/{i}"] for part in parts]) for i in range(count)),
        recipe,
        seed,
    )


def features(population: Population, settings: Settings, pieces: Pieces) -> dict[str, Arrays]:
    """What each method makes of all networks, fitted to training networks alone; ``features`` of each.

    The encoder itself is kept beside, for `write_encoder`.
    """
    recipe, found = population.recipe, {}
    train = population.parts[0]
    for name in METHODS:

        def make(name: str = name) -> Arrays:
            graphs = GraphSet.of(population.without_places if name.endswith(SHUFFLED) else population.graph)
            made = _method(name.removesuffix(SHUFFLED), settings, population.seed)
            few = train[: recipe.encoder_networks] if isinstance(made, StructureEncoder) else train
            made.fit(graphs[few])
            if name == OWN:
                save_encoder(_fitted(pieces, _identity(population, settings, name)), made)
            return {"features": made.transform(graphs)}

        file = f"population/{name}".replace(" ", "-").replace(",", "")
        found[name] = pieces.get(file, _identity(population, settings, name), make)
    return found


def _method(name: str, settings: Settings, seed: int) -> Any:
    if name == FLAT:
        return FlatWeights(random_state=seed)
    return method(name, epochs=settings.crowd.encoder_epochs, seed=seed, options=settings.encoder)


def _identity(population: Population, settings: Settings, name: str) -> tuple[object, ...]:
    return population.dataset, population.recipe, population.seed, settings.encoder, name


def _fitted(pieces: Pieces, identity: tuple[object, ...]) -> Path:
    return pieces.folder / "population" / f"encoder-{hashlib.sha256(repr(identity).encode()).hexdigest()[:12]}"


@dataclass(frozen=True, eq=False)
class Prediction:
    """How well methods predict the test accuracy of networks that were held out.

    Attributes
    ----------
    scores
        As `judged`, with ``decoder`` and the columns that a method has.
    predicted
        By method and decoder, of the networks held out.
    actual
        Their test accuracy.
    coverage
        A row a method and decoder: ``covered``, the share inside their 90% intervals; ``mean``, ``low`` and ``high``,
        the mean and the central 90% over `RESPLITS` new partings of calibration and judgement; ``width`` of
        an interval.
    """

    scores: pl.DataFrame
    predicted: Mapping[tuple[str, str], Float[np.ndarray, " networks"]]
    actual: Float[np.ndarray, " networks"]
    coverage: pl.DataFrame


def predict(population: Population, found: Mapping[str, Arrays], settings: Settings) -> Prediction:
    """Fit decoders to training networks, calibrate them on others, and judge them by those that are left."""
    train, calibrate, test = population.parts
    target = population.performance["test"]
    predicted: dict[tuple[str, str], np.ndarray] = {}
    covered = []
    for name, arrays in found.items():
        for regressor in settings.regressors:
            values = arrays["features"]
            decoder = PerformanceDecoder(regressor, random_state=population.seed).fit(values[train], target[train])
            decoder.calibrate(values[calibrate], target[calibrate])
            low, high = decoder.predict_interval(values[test])
            row = {"method": name, "decoder": regressor, "width": float((high - low).mean())}
            row["covered"] = float(((low <= target[test]) & (target[test] <= high)).mean())
            others = np.concatenate([calibrate, test])
            errors = np.abs(target[others] - decoder.predict(values[others]))
            covered.append({**row, **_resplit(errors, len(calibrate), decoder.coverage, population.seed)})
            predicted[name, regressor] = decoder.predict(values[test])
    tables = []
    for regressor in settings.regressors:
        own = {name: row for (name, kind), row in predicted.items() if kind == regressor}
        scores = judged(
            own,
            target[test],
            beside=(STATISTICS, COMPLEX, EIGHT, FLAT, f"{OWN}{SHUFFLED}"),
            resamples=settings.resamples,
            seed=0,
        )
        columns = [int(found[name]["features"].shape[1]) for name in own]
        tables.append(scores.with_columns(pl.lit(regressor).alias("decoder"), pl.Series("columns", columns)))
    return Prediction(pl.concat(tables), predicted, target[test], pl.DataFrame(covered))


def _resplit(errors: Float[np.ndarray, " networks"], calibrate: int, coverage: float, seed: int) -> dict[str, float]:
    """The coverage of intervals from so many of the errors, of the others; over `RESPLITS` partings."""
    generator = np.random.default_rng((seed, 23))
    place = min(calibrate, int(np.ceil((calibrate + 1) * coverage - 1e-9))) - 1
    shares = []
    for _ in range(RESPLITS):
        mixed = generator.permutation(errors)
        shares.append((mixed[calibrate:] <= np.sort(mixed[:calibrate])[place]).mean())
    low, high = np.quantile(shares, [0.05, 0.95])
    return {"mean": float(np.mean(shares)), "low": float(low), "high": float(high)}


def write_encoder(
    population: Population, found: Mapping[str, Arrays], settings: Settings, pieces: Pieces, folder: Path
) -> str:
    """Write the encoder with the decoder that errs least in cross-validation over training networks.

    Returns
    -------
    str
        Which regression that is.
    """
    train, calibrate, _ = population.parts
    values, target = found[OWN]["features"], population.performance["test"]
    fitted = {kind: PerformanceDecoder(kind).fit(values[train], target[train]) for kind in settings.regressors}
    best = min(fitted, key=lambda kind: float(fitted[kind].residuals_.mean()))
    decoder = fitted[best].calibrate(values[calibrate], target[calibrate])
    encoder = load_encoder(_fitted(pieces, _identity(population, settings, OWN))).encoder
    recipe = population.recipe
    accuracy = target[train]
    card = {
        "dataset": population.dataset,
        "architecture": str(population.network),
        "performance": "test accuracy",
        "networks": {"encoder": encoder.networks_, "decoder": len(train), "calibration": len(calibrate)},
        "accuracy": {"lowest": float(accuracy.min()), "highest": float(accuracy.max())},
        "optimizer": "Adam",
        "epochs": recipe.epochs,
        "training samples": recipe.train_size,
        "learning rates": list(recipe.rates),
        "initial scales (times He et al.)": list(recipe.scales),
    }
    save_encoder(folder, encoder, decoder, card=card)
    return best


def with_scores(population: Population) -> pl.DataFrame:
    """A row a network: ``rate``, ``scale``, ``train`` and ``test`` accuracy, ``part``."""
    part = np.empty(len(population.rates), dtype=object)
    for name, rows in zip(("train", "calibrate", "test"), population.parts, strict=True):
        part[rows] = name
    return pl.DataFrame(
        {
            "rate": population.rates,
            "scale": population.scales,
            **population.performance,
            "part": part.tolist(),
        }
    )
