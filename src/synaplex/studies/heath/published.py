"""The paper's numbers, and where its text contradicts them or its code (github.com/andrewjh9/CenBench)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

Spread = tuple[float, float]
"""Mean and standard deviation."""

EPOCHS: Mapping[str, tuple[int, ...]] = {"fashion-mnist": tuple(range(0, 200, 25)), "cifar10": tuple(range(0, 400, 25))}
"""Epochs of tables 9 and 10, as the paper counts: its epoch 0 is after one epoch of training."""

TABLE_4: Mapping[str, Mapping[str, tuple[float, int | None, Spread]]] = {
    "fashion-mnist": {
        "CenSET": (84.87, 33337, (2.595, 5.599)),
        "SET": (86.00, 33230, (5.090, 9.732)),
        "MLP": (87.3, None, (3.886, 7.252)),
    },
    "cifar10": {
        "CenSET": (64.34, 341124, (0.452, 2.573)),
        "SET": (67.08, 341664, (0.676, 1.807)),
        "MLP": (63.10, None, (7.050, 18.563)),
    },
}
"""Accuracy in per cent, connections, Laplacian centrality: means of the final 10 epochs."""

TABLE_5: Mapping[str, Mapping[float, float]] = {
    "fashion-mnist": dict(
        zip(
            (k / 2 for k in range(9)),
            (61.63, 61.63, 80.11, 82.11, 82.59, 83.45, 83.24, 83.09, 83.06),
            strict=True,
        )
    ),
    "cifar10": dict(
        zip(
            (k / 2 for k in range(9)),
            (10.00, 47.54, 49.01, 50.09, 51.40, 58.75, 59.17, 59.17, 59.31),
            strict=True,
        )
    ),
}
"""Wide search: accuracy in per cent by threshold."""

TABLE_6 = dict(
    zip(
        (round(2 + k / 10, 1) for k in range(11)),
        (84.43, 84.21, 84.50, 84.29, 84.46, 84.62, 84.87, 84.76, 84.45, 84.71, 84.83),
        strict=True,
    )
)
"""Narrow search on Fashion-MNIST."""

TABLE_7 = {2.0: 41.19, 2.4: 39.59, 2.8: 63.75, 3.2: 64.14, 3.6: 63.59, 4.0: 64.02}
"""Semi-narrow search on CIFAR-10."""

TABLE_8 = dict(
    zip(
        (round(2.8 + k / 10, 1) for k in range(13)),
        (63.75, 63.60, 63.89, 63.30, 64.34, 64.18, 64.02, 63.88, 64.06, 63.90, 64.14, 64.16, 64.02),
        strict=True,
    )
)
"""Narrow search on CIFAR-10."""

NARROW: Mapping[str, Mapping[float, float]] = {"fashion-mnist": TABLE_6, "cifar10": TABLE_7 | TABLE_8}
"""Narrow searches; where tables 7 and 8 hold two values of one threshold, that of table 8."""

TABLE_9: Mapping[str, tuple[Spread, ...]] = {
    "MLP": ((0.90, 1.62), (1.29, 3.38), (1.72, 4.28), (2.06, 5.09), (2.41, 5.64), (2.63, 6.00), (2.72, 6.54),
            (2.95, 7.07)),
    "SET": ((0.12, 0.42), (0.27, 1.74), (0.66, 3.32), (1.07, 4.55), (1.55, 5.97), (1.90, 7.05), (2.23, 7.95),
            (2.60, 8.84)),
    "CenSET": ((0.15, 0.50), (0.34, 1.17), (0.74, 2.05), (1.12, 2.75), (1.49, 3.47), (1.76, 4.10), (2.04, 4.66),
               (2.35, 5.16)),
}  # fmt: skip
"""Laplacian centrality on Fashion-MNIST at the epochs of `EPOCHS`."""

TABLE_10: Mapping[str, tuple[Spread, ...]] = {
    "MLP": ((1.16, 1.98), (1.16, 2.76), (1.53, 3.80), (1.53, 4.65), (2.03, 5.85), (2.03, 6.88), (2.48, 8.00),
            (2.48, 9.74), (3.02, 10.68), (3.02, 11.62), (3.58, 12.70), (3.58, 13.88), (4.01, 15.58), (4.01, 16.38),
            (4.44, 17.58), (4.44, 18.56)),
    "SET": ((0.01, 0.02), (0.02, 0.16), (0.04, 0.26), (0.06, 0.37), (0.07, 0.47), (0.09, 0.59), (0.11, 0.59),
            (0.13, 0.81), (0.15, 0.92), (0.16, 1.04), (0.19, 1.15), (0.21, 1.26), (0.23, 1.38), (0.25, 1.48),
            (0.27, 1.60), (0.29, 1.72)),
    "CenSET": ((0.01, 0.02), (0.05, 0.39), (0.03, 0.48), (0.03, 0.61), (0.04, 0.74), (0.06, 0.89), (0.08, 1.03),
               (0.11, 1.17), (0.15, 1.36), (0.18, 1.51), (0.22, 1.65), (0.26, 1.81), (0.30, 1.97), (0.34, 2.16),
               (0.38, 2.32), (0.42, 2.51)),
}  # fmt: skip
"""Laplacian centrality on CIFAR-10 at the epochs of `EPOCHS`."""

CENTRALITIES: Mapping[str, Mapping[str, tuple[Spread, ...]]] = {"fashion-mnist": TABLE_9, "cifar10": TABLE_10}
"""Tables 9 and 10 by dataset."""

HALVED = ("MLP", "SET")
"""Methods whose printed means belong to half the printed epoch: their code notes the mean twice an epoch."""


def family(method: str) -> str:
    """What the paper calls a method, whatever its threshold."""
    return "CenSET" if method.startswith("CenSET") else method


def sigma_at(dataset: str, method: str, epoch: int) -> float | None:
    """The printed standard deviation at an epoch of the paper's count."""
    found = _row(dataset, method, epoch)
    return None if found is None else found[1]


