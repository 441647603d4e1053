"""Links from matrices of weights, whatever library holds them."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor

from synaplex.errors import InvalidGraphError
from synaplex.graph.dense import DenseLink
from synaplex.graph.link import Link
from synaplex.graph.sparse import SparseLink


def as_matrix(matrix: Any, label: str = "matrix") -> Tensor:
    """A matrix as a tensor, without a copy where its library allows that.

    Parameters
    ----------
    matrix
        A tensor, anything that `torch.as_tensor` takes, or a SciPy sparse matrix, which becomes a sparse
        tensor.
    label
        What an error calls it.

    Raises
    ------
    InvalidGraphError
        If it is no rectangular array of numbers.
    """
    if isinstance(matrix, Tensor):
        return matrix
    if type(matrix).__module__.startswith("scipy.sparse"):
        edges = matrix.tocoo()
        index = torch.stack([torch.as_tensor(axis, dtype=torch.long) for axis in (edges.row, edges.col)])
        values = torch.as_tensor(edges.data)
        return torch.sparse_coo_tensor(index, values, edges.shape, check_invariants=True).coalesce()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The given NumPy array is not writable")
            return torch.as_tensor(matrix)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InvalidGraphError(f"{label!r} is no matrix of numbers: {error}") from error


def link_from_matrix(weight: Tensor, *, source: int, target: int, name: str = "") -> Link:
    """The link whose matrix is `weight`: dense, or sparse where the tensor is stored so.

    Parameters
    ----------
    weight
        ``(out, in)``, or ``(networks, out, in)`` for a dense batch.
    source, target
        Indices of the layers joined.
    name
        The parameter the weights come from.

    Raises
    ------
    InvalidGraphError
        If a sparse tensor has other than two dimensions.
    """
    if weight.layout == torch.strided:
        return DenseLink(source=source, target=target, name=name, weight=weight)
    if weight.ndim != 2:
        shape = tuple(weight.shape)
        raise InvalidGraphError(f"a sparse matrix of weights must be (out, in); that of {name!r} is {shape}")
    edges = (weight if weight.layout == torch.sparse_coo else weight.to_sparse()).coalesce()
    row, column = edges.indices()
    out_size, in_size = weight.shape
    return SparseLink.from_edges(
        row, column, edges.values(), (out_size, in_size), source=source, target=target, name=name
    )
