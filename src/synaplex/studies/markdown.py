"""Tables and figures of a page of the documentation."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl
from matplotlib.figure import Figure

from synaplex.report import style
from synaplex.report.files import replacing

DOTS = 72
"""Dots an inch of images."""


def markdown_table(table: pl.DataFrame, digits: int = 3) -> Iterator[str]:
    """The lines of a table, numbers with so many significant digits."""
    yield f"| {' | '.join(table.columns)} |"
    yield "| --- " * len(table.columns) + "|"
    for row in table.iter_rows():
        yield f"| {' | '.join(_cell(value, digits) for value in row)} |"


def write_images(figures: Mapping[str, Figure], folder: Path, dots: int = DOTS) -> None:
    """Write each figure as PNG, small enough for a page, into the folder."""
    for name, figure in figures.items():
        buffer = io.BytesIO()
        with style.context():
            figure.savefig(buffer, format="png", dpi=dots, bbox_inches="tight", pad_inches=0.05)
        with replacing(folder / f"{name}.png") as part:
            part.write_bytes(buffer.getvalue())


def _cell(value: object, digits: int) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}g}"
    return "" if value is None else str(value).replace("|", "\\|")
