"""What is seen of a network: Nodes Strength, Neurons Strength and Neurons Activation of every layer over a sample."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import torch
from jaxtyping import Float
from torch import Tensor, nn

from synaplex.graph import NeuralGraph, graph
from synaplex.measures.activity import Activity, activity, segment_strength
from synaplex.measures.strength import in_strength
from synaplex.networks import RecurrentNetwork
from synaplex.studies.la_malfa_2024.recipe import Cell, Settings
from synaplex.studies.shape import kurtosis, two_humps

Arrays = dict[str, np.ndarray]

NEAR_ZERO = 0.1
"""Weights within this many standard deviations from 0 count as close to zero."""

_MANY = 100_000
"""Values of a layer that quantiles are read from."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def observe(
    module: nn.Module, x: Float[Tensor, "samples ..."], cell: Cell, settings: Settings, *, dimension: bool = False
) -> Arrays:
    """One version of a network, layer after layer; layer 1 is the first hidden one.

    Parameters
    ----------
    module, cell
        The network, and what it is.
    x
        Inputs as it takes them.
    settings
        How much is kept.
    dimension
        Whether to estimate how many dimensions activations spread over.

    Returns
    -------
    dict
        For each layer: ``values/L``, Neurons Strength of some neurons, steps and inputs; ``node/L``, ``strength/L``,
        ``activation/L``, in-strength, mean Neurons Strength and mean Neurons Activation of some neurons;
        ``weights/L``, mean, variance and five quantiles of its weights. ``number/NAME``, a value a layer, as
        `_moments`, `_strengths`, `_weights` and `squashed_numbers` describe them; NaN where undefined. Of a recurrent
        network ``heat``, what each input feature brings at each step, ``image``, the mean size of that input, and
        ``steps``, the mean size of Neurons Strength by step.
    """
    recurrent = isinstance(module, RecurrentNetwork)
    seen = activity(module, x, keep_values=True, dimension=dimension)
    folded = folded_graph(module, x)
    node = in_strength(folded, bias="per_edge").numpy()
    neurons, layers = seen.neurons(), seen.layers()
    numbers: list[dict[str, float]] = []
    arrays: Arrays = {}
    for layer, name in enumerate(seen.layer_names[1:], 1):
        own = node[folded.layer_slice(layer)]
        table = _by_neuron(neurons.filter(pl.col("layer") == layer))
        values = seen.values(name, "strength").numpy()
        bent = seen.values(name, "activation").numpy() if layer < len(seen.layer_names) - 1 or _bent(cell) else None
        weights = weights_into(folded, layer)
        arrays[f"values/{layer}"] = _some(values.ravel(), settings.kept_values, layer)
        for key, column in (("node", own), ("strength", table["strength"]), ("activation", table["activation"])):
            arrays[f"{key}/{layer}"] = _some(column, settings.kept_neurons, layer).astype(np.float32)
        arrays[f"weights/{layer}"] = _summary(weights)
        whole = layers.row(layer, named=True)
        function = _function(cell, layer, len(seen.layer_names))
        numbers.append(
            {
                **_moments(whole),
                **_strengths(values, own, table, function),
                **_weights(weights),
                **squashed_numbers(bent if function == "sigmoid" else None),
            }
        )
    arrays |= {f"number/{key}": np.array([row[key] for row in numbers]) for key in numbers[0]}
    if recurrent:
        arrays["heat"] = segment_strength(module, x, signed=False).numpy()
        arrays["image"] = x.double().abs().mean(0).numpy()
        arrays["steps"] = _sizes(seen)
    return arrays


def folded_graph(module: nn.Module, x: Float[Tensor, "samples ..."]) -> NeuralGraph:
    """The graph of a network; of a recurrent one folded: the hidden layer reads a row of the image and itself."""
    if isinstance(module, nn.Sequential) and not any(isinstance(part, nn.Conv2d) for part in module):
        linear = [part for part in module if isinstance(part, nn.Linear)]
        return NeuralGraph.from_weights([one.weight.detach() for one in linear], [one.bias.detach() for one in linear])
    if not isinstance(module, RecurrentNetwork):
        return graph(module, x[:1])
    cell, output = module.cell, module.output
    assert cell.bias is not None
    joined = torch.cat([cell.weight_ih, cell.weight_hh], 1).detach()
    return NeuralGraph.from_weights([joined, output.weight.detach()], biases=[cell.bias.detach(), output.bias.detach()])


def weights_into(folded: NeuralGraph, layer: int) -> Float[np.ndarray, " weights"]:
    """The distinct weights of the links into a layer."""
    parts = [link.weights.detach().flatten() for link in folded.links if link.target == layer]
    return torch.cat(parts).double().numpy()


def _moments(whole: Mapping[str, Any]) -> dict[str, float]:
    """Of all Neurons Strengths and Activations of a layer, from its row in the table of layers.

    ``mean``, ``deviation``, ``offset`` (their ratio) and ``kurtosis`` (less 3) of Neurons Strength, ``activation
    deviation`` and ``dimension``.
    """
    mean, spread = _nan(whole["strength_mean"]), math.sqrt(_nan(whole["strength_variance"]))
    return {
        "mean": mean,
        "deviation": spread,
        "offset": mean / spread if spread > 0 else float("nan"),
        "kurtosis": _nan(whole["strength_kurtosis"]) - 3,
        "activation deviation": math.sqrt(_nan(whole["activation_variance"])),
        "dimension": _nan(whole["dimension"]),
    }