def mean_at(dataset: str, method: str, epoch: int) -> float | None:
    """The mean at an epoch of the paper's count, which for MLP and SET is printed at twice that epoch."""
    found = _row(dataset, method, 2 * epoch if family(method) in HALVED else epoch)
    return None if found is None else found[0]


def _row(dataset: str, method: str, epoch: int) -> Spread | None:
    table = CENTRALITIES.get(dataset, {}).get(family(method), ())
    return dict(zip(EPOCHS.get(dataset, ()), table, strict=False)).get(epoch)


def growth(method: str, dataset: str) -> tuple[float, float]:
    """The printed standard deviation's mean relative growth from one row to the next, and its factor over all rows."""
    sigma = [spread[1] for spread in CENTRALITIES[dataset][method]]
    steps = [after / before - 1 for before, after in pairwise(sigma)]
    return sum(steps) / len(steps), sigma[-1] / sigma[0]


@dataclass(frozen=True)
class Contradiction:
    """A statement of the text beside what the paper's tables say.

    Attributes
    ----------
    text
        The statement and its section.
    tables
        What the tables say.
    """

    text: str
    tables: str


def contradictions() -> tuple[Contradiction, ...]:
    """Where the paper contradicts itself, the numbers computed from its own tables."""
    accuracy = {data: {name: row[0] for name, row in table.items()} for data, table in TABLE_4.items()}
    fashion, cifar = accuracy["fashion-mnist"], accuracy["cifar10"]
    mlp, evolved = growth("MLP", "fashion-mnist"), growth("SET", "fashion-mnist")
    mlp_cifar, evolved_cifar = growth("MLP", "cifar10"), growth("SET", "cifar10")
    return (
        Contradiction(
            "CIFAR-10 was benchmarked with a threshold of 3.7 sigma (section 6.3).",
            "3.2 sigma in section 6.2.2, in table 4, and as the best of table 8.",
        ),
        Contradiction(
            "Sigma of the MLP on Fashion-MNIST is 1.162 at epoch 0 (section 6.1).",
            f"{TABLE_9['MLP'][0][1]:.2f} in table 9; the released data say 1.6214.",
        ),
        Contradiction(
            "Sigma of the MLP grows by 26.9% (Fashion-MNIST) and 16.5% (CIFAR-10) per epoch (section 6.1).",
            f"{mlp[0]:.1%} and {mlp_cifar[0]:.1%} from row to row of tables 9 and 10, that is per 25 epochs.",
        ),
        Contradiction(
            "Sigma of SET increases by 72% from epoch 0 to 175 on Fashion-MNIST, and by 66% on CIFAR-10 (section 6.1).",
            f"By factors of {evolved[1]:.0f} and {evolved_cifar[1]:.0f} in tables 9 and 10; {evolved[0]:.0%} and "
            f"{evolved_cifar[0]:.0%} are the mean growth per 25 epochs (72% with the 0.429 of the text).",
        ),
        Contradiction(
            "On Fashion-MNIST CenSET falls short of SET by 2.3% and of the MLP by 3.8% (section 6.3).",
            f"By {fashion['SET'] - fashion['CenSET']:.2f} and {fashion['MLP'] - fashion['CenSET']:.2f} points in "
            "table 4.",
        ),
        Contradiction(
            "On CIFAR-10 CenSET falls short of SET by 3.8% (section 6.3).",
            f"By {cifar['SET'] - cifar['CenSET']:.2f} points in table 4.",
        ),
        Contradiction(
            "Tables 9 and 10 give means and standard deviations of the same epochs.",
            "The means of MLP and SET are those of half the printed epoch: their code notes the mean twice an epoch. "
            "In table 10 each mean of the MLP so appears in two rows. Standard deviations are right.",
        ),
        Contradiction(
            "Laplacian centrality is computed by eqs. 1 to 4, on the graph of section 4.1.",
            "The code computes another quantity, on a directed graph; and for MLP and SET on a graph that is put "
            "together wrongly.",
        ),
        Contradiction(
            "All experiments use SReLU (table 3).",
            "The code uses ReLU in all notebooks.",
        ),
        Contradiction(
            "Two trials of one threshold on CIFAR-10: tables 7 and 8.",
            f"{TABLE_7[3.2]:.2f} and {TABLE_8[3.2]:.2f} at 3.2 sigma, {TABLE_7[3.6]:.2f} and {TABLE_8[3.6]:.2f} at "
            "3.6: chance alone moves accuracies by as much as the narrow searches differ.",
        ),
    )
