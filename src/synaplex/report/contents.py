"""What a file of weights holds, whether or not it makes a graph."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import torch

from synaplex.checkpoint import StoredTensor, open_checkpoint
from synaplex.errors import MissingExtraError, UnreadableFileError
from synaplex.graph.checkpoints import read_safetensors, read_torch
from synaplex.graph.keras import read_keras
from synaplex.graph.load import file_kind
from synaplex.graph.named import NamedTensor


def tensors(path: str | os.PathLike[str]) -> pl.DataFrame:
    """The tensors of a file of weights.

    Returns
    -------
    polars.DataFrame
        A row a tensor: ``parameter``, ``shape`` (matrices as ``(out, in)``), ``dtype``, ``values`` (how many),
        ``zeros``, ``not_finite`` (NaN and infinite ones; these two are not counted, but null, in an ONNX model). No row
        for a file of edges.

    Raises
    ------
    UnreadableFileError
        If a tensor is damaged.
    MissingExtraError
        If an ONNX model takes the package onnx, which is not installed.

    Notes
    -----
    Cost: the file is read once, tensor by tensor, so memory holds one at a time.
    """
    path = Path(path)
    if file_kind(path) == "onnx":
        rows = [_stored(tensor) for tensor in open_checkpoint(path).tensors]
    else:
        rows = [_read(tensor) for tensor in _named(path)]
    counts = dict.fromkeys(("values", "zeros", "not_finite"), pl.Int64)
    return pl.DataFrame(rows, schema={"parameter": pl.String, "shape": pl.List(pl.Int64), "dtype": pl.String, **counts})


def _stored(tensor: StoredTensor) -> dict[str, Any]:
    shape = tensor.shape[1::-1] + tensor.shape[2:] if tensor.transposed else tensor.shape
    return {"parameter": tensor.name, "shape": list(shape), "dtype": tensor.dtype, "values": tensor.count}


def _read(tensor: NamedTensor) -> dict[str, Any]:
    values = tensor.read()
    finite = torch.isfinite(values) if tensor.floating else torch.ones_like(values, dtype=torch.bool)
    return {
        "parameter": tensor.name,
        "shape": list(tensor.shape),
        "dtype": str(values.dtype).removeprefix("torch."),
        "values": values.numel(),
        "zeros": int((values == 0).sum()),
        "not_finite": int((~finite).sum()),
    }


def _named(path: Path) -> list[NamedTensor]:
    for read in (read_safetensors, read_torch, partial(read_keras, only_chains=False)):
        try:
            return read(path)
        except (UnreadableFileError, MissingExtraError):
            continue
    return []
