"""Table 1: how well the networks do beside the paper's, and which scaling of images gives which error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from synaplex.studies.la_malfa_2024.comparisons import Observations
from synaplex.studies.la_malfa_2024.data import Trivial
from synaplex.studies.la_malfa_2024.recipe import KINDS, NAMES, Kind


@dataclass(frozen=True)
class Range:
    """A performance range of table 1.

    Attributes
    ----------
    low, high
        Test accuracy, or mean squared error of autoencoders.
    """

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:.3f} to {self.high:.3f}" if self.high < 0.2 else f"{self.low:.2f} to {self.high:.2f}"


PUBLISHED: dict[tuple[Kind, str], Range] = {
    ("dense", "mnist"): Range(0.90, 0.95),
    ("cnn", "mnist"): Range(0.89, 0.96),
    ("rnn", "mnist"): Range(0.84, 0.89),
    ("autoencoder", "mnist"): Range(0.058, 0.067),
    ("dense", "cifar10"): Range(0.27, 0.41),
    ("cnn", "cifar10"): Range(0.54, 0.60),
    ("rnn", "cifar10"): Range(0.43, 0.45),
    ("autoencoder", "cifar10"): Range(0.83, 0.93),
}
"""Table 1: smallest and largest of 30 networks over all depths and activations."""


def performance_table(field: Observations) -> pl.DataFrame:
    """Ranges of our networks beside the published ones: a row a kind of network and dataset."""
    rows = []
    for dataset in dict.fromkeys(cell.dataset for cell in field):
        for kind in KINDS:
            own = {cell: one for cell, one in field.items() if (cell.dataset, cell.kind) == (dataset, kind)}
            if not own:
                continue
            said = PUBLISHED.get((kind, dataset))
            row: dict[str, object] = {
                "network": NAMES[kind],
                "dataset": dataset,
                "measure": "mean squared error" if kind == "autoencoder" else "accuracy",
                "published": str(said) if said else "",
                "here": _range(np.concatenate([one.performance for one in own.values()])),
            }
            for activation in ("linear", "relu", "sigmoid"):
                some = [one.performance for cell, one in own.items() if cell.activation == activation]
                row[activation] = _range(np.concatenate(some)) if some else ""
            rows.append(row | {"networks": sum(one.networks for one in own.values())})
    return pl.DataFrame(rows)


def cells_table(field: Observations) -> pl.DataFrame:
    """How each cell does: a row a cell."""
    return pl.DataFrame(
        [
            {
                "dataset": cell.dataset,
                "network": NAMES[cell.kind],
                "layers": cell.depth,
                "activation": cell.activation,
                "networks": one.networks,
                "lowest": float(one.performance.min()),
                "mean": float(one.performance.mean()),
                "highest": float(one.performance.max()),
            }
            for cell, one in field.items()
        ]
    )


def scalings_table(
    field: Observations, dataset: str, known: list[Trivial], factor: float, squashed: Mapping[float, np.ndarray]
) -> pl.DataFrame:
    """Mean squared errors by the scaling of images: of predictors that know nothing, and of our autoencoders.

    A linear output in one scaling is a linear output in another, so that its error changes by the square of the
    slope; a sigmoid's output lies in [0, 1] whatever the scaling, so that such networks are trained for each.

    Parameters
    ----------
    field
        All cells.
    dataset
        Which images.
    known
        What trivial predictors achieve, by scaling.
    factor
        Of the scaling that the networks were trained on.
    squashed
        Errors of networks with sigmoid outputs trained on other scalings, by their factor.
    """
    own = [(cell, one) for cell, one in field.items() if cell.dataset == dataset and cell.kind == "autoencoder"]
    linear = [one.performance for cell, one in own if cell.activation != "sigmoid"]
    bent = [one.performance for cell, one in own if cell.activation == "sigmoid"]
    sigmoid = {**({factor: np.concatenate(bent)} if bent else {}), **squashed}
    rows = []
    for one in known:
        errors = [values for own, values in sigmoid.items() if abs(own / one.factor - 1) < 1e-9]
        rows.append(
            {
                "images": one.scaling,
                "always 0": one.zero,
                "mean brightness": one.grey,
                "mean image": one.mean,
                "best output in [0, 1]": one.clipped,
                "linear outputs, here": _range(np.concatenate(linear) * one.factor / factor) if linear else "",
                "sigmoid outputs, here": _range(errors[0]) if errors else "",
            }
        )
    return pl.DataFrame(rows)


def _range(values: np.ndarray) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{_digits(low)} to {_digits(high)}"


def _digits(value: float) -> str:
    return f"{value:.3f}" if value < 10 else f"{value:,.0f}"