def _strengths(values: np.ndarray, node: np.ndarray, table: dict[str, np.ndarray], function: str) -> dict[str, float]:
    """What Neurons Strength says beyond its moments, and Nodes Strength beside it.

    ``reach`` (from the 1% quantile to the median, in interquartile ranges) and ``negative`` (share below 0) of Neurons
    Strength; ``node kurtosis``; ``node-strength`` and ``node-activation`` (correlation over neurons of Nodes Strength
    with mean Neurons Strength or Activation); ``humps`` and ``node humps`` (1 where the distribution has two); of
    sigmoid and ReLU layers ``dead``, the share of neurons that stay at 0 for all inputs, or within 0.05 of it for 95%.
    """
    some = values.ravel()[:: max(1, values.size // _MANY)].astype(np.float64)
    low, first, middle, third = np.quantile(some, [0.01, 0.25, 0.5, 0.75])
    return {
        "reach": float((middle - low) / (third - first)) if third > first else float("nan"),
        "negative": float((values < 0).mean()),
        "node kurtosis": kurtosis(node),
        "node-strength": correlation(node, table["strength"]),
        "node-activation": correlation(node, table["activation"]),
        "humps": float(two_humps(_even(some)[None])[0]),
        "node humps": float(two_humps(_even(node)[None])[0]),
        "dead": float(table["dead"].mean()) if function != "linear" else float("nan"),
    }


def _weights(weights: np.ndarray) -> dict[str, float]:
    """Shares of the weights into a layer that are negative, and that are close to zero."""
    return {
        "negative weights": float((weights < 0).mean()),
        "idle weights": float((np.abs(weights) < NEAR_ZERO * weights.std()).mean()),
    }


def squashed_numbers(values: np.ndarray | None) -> dict[str, float]:
    """How activations lie between 0 and 1; NaN where there is no sigmoid."""
    if values is None:
        return dict.fromkeys(("middle", "ends", "unevenness"), float("nan"))
    flat = np.sort(values.astype(np.float64).ravel())
    even = (np.arange(len(flat)) + 0.5) / len(flat)
    return {
        "middle": float(((flat >= 0.4) & (flat <= 0.6)).mean()),
        "ends": float(((flat <= 0.05) | (flat >= 0.95)).mean()),
        "unevenness": float(np.abs(flat - even).mean()),
    }


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's correlation; NaN for fewer than eight neurons, or where either has no spread."""
    if len(first) < 8 or first.std() < 1e-12 or second.std() < 1e-12:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def _by_neuron(table: pl.DataFrame) -> dict[str, np.ndarray]:
    """Each neuron of a layer, steps taken together: means, and whether it is dead."""
    rows = table.group_by("neuron", maintain_order=True).agg(
        strength=pl.col("strength_mean").mean(),
        activation=pl.col("activation_mean").mean(),
        silent=pl.col("dead").all(ignore_nulls=False),
        low=pl.col("low").mean(),
    )
    # A rectifier is dead at zero; a sigmoid has no zero, and counts where it stays at its lower end.
    dead = rows["silent"].fill_null(False).to_numpy() | (rows["low"].fill_null(0.0).to_numpy() >= 0.95)
    return {
        "strength": rows["strength"].to_numpy(),
        "activation": rows["activation"].to_numpy(),
        "dead": dead,
    }


def _function(cell: Cell, layer: int, layers: int) -> str:
    """The activation function of a layer."""
    return cell.activation if layer < layers - 1 or _bent(cell) else "linear"


def _bent(cell: Cell) -> bool:
    """Whether the output layer has an activation function."""
    return cell.kind == "autoencoder" and cell.activation == "sigmoid"


def _some(values: np.ndarray, count: int, layer: int) -> np.ndarray:
    """At most so many values, at places that are the same in all networks of an architecture."""
    if len(values) <= count:
        return np.ascontiguousarray(values)
    places = np.random.default_rng((len(values), layer)).choice(len(values), count, replace=False)
    return np.ascontiguousarray(values[np.sort(places)])


def _even(values: np.ndarray, most: int = 600) -> np.ndarray:
    """Evenly spaced quantiles of many values; the values themselves where they are few."""
    ordered = np.sort(values)
    return ordered if len(ordered) <= most else ordered[np.linspace(0, len(ordered) - 1, most).round().astype(np.int64)]


def _summary(weights: np.ndarray) -> np.ndarray:
    return np.array([weights.mean(), weights.var(), *np.quantile(weights, QUANTILES)])


def _sizes(seen: Activity) -> np.ndarray:
    """Mean |Neurons Strength| of the recurrent layer at each step."""
    values: Tensor = seen.values(seen.layer_names[1])
    return values.double().abs().mean((0, 2)).numpy()


def _nan(value: float | None) -> float:
    return float("nan") if value is None else value


def stacked(rows: Sequence[Arrays]) -> Arrays:
    """Several networks, one row each."""
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}
