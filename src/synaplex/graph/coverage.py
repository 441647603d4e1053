"""Coverage: what became of every parameter tensor of a model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import Literal

import polars as pl

Outcome = Literal["link", "bias", "left out", "not understood"]


@dataclass(frozen=True)
class Coverage:
    """What one parameter tensor became in the graph.

    Attributes
    ----------
    parameter
        Its name in the model or file.
    shape
        Its shape.
    outcome
        ``"link"``, ``"bias"``, ``"left out"``, or ``"not understood"``.
    detail
        The link it became, or why it became none.

    A row that names a module and an operation in the place of a parameter is a step that was not understood.
    """

    parameter: str
    shape: tuple[int, ...]
    outcome: Outcome
    detail: str = ""


def coverage_table(records: Iterable[Coverage]) -> pl.DataFrame:
    """A frame with columns parameter, shape, outcome, detail; a row a parameter tensor."""
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "parameter": pl.String,
        "shape": pl.List(pl.Int64),
        "outcome": pl.String,
        "detail": pl.String,
    }
    return pl.DataFrame([astuple(record) for record in records], schema=schema, orient="row")
