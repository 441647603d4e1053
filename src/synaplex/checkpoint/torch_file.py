"""The tensors of a file by `torch.save`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from synaplex.checkpoint.stored import StoredTensor
from synaplex.graph.checkpoints import read_torch


def stored_torch(path: Path) -> list[StoredTensor]:
    """The tensors of a state dict, mapped into memory where the file is of torch's zip format; no code is run.

    Tensors that share their memory (tied weights) are marked. Raises `UnreadableFileError`.
    """
    known: dict[object, str] = {}
    tensors = []
    for named in read_torch(path):
        value = named.read()
        dtype = str(value.dtype).removeprefix("torch.")
        if value.layout != torch.strided or value.is_quantized or value.is_meta:
            what = "quantized" if value.is_quantized else "without data" if value.is_meta else "sparse"
            tensors.append(StoredTensor(named.name, named.shape, dtype, path, reason=f"the tensor is {what}"))
            continue
        where = (value.untyped_storage().data_ptr(), value.storage_offset(), tuple(value.shape), value.stride())
        first = known.setdefault(where, named.name) if value.numel() else named.name
        same = "" if first == named.name else first
        held = _bytes(value)
        tensors.append(StoredTensor(named.name, named.shape, dtype, path, length=len(held), held=held, same_as=same))
    return tensors


def _bytes(value: Tensor) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """The bytes of a tensor in row-major order, without a copy where it is stored so."""
    flat = value.resolve_conj().resolve_neg().contiguous().reshape(-1)
    array: np.ndarray[tuple[int], np.dtype[np.uint8]] = flat.view(torch.uint8).numpy()
    return array
