"""Numbers from Parquet tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float

from synaplex.errors import UnreadableFileError


def read_columns(path: Path, columns: Sequence[str]) -> Float[np.ndarray, "rows columns"]:
    """Columns of a Parquet file, in this order, as float64.

    Raises
    ------
    UnreadableFileError
        If the file is damaged, empty, lacks a column, or has gaps.
    """
    try:
        frame = pl.read_parquet(path, columns=list(columns)).select(pl.col(columns).cast(pl.Float64))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UnreadableFileError(f"{path} cannot be read: {error}") from error
    table = frame.to_numpy()
    if not len(table) or not np.isfinite(table).all():
        raise UnreadableFileError(f"{path} has no rows, or values that are missing")
    return table
