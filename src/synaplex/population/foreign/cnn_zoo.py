"""The Small CNN Zoo of Unterthiner et al. (2020): the weights of all networks as rows of one matrix."""

from __future__ import annotations

import ast
import math
import os
from functools import cached_property

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from synaplex.errors import UnreadableFileError
from synaplex.population.foreign.base import ForeignPopulation

WEIGHTS, METRICS, LAYOUT = "weights.npy", "metrics.csv.gz", "layout.csv"


class CnnZoo(ForeignPopulation):
    """The networks of one dataset of the Small CNN Zoo.

    ``weights.npy`` has a row a network and step, which is mapped into memory, not read; ``metrics.csv.gz`` says what
    each row is; ``layout.csv`` which of its columns make which tensor (``varname``, ``start_idx``, ``end_idx``,
    ``shape``, TensorFlow's axes). Networks are told apart by ``modeldir`` (each row is one, where there is none) and
    numbered in their order; what stands in for the epoch is the ``step``.

    Parameters
    ----------
    folder
        With the three files.

    Raises
    ------
    UnreadableFileError
        If a file is missing or damaged, or they do not belong together.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        super().__init__(folder)
        try:
            self._matrix: NDArray[np.floating] = np.load(self.folder / WEIGHTS, mmap_mode="r", allow_pickle=False)
            metrics = pl.read_csv(self.folder / METRICS, infer_schema_length=None)
            layout = pl.read_csv(self.folder / LAYOUT).select("varname", "start_idx", "end_idx", "shape")
            self._layout = [
                (str(name), int(start), int(end), tuple(int(size) for size in ast.literal_eval(shape)))
                for name, start, end, shape in layout.rows()
            ]
        except (OSError, EOFError, ValueError, SyntaxError, TypeError, pl.exceptions.PolarsError) as error:
            raise UnreadableFileError(
                f"{self.folder} is no Small CNN Zoo, or a damaged one; {WEIGHTS}, {METRICS} and {LAYOUT} are expected: "
                f"{error}"
            ) from error
        self._check(len(metrics))
        runs = metrics["modeldir"] if "modeldir" in metrics.columns else pl.Series(range(len(metrics)))
        steps = metrics["step"] if "step" in metrics.columns else pl.Series([0]).new_from_index(0, len(metrics))
        self._metrics = metrics.select(_numbered(runs).alias("seed"), steps.cast(pl.Int64).alias("epoch"), pl.all())

    def _check(self, rows: int) -> None:
        if self._matrix.ndim != 2 or len(self._matrix) != rows or not rows:
            raise UnreadableFileError(
                f"{self.folder}: weights of shape {self._matrix.shape} for {rows} rows of {METRICS}"
            )
        for name, start, end, shape in self._layout:
            if not 0 <= start <= end <= self._matrix.shape[1] or end - start != math.prod(shape):
                raise UnreadableFileError(
                    f"{self.folder / LAYOUT}: {name} of shape {shape} does not fit columns {start} to {end} "
                    f"of {self._matrix.shape[1]}"
                )

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        return tuple(self._metrics["seed"].unique(maintain_order=True))

    @cached_property
    def _rows(self) -> dict[int, dict[int, int]]:
        """The row of each network after each step."""
        found: dict[int, dict[int, int]] = {}
        for row, (seed, step) in enumerate(self._metrics.select("seed", "epoch").iter_rows()):
            found.setdefault(seed, {})[step] = row
        return {seed: dict(sorted(rows.items())) for seed, rows in found.items()}

    def networks(self) -> pl.DataFrame:
        """A row a network and step: ``seed``, ``epoch`` (the step), and all columns of the published table."""
        return self._metrics

    def epochs(self, seed: int) -> tuple[int, ...]:
        return tuple(self._rows.get(seed, ()))

    def _read(self, seed: int, epoch: int) -> dict[str, Tensor]:
        row = np.array(self._matrix[self._rows[seed][epoch]])
        return {
            name: _turned(torch.from_numpy(row[start:end].reshape(shape))) for name, start, end, shape in self._layout
        }


def _numbered(runs: pl.Series) -> pl.Series:
    """Numbers from 0, equal for equal values, in the order of their first appearance."""
    known: dict[object, int] = {}
    return pl.Series([known.setdefault(run, len(known)) for run in runs], dtype=pl.Int64)


def _turned(value: Tensor) -> Tensor:
    """TensorFlow's axes in PyTorch's order: ``(height, width, in, out)`` as ``(out, in, height, width)``."""
    if value.ndim < 2:
        return value
    return value.permute(value.ndim - 1, value.ndim - 2, *range(value.ndim - 2)).contiguous()
