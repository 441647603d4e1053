"""Claims on how centrality develops in a network: its growth, its hubs, and its company with accuracy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import log, sqrt

import numpy as np
import polars as pl
from scipy.stats import t as student

from synaplex.studies.finding import Finding, decide, minus, signed
from synaplex.studies.heath.centralities import VERSIONS
from synaplex.studies.heath.growth import WINDOW, beyond_trend, of_changes, rank_correlation, series, slope_ratio
from synaplex.studies.heath.results import Results, complete, interval

LINEAR = (0.8, 1.25)
"""Ratio of the slopes of both halves of training between which growth is called linear."""

NEAR = 1.25
"""Factor within which two standard deviations are called equal, on the mean over epochs."""

SPOKEN = ("MLP", "SET")
"""Methods of which the paper makes its claims on growth and accuracy: their tests decide, the others are shown."""

FEW = 6
"""Epochs below which the course of a network is too short to tell."""


def verdict_of(
    topic: str, statement: str, holds: Sequence[bool], fails: Sequence[bool], evidence: str, few: str = ""
) -> Finding:
    """Holds where all tests do, fails where all fail, else undecided; undecided without any."""
    if not holds:
        return Finding(topic, statement, "undecided", few or "Nothing to test it on yet.")
    return Finding(topic, statement, decide(all(holds), all(fails)), evidence)


def printed(table: pl.DataFrame) -> Finding:
    """Which version of centrality the paper's tables 9 and 10 hold; of the table of centralities."""
    statement = (
        "The centralities printed for MLP and SET are those of the wrongly assembled graphs. (tables 9 and 10; the "
        "question is ours)"
    )
    own = table.filter(pl.col("method").is_in(["MLP", "SET"]) & pl.col("published sigma").is_not_null())
    lines, holds, fails = [], [], []
    for (method,), rows in own.group_by("method", maintain_order=True):
        apart = {
            name: float(np.mean([abs(log(a / b)) for a, b in rows.select(f"{name} sigma", "published sigma").rows()]))
            for name in VERSIONS
            if rows[f"{name} sigma"].null_count() == 0
        }
        nearest = min(apart, key=lambda name, apart=apart: apart[name])  # type: ignore[misc]
        holds.append(nearest == "released" and apart[nearest] < log(NEAR))
        fails.append(nearest != "released")
        said = ", ".join(f"{name} {np.exp(value):.2f}" for name, value in apart.items())
        lines.append(f"- {method}, {len(rows)} epochs: {said}")
    text = (
        "The mean factor between our sigma and the printed one at the epochs of the table, by version; it holds where "
        f"the released assembly is the nearest, and within {NEAR:g}.\n\n" + "\n".join(lines)
    )
    return verdict_of("growth", statement, holds, fails, text)


def growing(results: Results) -> Iterator[Finding]:
    """Whether sigma grows linearly."""
    for column, what in (
        ("released_sigma", "as the code measured it"),
        ("variant_sigma", "on the right graph"),
        ("exact_sigma", "by the definition"),
    ):
        found = {key: slope_ratio(one) for key, one in series(results, column).items() if len(one) >= FEW}
        lines, low, high = _by_method(found)
        yield verdict_of(
            "growth",
            f"Sigma of Laplacian centrality, {what}, grows linearly over the epochs. (sections 6.1.1 and 8)",
            [LINEAR[0] < a and b < LINEAR[1] for a, b in zip(low, high, strict=True)],
            [b <= LINEAR[0] or a >= LINEAR[1] for a, b in zip(low, high, strict=True)],
            f"Slope in the second half of training over that in the first; linear within {LINEAR[0]:g} to "
            f"{LINEAR[1]:g}.\n\n{lines}",
        )


def _by_method(found: dict[tuple[str, int], float]) -> tuple[str, list[float], list[float]]:
    """A line a method with mean and interval over seeds; and the intervals' ends of those that decide."""
    lines, low, high = [], [], []
    for method in dict.fromkeys(method for method, _ in found):
        mean, least, most = interval([value for (name, _), value in found.items() if name == method])
        if method in SPOKEN:
            low.append(least)
            high.append(most)
        lines.append(f"- {method}: {ranged(mean, least, most)}")
    return "\n".join(lines), low, high


def ranged(mean: float, low: float, high: float) -> str:
    """A mean with its interval, where there is one."""
    return signed(mean) + (f" ({signed(low)} to {signed(high)})" if np.isfinite(low) else " (one seed)")


def largest_by_chance(draws: int) -> float:
    """The z that one more draw of a null model exceeds with probability 0.025: Student's prediction interval."""
    return float(student.ppf(0.975, draws - 1)) * sqrt(1 + 1 / draws)


