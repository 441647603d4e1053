"""Which connections exist: the pattern of a sparse matrix, by rows and by columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from scipy.sparse import csr_array
from torch import Tensor

from synaplex.errors import SpecificationError

MOST = 2**31 - 1
"""Connections that one layer can hold: they are counted by 32-bit integers."""


@dataclass(frozen=True, eq=False)
class Pattern:
    """The connections of a layer, in compressed sparse rows and the same by columns.

    Attributes
    ----------
    row_start
        Where the connections of each target neuron begin.
    column
        Source neuron of each connection, ascending within a row.
    column_start
        Where the connections of each source neuron begin in `row` and `order`.
    row
        Target neuron of each connection, listed by source neuron.
    order
        Place in `column` of each connection that is listed by source neuron.
    shape
        ``(out, in)``.
    """

    row_start: Int[Tensor, " out1"]
    column: Int[Tensor, " connections"]
    column_start: Int[Tensor, " in1"]
    row: Int[Tensor, " connections"]
    order: Int[Tensor, " connections"]
    shape: tuple[int, int]

    @classmethod
    def of(
        cls, row_start: Int[Tensor, " out1"], column: Int[Tensor, " connections"], shape: tuple[int, int]
    ) -> Pattern:
        """The pattern of a matrix in compressed sparse rows. Cost: one pass."""
        place = np.arange(len(column), dtype=np.int32)
        rows = csr_array((place, _array(column), _array(row_start)), shape=shape)
        turned = rows.tocsc()
        lists = (turned.indptr, turned.indices, turned.data)
        start, row, order = (torch.from_numpy(one).to(column.device, torch.int32) for one in lists)
        return cls(row_start, column, start, row, order, shape)

    @classmethod
    def from_keys(cls, keys: Int[Tensor, " connections"], shape: tuple[int, int]) -> Pattern:
        """The pattern of connections given by ascending numbers ``row * in + column``.

        Raises
        ------
        SpecificationError
            If there are more connections than one layer can hold.
        """
        if len(keys) > MOST:
            raise SpecificationError(f"{len(keys):,} connections are more than one sparse layer holds ({MOST:,})")
        out_size, in_size = shape
        starts = torch.arange(out_size + 1, device=keys.device) * in_size
        row_start = torch.searchsorted(keys, starts).to(torch.int32)
        column = (keys % max(in_size, 1)).to(torch.int32)
        return cls.of(row_start, column, shape)

    @property
    def keys(self) -> Int[Tensor, " connections"]:
        """The number ``row * in + column`` of each connection, ascending."""
        return self.rows.long() * self.shape[1] + self.column

    @property
    def rows(self) -> Int[Tensor, " connections"]:
        """Target neuron of each connection, in the order of `column`."""
        return torch.repeat_interleave(self.row_start.diff().long(), output_size=len(self.column))

    @property
    def in_degree(self) -> Int[Tensor, " out"]:
        """Connections into each target neuron."""
        return self.row_start.diff()

    @property
    def out_degree(self) -> Int[Tensor, " in"]:
        """Connections out of each source neuron."""
        return self.column_start.diff()


def check_rows(row_start: Tensor, column: Tensor, shape: tuple[int, int], name: str) -> None:
    """Check that two tensors describe a matrix in compressed sparse rows, each row ascending.

    Raises
    ------
    SpecificationError
        If they do not; names the layer.
    """
    out_size, in_size = shape
    where = f"the connections of {name!r}" if name else "the connections"
    if row_start.shape != (out_size + 1,) or column.ndim != 1:
        raise SpecificationError(
            f"{where} are for a layer of {len(row_start) - 1} neurons, and this one has {out_size} fed by {in_size}"
        )
    if row_start[0] != 0 or row_start[-1] != len(column) or bool((row_start.diff() < 0).any()):
        raise SpecificationError(f"{where} are no compressed rows: row_start does not go from 0 up to their number")
    if len(column) and not (int(column.min()) >= 0 and int(column.max()) < in_size):
        raise SpecificationError(f"{where} come from neurons up to {int(column.max())}, and {in_size} feed this layer")
    keys = torch.repeat_interleave(row_start.diff().long(), output_size=len(column)) * in_size + column
    if bool((keys.diff() <= 0).any()):
        raise SpecificationError(f"{where} are not in order within their rows, or occur twice")


def _array(tensor: Tensor) -> Any:
    return np.asarray(tensor.cpu().numpy())
