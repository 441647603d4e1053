"""Files of a study: its tables, and what a killed run left behind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from synaplex.report.files import replacing


def write_tables(tables: Mapping[str, pl.DataFrame], folder: Path) -> None:
    """Each table as ``name.parquet`` and ``name.csv``, whole or not at all; equal tables give equal files."""
    for name, table in tables.items():
        with replacing(folder / f"{name}.parquet") as part:
            table.write_parquet(part)
        with replacing(folder / f"{name}.csv") as part:
            table.write_csv(part)


def clear_leftovers(out: Path) -> None:
    """Remove what a run that was killed while it wrote has left: files that did not get their name yet."""
    for part in (found for folder in (out, out / "tables", out / "figures") for found in folder.glob(".*.part")):
        part.unlink(missing_ok=True)
