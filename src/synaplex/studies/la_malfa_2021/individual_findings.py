"""The claims about the single network that is followed while it learns."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from synaplex.studies.finding import Finding, decide, signed
from synaplex.studies.shape import trend

MONOTONIC = 0.9
"""Rank correlation with accuracy from which a course is called monotonic."""

FEWEST_MOMENTS = 4
"""Moments below which nothing is said about a course."""

REPEATED = 0.05
"""Share of neurons with a common strength above which a density is called spiky."""

EXCEPTION = "dense 1"
"""The layer between two dense ones, of which the paper says that its fluctuation does not grow."""


def individual_findings(table: pl.DataFrame) -> tuple[Finding, ...]:
    """What becomes of the claims, from the table of `individual_table`; its first network is the one that counts."""
    first = table.filter(pl.col("network") == 0).sort("step")
    names = [name for name in first["name"].unique(maintain_order=True) if name not in ("input", "output")]
    moments = first["step"].n_unique()
    top = float(first["accuracy"].max())  # type: ignore[arg-type]
    reached = f"Accuracy reached: {top:.2f} (the paper: 0.7), {moments} moments."
    known = moments >= FEWEST_MOMENTS
    return (_strength(first, names, reached, known), _fluctuation(first, names, reached, known), _spikes(first, names))


def _strength(first: pl.DataFrame, names: Sequence[str], reached: str, known: bool) -> Finding:
    trends = {name: _trend(first, name, "mean") for name in names}
    falls = [trends[name] for name in _convolutions(names)]
    return Finding(
        "individual",
        "One CNN while it learns: the strength of convolutional layers decreases monotonically. (section V.B.2, "
        "figure 6)",
        decide(known and max(falls) <= -MONOTONIC, known and sum(falls) > 0),
        f"{reached} Rank correlation of the mean strength with accuracy: {_listed(trends)}. Holds if at most "
        f"{signed(-MONOTONIC)} in all convolutional layers, fails if positive on the whole. Shuffling weights "
        "within a layer changes mean strengths only at the borders of images: this is fixed by the weight distribution "
        "alone.",
    )


def _fluctuation(first: pl.DataFrame, names: Sequence[str], reached: str, known: bool) -> Finding:
    trends = {name: _trend(first, name, "fluctuation") for name in names}
    shuffled = {name: _trend(first, name, "shuffled_fluctuation") for name in names}
    others, exception = [value for name, value in trends.items() if name != EXCEPTION], trends[EXCEPTION]
    return Finding(
        "individual",
        "One CNN while it learns: fluctuation grows monotonically but for the dense-to-dense layer. (section V.B.2, "
        "figure 6)",
        decide(
            known and min(others) >= MONOTONIC and exception < MONOTONIC,
            known and (min(others) < 0 or exception >= MONOTONIC),
        ),
        f"{reached} Rank correlation of fluctuation with accuracy: {_listed(trends)}; with weights shuffled: "
        f"{_listed(shuffled)}. Holds if at least {signed(MONOTONIC)} in all hidden layers but {EXCEPTION}, whose links "
        "lead to the next dense layer; fails if that layer grows as well, or another shrinks.",
    )


def _spikes(first: pl.DataFrame, names: Sequence[str]) -> Finding:
    ends = {name: first.filter(pl.col("name") == name).sort("step") for name in names}
    rises = [float(ends[name]["repeated"][-1] - ends[name]["repeated"][0]) for name in _convolutions(names)]
    smooth = [float(ends[name]["repeated"][-1]) for name in names if name not in _convolutions(names)]
    said = ", ".join(
        f"{name} {rows['repeated'][0]:.0%} untrained, {rows['repeated'][-1]:.0%} trained, "
        f"{rows['shuffled_repeated'][-1]:.0%} shuffled"
        for name, rows in ends.items()
    )
    return Finding(
        "individual",
        "Spikes in the strengths of convolutional layers come with accuracy, dense layers show none. (section V.B.2, "
        "figure 6)",
        decide(min(rises) > REPEATED and max(smooth) <= REPEATED, max(rises) <= REPEATED),
        f"Share of neurons whose strength another one equals: {said}. Holds if it rises by more than {REPEATED:.0%} in "
        "all convolutional layers, fails if in none. A kernel is shared: neurons of a channel have one strength "
        "wherever they lie away from the border, before learning as after it.",
    )


def _convolutions(names: Sequence[str]) -> list[str]:
    return [name for name in names if name.startswith("convolution")]


def _trend(table: pl.DataFrame, name: str, column: str) -> float:
    rows = table.filter(pl.col("name") == name)
    return trend(rows["accuracy"].to_numpy(), rows[column].to_numpy())


def _listed(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {signed(value)}" for name, value in values.items())
