"""The paper's claims, and doubts about them, as data: which number decides, and where each applies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from synaplex.studies.la_malfa_2021.recipe import Cell

ALIKE = 0.1
"""Standard deviations between two distributions below which they are hardly told apart by eye."""

CLEAR = 0.5
"""Rank correlation from which a trend is called monotonic."""

Row = dict[str, Any]
Test = Callable[[Row], bool]


@dataclass(frozen=True)
class Claim:
    """A claim about each population and layer to which it applies.

    Attributes
    ----------
    key, topic
        For tables and the part of the report.
    statement
        So that it can be false.
    source
        Where the paper says so; "control" for a doubt of this study.
    quantity
        The number that decides, of `Statistics`.
    criterion
        When it holds and when it fails, in words.
    holds, fails
        The same as tests of a row with value, interval and null models.
    applies
        To which populations.
    layers
        To which layers: number of the layer, number of layers.
    somewhere
        Whether the paper says so of "a few" cases: then it holds on the whole if it holds anywhere, and fails if it
        fails everywhere.
    """

    key: str
    topic: str
    statement: str
    source: str
    quantity: str
    criterion: str
    holds: Test
    fails: Test
    applies: Callable[[Cell], bool] = lambda cell: True
    layers: Callable[[Cell, int, int], bool] = lambda cell, layer, count: 0 < layer < count - 1
    somewhere: bool = False


def _above(row: Row) -> bool:
    return bool(row["low"] > 0)


def _below(row: Row) -> bool:
    return bool(row["high"] < 0)


def _beyond_shuffled(row: Row) -> bool:
    p = row["shuffled_p"]
    return p is not None and p < 0.025


def _as_shuffled(row: Row) -> bool:
    """Whether shuffled weights tell as much, be it that they fix the number."""
    p = row["shuffled_p"]
    return bool(row["shuffled_deviation"] == 0 if p is None else p > 0.5)


def _dense(cell: Cell) -> bool:
    return cell.kind == "dense"


def _restrained(cell: Cell) -> bool:
    return _dense(cell) and cell.scale == 0.5 and cell.initializer == "normal"


def _links(cell: Cell, layer: int, count: int) -> bool:
    return layer > 0


def _convolutions(cell: Cell, layer: int, count: int) -> bool:
    return layer in (1, 2)


def _with_input(cell: Cell, layer: int, count: int) -> bool:
    return layer in (0, 1, 2)


CLAIMS = (
    Claim(
        "weights alike",
        "weights",
        "Link weights hardly tell low- from high-performing networks.",
        "section V.B.1, figures 2 and 7",
        "weights distance",
        f"interval of the distance below {ALIKE} standard deviations; fails if above",
        lambda row: row["high"] < ALIKE,
        lambda row: row["low"] > ALIKE,
        layers=_links,
    ),
    Claim(
        "weights heavier tails",
        "weights",
        "Link weights grow heavier tails as accuracy improves.",
        "section V.B.1, figure 7",
        "weights kurtosis gain",
        "interval of the gain in kurtosis above 0; fails if below",
        _above,
        _below,
        layers=_links,
    ),
    Claim(
        "weights flatten",
        "weights",
        "Link weights spread out slightly as accuracy improves.",
        "section V.B.1, figure 7",
        "weights spread gain",
        "interval of log(deviation, highest / lowest bin) above 0; fails if below",
        _above,
        _below,
        layers=_links,
    ),
    Claim(
        "weights stable mean",
        "weights",
        "The mean of link weights stays where it is.",
        "section V.B.1, figure 7",
        "weights shift",
        f"interval of the difference of means below {ALIKE} standard deviations; fails if above",
        lambda row: row["high"] < ALIKE,
        lambda row: row["low"] > ALIKE,
        layers=_links,
    ),
    Claim(
        "weights restrained",
        "weights",
        "Dense networks of normal weights and scale 0.5: weights of the best networks have restrained variance.",
        "section V.B.1, figure 7, top",
        "weights best against others",
        "interval of log(deviation, highest bin / median of the others) below 0; fails if above",
        _below,
        _above,
        _restrained,
        _links,
    ),
    Claim(
        "strength tells more",
        "strength",
        "Nodes Strength tells low- from high-performing networks better than the weights that enter a layer do.",
        "abstract, section V.B.1",
        "strength beyond weights",
        "interval of the difference of distances above 0; fails if below",
        _above,
        _below,
    ),
    Claim(
        "strength widens",
        "strength",
        "The distribution of Nodes Strength widens as accuracy increases.",
        "section V.B.1, figures 3 and 8",
        "spread gain",
        "interval of log(deviation, highest / lowest bin) above 0; fails if below",
        _above,
        _below,
    ),
    Claim(
        "strength leaves zero",
        "strength",
        "Dense networks of scale 0.05: strengths gather around positive and negative values and leave the middle.",
        "section V.B.1, figure 8",
        "near zero",
        "interval of the change of the share near zero below 0; fails if above",
        _below,
        _above,
        lambda cell: _dense(cell) and cell.scale == 0.05,
    ),
    Claim(
        "strength bimodal",
        "strength",
        "Dense networks of scale 0.05: strengths of accurate networks are bimodal in layers 2 and 3.",
        "section V.B.1, figure 8, bottom",
        "bimodal",
        "two humps in at least 95% of resamples; fails if in at most 5%",
        lambda row: row["value"] >= 0.95,
        lambda row: row["value"] <= 0.05,
        lambda cell: _dense(cell) and cell.scale == 0.05,
        lambda cell, layer, count: layer in (2, 3),
    ),
    Claim(
        "strength bimodal, input counted",
        "strength",
        "Dense networks of scale 0.05: strengths of accurate networks are bimodal in the first two hidden layers, "
        "layers 2 and 3 if the input is layer 1.",
        "section V.B.1, figure 8, bottom",
        "bimodal",
        "two humps in at least 95% of resamples; fails if in at most 5%",
        lambda row: row["value"] >= 0.95,
        lambda row: row["value"] <= 0.05,
        lambda cell: _dense(cell) and cell.scale == 0.05,
        lambda cell, layer, count: layer in (1, 2),
    ),
    Claim(
        "strength heavy tails",
        "strength",
        "Strengths of accurate networks have heavy tails.",
        "section V.B.1, figures 5 and 10",
        "kurtosis",
        "interval of the excess kurtosis above 0; fails if below",
        _above,
        _below,
    ),
    Claim(
        "strength heavier tails",
        "strength",
        "Strengths grow heavier tails as accuracy increases.",
        "section V.B.1; abstract, greater extremity of deviations",
        "kurtosis gain",
        "interval of the gain in kurtosis, highest less lowest bin, above 0; fails if below",
        _above,
        _below,
    ),
    Claim(
        "restrained variance",
        "strength",
        "Dense networks of normal weights and scale 0.5: strengths of the best networks have restrained variance.",
        "section V.B.1, figure 8, top",
        "best against others",
        "interval of log(deviation, highest bin / median of the others) below 0; fails if above",
        _below,
        _above,
        _restrained,
    ),
    Claim(
        "positive tails",
        "strength",
        "CNNs: strengths of the input and of convolutional layers, the first three plots, have fat positive tails.",
        "section V.B.1, figure 3",
        "skewness",
        "interval of the skewness above 0; fails if below",
        _above,
        _below,
        lambda cell: cell.kind == "cnn",
        _with_input,
    ),
    Claim(
        "monotonic",
        "strength",
        "CNNs: the mean strength of convolutional layers follows accuracy monotonically.",
        "section V.B.1, figure 3",
        "mean trend",
        f"interval of the rank correlation beyond {CLEAR} on one side; fails if within",
        lambda row: row["low"] > CLEAR or row["high"] < -CLEAR,
        lambda row: row["low"] > -CLEAR and row["high"] < CLEAR,
        lambda cell: cell.kind == "cnn",
        _convolutions,
    ),
    Claim(
        "accurate differ",
        "strength",
        "CNNs: accurate networks differ from one another more than inaccurate ones do.",
        "section V.B.1, read from the tails of figure 3",
        "between networks",
        "interval of the gain in the share of variance between networks above 0; fails if below",
        _above,
        _below,
        lambda cell: cell.kind == "cnn",
        _convolutions,
    ),
    Claim(
        "fluctuation grows",
        "fluctuation",
        "Accurate networks have larger Layers Fluctuation.",
        "section V.B.2, figures 4 and 9",
        "fluctuation gain",
        "interval of log(mean fluctuation, highest / lowest bin) above 0; fails if below",
        _above,
        _below,
    ),
    Claim(
        "fluctuation flattens",
        "fluctuation",
        "Layers Fluctuation spreads out over networks as accuracy increases.",
        "section V.B.1, figure 9",
        "fluctuation spread",
        "interval of log(deviation over networks, highest / lowest bin) above 0; fails if below",
        _above,
        _below,
    ),
    Claim(
        "fluctuation multimodal",
        "fluctuation",
        "Layers Fluctuation of accurate networks is multimodal in a few cases.",
        "section V.B.1, figure 9",
        "fluctuation bimodal",
        "two humps over all networks that have been in the highest bin; holds on the whole if anywhere",
        lambda row: row["value"] == 1,
        lambda row: row["value"] == 0,
        somewhere=True,
    ),
    Claim(
        "fluctuation restrained",
        "fluctuation",
        "Dense networks of normal weights and scale 0.5: fluctuations of the best networks have restrained variance.",
        "section V.B.1, figure 9, top",
        "fluctuation best against others",
        "interval of log(deviation over networks, highest bin / median of the others) below 0; fails if above",
        _below,
        _above,
        _restrained,
    ),
    Claim(
        "beyond shuffled",
        "controls",
        "Strength tells low from high accuracy by how weights are placed: shuffled within a layer, they tell less.",
        "control",
        "strength distance",
        "another draw of shuffled weights lies as high with probability below 0.025; fails if above 0.5",
        _beyond_shuffled,
        _as_shuffled,
    ),
    Claim(
        "fluctuation beyond shuffled",
        "controls",
        "Fluctuation grows by how weights are placed: shuffled within a layer, it grows less.",
        "control",
        "fluctuation gain",
        "another draw of shuffled weights lies as high with probability below 0.025; fails if above 0.5",
        _beyond_shuffled,
        _as_shuffled,
    ),
)
"""In the paper's order, then the controls."""