def having_hubs(hubs: pl.DataFrame, draws: int) -> Iterator[Finding]:
    """Whether there are hubs beyond null models of so many draws."""
    bound = largest_by_chance(draws)
    for statistic, what in (
        ("hubs", "more hubs (neurons over 3 sigma above the mean)"),
        ("sigma", "a wider spread of centrality"),
    ):
        own = hubs.filter((pl.col("statistic") == statistic) & (pl.col("null") == "shuffled"))
        known = own.filter(pl.col("z").is_not_null())
        decides = known.filter(pl.col("method") != "static")
        least, largest = decides["least z"].to_list(), decides["largest z"].to_list()
        lines = "\n".join(
            f"- {row['method']}, {row['centrality']}: {row['observed']:.4g} against {row['null model']:.4g}, "
            f"z {minus(format(row['z'], '+.1f'))}"
            for row in known.iter_rows(named=True)
        )
        yield verdict_of(
            "hubs",
            f"Trained networks have {what} than the same networks with their weights shuffled within each layer. "
            "(sections 7.1 and 8; the control is ours)",
            [z > bound for z in least],
            [z <= bound for z in largest],
            f"At the end of training, means over seeds; it holds where z is above {bound:.2f} in every network that is "
            f"dense or evolves: one more of {draws} draws would lie as high with probability 0.025.\n\n{lines}",
        )


def with_accuracy(results: Results) -> Iterator[Finding]:
    """Whether the spread of centrality goes with accuracy, beside the spread of plain weights."""
    tests: tuple[tuple[str, Callable[[np.ndarray, np.ndarray], float], str], ...] = (
        (
            "The spread of centrality and accuracy go together beyond both rising with time. (section 6.1.1)",
            beyond_trend,
            f"Rank correlation over epochs of sigma and test accuracy, each without the mean of its {WINDOW} "
            "neighbouring epochs. With it, it would be near 1 for any two quantities that rise.",
        ),
        (
            "The epochs with the largest growth of the spread have the largest growth of accuracy. (section 7.1)",
            of_changes,
            "Rank correlation of the changes of sigma and of test accuracy from epoch to epoch.",
        ),
    )
    accuracy = series(results, "test_accuracy")
    for statement, correlation, said in tests:
        low: list[float] = []
        high: list[float] = []
        parts = []
        columns = {"variant_sigma": "CenSET's variant", "exact_sigma": "exact", "weight_sigma": "control: weights"}
        for column, name in columns.items():
            sigma = series(results, column)
            found = {key: correlation(one, accuracy[key]) for key, one in sigma.items() if len(one) >= 2 * FEW}
            lines, least, most = _by_method({key: value for key, value in found.items() if np.isfinite(value)})
            if column != "weight_sigma":
                low += least
                high += most
            if lines:
                parts.append(f"{name}:\n\n{lines}")
        yield verdict_of(
            "accuracy",
            statement,
            [one > 0 for one in low],
            [one <= 0 for one in high],
            f"{said} It holds where the intervals over seeds lie above 0; the control, sigma of the weights "
            "themselves, does not count.\n\n" + "\n\n".join(parts),
        )


def among_cells(results: Results) -> Finding:
    """Whether, among networks of one seed and budget, those with a wider spread of centrality are more accurate."""
    statement = (
        "Among networks with the same budget, those with a wider spread of centrality are the more accurate. (section "
        "7.1; the test is ours)"
    )
    own = complete(results.epochs.filter(pl.col("stage") == "grid"))
    found: dict[str, list[float]] = {"variant_sigma": [], "exact_sigma": [], "weight_sigma": []}
    for (seed,), _ in own.group_by("seed", maintain_order=True):
        rows = own.filter(pl.col("seed") == seed)
        accuracy = results.last(rows).sort("method")["value"].to_numpy()
        for column, values in found.items():
            values.append(rank_correlation(results.last(rows, column).sort("method")["value"].to_numpy(), accuracy))
    intervals = {column: interval(values) for column, values in found.items() if values}
    deciding = [intervals[column] for column in ("variant_sigma", "exact_sigma") if column in intervals]
    lines = "\n".join(f"- {column.replace('_', ', ')}: {ranged(*one)}" for column, one in intervals.items())
    return verdict_of(
        "accuracy",
        statement,
        [low > 0 for _, low, _ in deciding],
        [high <= 0 for _, _, high in deciding],
        "Rank correlation over the cells of the grid at the end of training, within each seed; it holds where both "
        f"intervals lie above 0. The last line, sigma of the weights themselves, is the control.\n\n{lines}",
    )
