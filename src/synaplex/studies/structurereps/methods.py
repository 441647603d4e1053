"""Methods: what makes features of networks, the four encoders of the paper and what they have to beat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synaplex.encoders import EpochIndex, FlatWeights, PerformanceDecoder, StructureEncoder, WeightStatistics
from synaplex.population.snapshots import spell_out
from synaplex.studies.structurereps.measured_once import MeasuredOnce
from synaplex.studies.structurereps.padded import PaddedWeights

ENCODERS = ("EA+TC+LF", "EA+GC+LF", "GC+LF", "GC+RF")
"""As the paper names them; the first is its own."""

OWN = ENCODERS[0]
UNTRAINED, STATISTICS, COMPLEX, FLAT, EPOCH = (
    "untrained encoder",
    "weight statistics",
    "complex-network features",
    "flat weights, PCA",
    "epoch number",
)
EIGHT = f"{COMPLEX}, eight centralities"
"""All of the preset ``"scabini"`` in the place of measures that one pass over the weights gives; costly."""

BASELINES = (UNTRAINED, STATISTICS, COMPLEX, FLAT, EPOCH)

BLIND = ", weights through EA alone"
"""Behind the name of an encoder: convolutions see no weights, and the Laplacian none either."""

_BLIND = {"edge_features": False, "adjacency": "unweighted"}

NEURON_TYPES = 6
"""As in the bag of neurons of Scabini & Bruno (2021)."""

ESTIMATORS = (
    StructureEncoder,
    WeightStatistics,
    MeasuredOnce,
    PaddedWeights,
    FlatWeights,
    EpochIndex,
    PerformanceDecoder,
)
"""Classes that fits are made with."""

ABLATIONS: Mapping[str, Mapping[str, Any]] = {
    "everything": {},
    "no edge attention": {"architecture": "TC+LF"},
    "no edge features in the convolutions": {"edge_features": False},
    "no positional features": {"positions": 0},
    "weights in positional features alone": {"architecture": "TC+LF", "edge_features": False},
    "weights in edge attention alone": _BLIND,
    "random features in place of Laplacian ones": {"architecture": "EA+TC+RF"},
    "signed adjacency": {"adjacency": "signed"},
    "unweighted adjacency": {"adjacency": "unweighted"},
    "no noise": {"noise": 0.0},
    "edges forward only": {"direction": "forward"},
    "latent 4": {"latent": 4},
    "latent 64": {"latent": 64},
    "pooling mean": {"pooling": "mean"},
    "trained 4 times as long": {"epochs": 4},
    "untrained": {"epochs": 0},
}
"""What is taken from EA+TC+LF, or put in its place; ``epochs`` is in units of its own."""


Options = Iterable[tuple[str, int | float]]
"""Parameters of `StructureEncoder` that a scale sets."""


def method(name: str, *, epochs: int, seed: int, options: Options = (), types: int = NEURON_TYPES) -> Any:
    """What makes features of networks: anything with ``fit`` and ``transform``.

    Parameters
    ----------
    name
        One of `ENCODERS`, also with `BLIND` behind it, or of `BASELINES`, or `EIGHT`.
    epochs
        Of an encoder.
    seed
        Of its initial parameters, and of what a baseline draws.
    options
        Of an encoder.
    types
        Neuron types among the complex-network features.
    """
    given: dict[str, Any] = dict(options)
    if name.removesuffix(BLIND) in ENCODERS:
        given |= _BLIND if name.endswith(BLIND) else {}
        return StructureEncoder(name.removesuffix(BLIND), epochs=epochs, random_state=seed, **given)
    if name == UNTRAINED:
        return StructureEncoder(epochs=0, random_state=seed, **given)
    if name == STATISTICS:
        return WeightStatistics()
    if name == COMPLEX:
        return MeasuredOnce(types=types, n_init=1, random_state=seed)
    if name == EIGHT:
        return MeasuredOnce(spell_out("scabini"), types=types, n_init=1, random_state=seed).share({})
    return PaddedWeights(random_state=seed) if name == FLAT else EpochIndex()


def ablation(name: str, *, epochs: int, seed: int, options: Options = ()) -> StructureEncoder:
    """EA+TC+LF with one of the `ABLATIONS`."""
    given = {**dict(options), **ABLATIONS[name]}
    times = given.pop("epochs", 1)
    return StructureEncoder(epochs=epochs * times, random_state=seed, **given)


def told(estimator: Any) -> list[tuple[str, Any]]:
    """The parameters of an estimator that are not its class's defaults, for the identity of a fit."""
    plain = type(estimator)().get_params()
    return sorted((key, value) for key, value in estimator.get_params().items() if value != plain[key])


def defaults(kind: type[Any]) -> str:
    """What `told` leaves out: every parameter of a class of estimators as it is by default, a line each."""
    return "".join(f"{key} = {value!r}\n" for key, value in sorted(kind().get_params().items()))
