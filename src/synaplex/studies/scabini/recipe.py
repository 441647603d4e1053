"""The recipe: which networks are trained, and how they are analysed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from synaplex.datasets import Dataset
from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.networks import MLP, Uniform, mlp
from synaplex.population import SGD, PopulationSpec

INITIALIZER = Uniform(low=-0.9, high=0.9)
OPTIMIZER = SGD(learning_rate=0.01)
BATCH_SIZE = 100
"""The paper's, section 3.1: uniform initial weights, no bias, ReLU, softmax, plain gradient descent."""

RECIPES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"paper": {}, "released": {"loss": "clipped_cross_entropy", "shared_stream": True}}
)
"""Ways to train: ``"paper"``, what the text says, read exactly; ``"released"``, as the released networks were made:
with the cross-entropy of Keras 2.2 and all layers of a network drawn from one stream."""

FEWEST_NETWORKS = 20
"""Below this, the best and the worst networks are too few to be told apart."""

_SEEDS_APART = 100_000
_HIDDEN = {64: (32, 16), 784: (200, 100)}


@dataclass(frozen=True)
class Analysis:
    """Settings of the analysis; what the paper does not say is chosen here.

    Attributes
    ----------
    seed
        Of every random draw.
    types
        Number of neuron types. The paper: 6.
    starts
        Starts of k-means for the vocabulary. The paper: 100.
    elbow_starts
        Starts for each number of types on the way to the elbow, and in a resample of the population.
    epoch_starts
        Starts for the vocabulary of each epoch.
    resamples
        Bootstrap samples behind an interval.
    confidence
        Of intervals.
    draws
        Draws of each null model.
    folds, repeats
        Of the cross-validated regressions.
    separations
        Repeats of the cross-validation that tells best from worst networks.
    vocabulary_resamples
        Populations drawn to see how stable the vocabulary is.
    attacked
        Test samples of the adversarial attack, at most.
    """

    seed: int = 0
    types: int = 6
    starts: int = 100
    elbow_starts: int = 5
    epoch_starts: int = 20
    resamples: int = 1000
    confidence: float = 0.95
    draws: int = 10
    folds: int = 5
    repeats: int = 5
    separations: int = 3
    vocabulary_resamples: int = 30
    attacked: int = 2000


def specification(dataset: Dataset, epochs: int, seed: int, recipe: str = "paper") -> PopulationSpec:
    """The paper's networks for a dataset.

    Images of 28 x 28 pixels get the paper's network 784-200-100-10, digits of 8 x 8 one a sixth as wide, 64-32-16-10.
    Other datasets get hidden layers of half and a quarter of their inputs, between 16 and 200 neurons.

    Raises
    ------
    UnknownNameError
        If `recipe` is not in `RECIPES`.
    """
    if recipe not in RECIPES:
        raise UnknownNameError("recipe", recipe, RECIPES)
    return PopulationSpec(
        dataset=dataset.name,
        network=_network(dataset),
        initializer=INITIALIZER,
        optimizer=OPTIMIZER,
        epochs=epochs,
        batch_size=BATCH_SIZE,
        data_seed=seed,
        measures="scabini",
        **RECIPES[recipe],
    )


@dataclass(frozen=True)
class Variant:
    """Networks that differ from the study's own in one thing.

    Attributes
    ----------
    name
        Of its folder and of its rows in tables.
    title
        In words.
    changes
        Fields of the specification.
    """

    name: str
    title: str
    changes: Mapping[str, Any]


def variants(base: PopulationSpec) -> tuple[Variant, ...]:
    """What networks are compared with: other streams, the other loss, other ranges.

    A network of one seed draws the same numbers in every range, stretched.
    """
    stream = (
        Variant("streams", "a stream for each layer", {"shared_stream": False})
        if base.shared_stream
        else Variant("shared", "one stream for all layers", {"shared_stream": True})
    )
    loss = (
        Variant("exact", "exact cross-entropy", {"loss": "cross_entropy"})
        if base.loss == "clipped_cross_entropy"
        else Variant("clipped", "clipped cross-entropy", {"loss": "clipped_cross_entropy"})
    )
    ranges = [
        Variant(f"{bound:.1f}", f"weights in ±{bound:g}", {"initializer": Uniform(low=-bound, high=bound)})
        for bound in (1.0, 0.6, 0.3)
    ]
    return (stream, loss, *ranges)


def variant_specification(base: PopulationSpec, variant: Variant) -> PopulationSpec:
    """The networks of a population with one thing changed, measured at the end only."""
    return PopulationSpec(**{**dict(base), **variant.changes, "snapshots": (base.epochs,)})


def _network(dataset: Dataset) -> MLP:
    half = min(200, max(32, dataset.features // 2))
    hidden = _HIDDEN.get(dataset.features, (half, half // 2))
    return mlp(dataset.features, *hidden, dataset.outputs)


def network_seeds(networks: int, seed: int) -> range:
    """Seeds of the networks; those of another `seed` are others, and more networks extend fewer."""
    return range(seed * _SEEDS_APART, seed * _SEEDS_APART + networks)


def check(networks: int, epochs: int, seed: int, dataset: Dataset) -> None:
    """Raise `SpecificationError` where a study would say nothing."""
    if networks < FEWEST_NETWORKS:
        raise SpecificationError(
            f"{networks} networks are too few to tell the best from the worst: ask for at least {FEWEST_NETWORKS}"
        )
    if networks > _SEEDS_APART or not 0 <= seed < 2**32 // _SEEDS_APART:
        raise SpecificationError(
            f"at most {_SEEDS_APART:,} networks and a seed from 0 to {2**32 // _SEEDS_APART - 1}, "
            f"got {networks} and {seed}"
        )
    if epochs < 1:
        raise SpecificationError(f"a study of trained networks needs at least one epoch, got {epochs}")
    if not dataset.classes:
        raise SpecificationError(f"{dataset!r} is a regression, and this study is about the accuracy of classifiers")
