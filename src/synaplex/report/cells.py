"""Cells of a table: values as a reader likes them, and as a sort needs them."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

NUMERIC = "number"


@dataclass(frozen=True)
class Cell:
    """A value in a table.

    Attributes
    ----------
    text
        What is shown.
    key
        What the column is sorted by; empty for a value that is missing, which sorts last.
    """

    text: str
    key: str


def number(value: float | int, digits: int = 3) -> str:
    """A number with that many significant digits, whole numbers in full, very large and small ones as powers of ten.

    Examples
    --------
    >>> [number(x) for x in (12345, 0.98765, 12.0, -0.00001234, 0.0)]
    ['12,345', '0.988', '12.0', '−1.23 × 10⁻⁵', '0']
    """
    if isinstance(value, int):
        text = f"{value:,}" if abs(value) >= 10_000 else str(value)
    elif not math.isfinite(value):
        text = "not a number" if math.isnan(value) else "∞" if value > 0 else "-∞"
    elif value == 0:
        text = "0"
    else:
        exponent = int(f"{value:.{max(digits - 1, 0)}e}".partition("e")[2])
        if -4 <= exponent < 6:
            comma = "," if exponent >= 4 else ""
            text = f"{value:{comma}.{max(digits - 1 - exponent, 0)}f}"
        else:
            mantissa = f"{value:.{max(digits - 1, 0)}e}".partition("e")[0]
            text = f"{mantissa} × 10{str(exponent).translate(_RAISED)}"
    return text.replace("-", "−", 1) if text.startswith("-") else text


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def cell(value: Any, digits: int = 3) -> Cell:
    """The cell of one value."""
    if value is None:
        return Cell("–", "")
    if isinstance(value, bool):
        return Cell("yes" if value else "no", str(int(value)))
    if isinstance(value, int | float):
        return Cell(number(value, digits), "" if math.isnan(value) else repr(value))
    if isinstance(value, datetime.timedelta):
        return Cell(str(value), repr(value.total_seconds()))
    if isinstance(value, Sequence) and not isinstance(value, str):
        text = " × ".join(cell(item, digits).text for item in value)
        return Cell(text or "–", text)
    return Cell(str(value), str(value))


def is_numeric(column: pl.Series) -> bool:
    """Whether a column is set and sorted as numbers."""
    return column.dtype.is_numeric() or column.dtype == pl.Boolean or column.dtype == pl.Duration


def count(number_of: int, what: str) -> str:
    """A number of things.

    Examples
    --------
    >>> count(1, "neuron"), count(1200, "neuron")
    ('1 neuron', '1,200 neurons')
    """
    return f"{number_of:,} {what}{'' if number_of == 1 else 's'}"
